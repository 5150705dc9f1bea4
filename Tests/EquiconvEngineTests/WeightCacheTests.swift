// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Transformed weights are kept, and never served for other numbers.
@Suite struct WeightCacheTests {
  @Test(arguments: [Method.fourier(length: 12), .winograd(outputs: 4)])
  func layersThatShareAPlan_eachGetTheirOwnWeights(_ method: Method) throws {
    let sizes = LayerCase([12, 12], kernel: [3], padding: [1], channels: (3, 4))
    let plan = try ConvolutionPlan(sizes.descriptor(.group, try .cyclic(4)))
    var random = SplitMix64(seed: 301)
    // More layers than the plan keeps weights of, taken in turns.
    let layers = try (0..<7).map { _ in try plan.reals(Float.self, batch: 1, &random) }
    let alone = try layers.map { numbers in
      try ConvolutionPlan(plan.descriptor).forward(numbers, batch: 1, method: method)
    }
    for round in 0..<3 {
      for (index, numbers) in layers.enumerated() {
        let output = try plan.forward(numbers, batch: 1, method: method)
        #expect(haveSameBits(output, alone[index]), "round \(round), layer \(index)")
      }
    }
  }

  @Test(arguments: [Method.fourier(length: 12), .winograd(outputs: 4)])
  func changeOfAnyNumber_isSeen(_ method: Method) throws {
    let sizes = LayerCase([12, 12], kernel: [3], padding: [1], channels: (3, 4))
    let plan = try ConvolutionPlan(sizes.descriptor(.group, try .cyclic(4)))
    var random = SplitMix64(seed: 302)
    var numbers = try plan.reals(Float.self, batch: 1, &random)
    for place in [0, numbers.weight.count / 2, numbers.weight.count - 1] {
      let before = try plan.forward(numbers, batch: 1, method: method)
      numbers.weight[place] += 1
      let after = try plan.forward(numbers, batch: 1, method: method)
      #expect(!haveSameBits(before, after))
      #expect(
        haveSameBits(after, try ConvolutionPlan(plan.descriptor).forward(numbers, batch: 1, method: method)))
    }
  }
}
