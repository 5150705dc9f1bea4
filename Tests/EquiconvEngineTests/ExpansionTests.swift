// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

@Suite struct ExpansionTests {
  /// `bank[o,y,c,e](u) = k[o,c](y⁻¹e, y⁻¹u)`, or its mean over H.
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func expand_writesTheTurnedKernels(_ layer: LayerKind, _ group: PointGroup) throws {
    var random = SplitMix64(seed: 81)
    for sizes in LayerCase.all(for: group) {
      let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
      let numbers = try plan.integers(Double.self, batch: 0, &random)
      let expected = Reference.filterBank(plan.descriptor, weight: numbers.weight)
      #expect(plan.bankShape.reduce(1, *) == expected.count)
      #expect(try firstDifference(plan.expand(numbers.weight), expected) == nil, "\(sizes)")
      let single = try plan.expand(Numbers.rounded(numbers).weight).map(Double.init)
      #expect(firstDifference(single, expected) == nil, "\(sizes) Float")
    }
  }

  /// The ordinary correlation with the bank, channels and elements flattened, is the layer.
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func correlationWithTheBank_isTheLayer(_ layer: LayerKind, _ group: PointGroup) throws {
    var random = SplitMix64(seed: 82)
    for sizes in LayerCase.all(for: group).prefix(12) {
      let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
      let numbers = try plan.integers(Double.self, batch: sizes.batch, &random)
      let correlation = Reference.correlate(
        plan.descriptor, batch: sizes.batch, input: numbers.input, channels: plan.bankShape[1],
        bank: try plan.expand(numbers.weight),
        bias: (0..<plan.bankShape[0]).map { numbers.bias[$0 / plan.outputElements] })
      #expect(try firstDifference(plan.forward(numbers, batch: sizes.batch), correlation) == nil, "\(sizes)")
    }
  }

  /// Turning a bank's kernels permutes its outputs, to the last bit also where means are taken.
  @Test func bankOfPlaneOutputs_isInvariant() throws {
    for group in GroupCatalog.lattice {
      let sizes = LayerCase([[5], [5, 5], [3, 3, 3]][group.dimension - 1], kernel: [3])
      let plan = try ConvolutionPlan(sizes.descriptor(.isotropic, group))
      var random = SplitMix64(seed: 83)
      let bank = try plan.expand(try plan.reals(Float.self, batch: 0, &random).weight)
      for g in 0..<group.order {
        let turnedBank = naiveAct(group, g, on: .plane, spatial: plan.descriptor.kernel, bank)
        #expect(firstDifferenceInBits(turnedBank, bank) == nil)
      }
    }
  }
}
