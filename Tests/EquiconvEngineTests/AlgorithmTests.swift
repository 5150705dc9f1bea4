// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Every algorithm of the interface is in the engine's list, and an algorithm that does not cover a pass says so.
@Suite struct AlgorithmTests {
  @Test(arguments: Algorithm.allCases) func everyAlgorithm_computesWhatAllCover(_ algorithm: Algorithm) throws {
    var descriptor = LayerCase([12, 13], kernel: [3], padding: [1], channels: (3, 4)).descriptor(.group, try .cyclic(4))
    descriptor.layer.algorithm = algorithm
    let plan = try ConvolutionPlan(descriptor)
    let explanation = try plan.explain(.forward, batch: 2, Float.self)
    #expect([.auto, .exact, explanation.algorithm].contains(algorithm))
    #expect(algorithm != .exact || explanation.isExact)
    var random = SplitMix64(seed: 401)
    let numbers = try plan.reals(Float.self, batch: 2, &random)
    let exact = ExactRuns(plan, numbers, batch: 2)
    // Winograd's tiles round more often than the definition.
    #expect(exact.forward.excess(try plan.forward(numbers, batch: 2)) <= 4)
  }

  @Test func auto_namesEachAlgorithmThatRefuses() throws {
    func reason(_ layer: LayerCase, _ group: PointGroup, _ pass: Pass, channelGroups: Int = 1) throws -> String {
      var descriptor = layer.descriptor(.group, group)
      descriptor.layer.algorithm = .auto
      descriptor.layer.channelGroups = channelGroups
      return try ConvolutionPlan(descriptor).explain(pass, batch: 1, Float.self).reason
    }
    let wide = LayerCase([64, 64], kernel: [33], channels: (8, 8))
    #expect(
      try reason(wide, .cyclic(3), .forward)
        == "others do not offer fourier with a reach of 33 × 33, winograd with a reach of 33 × 33, group-fourier with C3"
    )
    let strided = LayerCase([64, 64], kernel: [3], stride: [2], channels: (8, 8))
    #expect(
      try reason(strided, .cyclic(3), .weightGradient)
        == "others do not offer fourier with stride (2, 2), winograd with a weight gradient, group-fourier with C3")
    let layer = LayerCase([64, 64], kernel: [3], channels: (64, 64))
    for pass in [Pass.forward, .inputGradient] {
      let names = ["fourier", "winograd", "group-fourier"].map { "\($0) with 2 groups of channels" }
      #expect(
        try reason(layer, .cyclic(4), pass, channelGroups: 2)
          == "others do not offer \(names.joined(separator: ", "))")
    }
  }

  @Test func reason_saysWhatExactnessCosts() throws {
    func reason(_ kernel: Int, _ algorithm: Algorithm) throws -> (String, Bool) {
      var descriptor = LayerCase([64, 64], kernel: [kernel], padding: [kernel / 2], channels: (32, 32))
        .descriptor(.group, try .cyclic(4))
      descriptor.layer.algorithm = algorithm
      let explanation = try ConvolutionPlan(descriptor).explain(.forward, batch: 8, Float.self)
      return (explanation.reason, explanation.isExact)
    }
    for kernel in [3, 5, 7, 9] {
      let (auto, isExact) = try reason(kernel, .auto)
      let words = isExact ? "exact, and at most 10 % over" : "exact ones take more than 10 % longer"
      #expect(auto.contains(words), "\(auto)")
      #expect(try reason(kernel, .exact) == ("the lowest estimate of the methods that are exact", true))
    }
  }

  @Test func passThatAMethodDoesNotHave_isAnError() throws {
    let plan = try ConvolutionPlan(LayerCase([9, 9], kernel: [3]).descriptor(.group, try .cyclic(4)))
    var random = SplitMix64(seed: 402)
    let numbers = try plan.reals(Float.self, batch: 1, &random)
    let error = #expect(throws: ConvolutionError.self) {
      try plan.weightGradient(numbers, batch: 1, method: .winograd(outputs: 4))
    }
    #expect(error?.kind == .unsupportedAlgorithm && error?.value == "winograd with a weight gradient")
  }
}
