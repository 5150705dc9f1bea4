// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Every layer of every group against its definition, for every instruction set of this machine.
@Suite struct ReferenceTests {
  /// Sums of small whole numbers are exact in every order, so nothing less than equality will do.
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func layer_equalsItsDefinition_onWholeNumbers(_ layer: LayerKind, _ group: PointGroup) throws {
    var random = SplitMix64(seed: 41)
    for sizes in LayerCase.all(for: group) {
      let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
      let numbers = try plan.integers(Double.self, batch: sizes.batch, &random)
      let expected = Reference.forward(
        sizes.descriptor(layer, group), batch: sizes.batch, input: numbers.input, weight: numbers.weight,
        bias: numbers.bias)
      for set in InstructionSet.available {
        let output = try plan.forward(numbers, batch: sizes.batch, instructions: set)
        #expect(firstDifference(output, expected) == nil, "\(sizes) \(set)")
        let single = try plan.forward(Numbers.rounded(numbers), batch: sizes.batch, instructions: set)
        #expect(firstDifference(single.map(Double.init), expected) == nil, "\(sizes) \(set) Float")
      }
    }
  }

  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func layer_equalsItsDefinition_withinRounding(_ layer: LayerKind, _ group: PointGroup) throws {
    try check(Float.self, layer, group)
    try check(Double.self, layer, group)
  }

  /// A chain of n multiply-adds errs by at most n half-ulps of the sum of absolute values. Means and orbit sums of a
  /// plane output add at most |H| + 3 roundings, and the reference itself has as many in Double: so whole ulps.
  private func check<S: EngineScalar>(_: S.Type, _ layer: LayerKind, _ group: PointGroup) throws {
    var random = SplitMix64(seed: 42)
    for sizes in LayerCase.all(for: group) {
      let descriptor = sizes.descriptor(layer, group)
      let plan = try ConvolutionPlan(descriptor)
      let numbers = try plan.reals(S.self, batch: sizes.batch, &random)
      let expected = Numbers.reference(descriptor, sizes.batch, numbers) { Double($0) }
      let absolute = Numbers.reference(descriptor, sizes.batch, numbers) { abs(Double($0)) }
      let terms = sizes.inChannels * plan.inputElements * plan.descriptor.kernel.product
      let unit = Double(S.ulpOfOne) * Double(terms + group.order + 3)
      for set in InstructionSet.available {
        let output = try plan.forward(numbers, batch: sizes.batch, instructions: set)
        let worst = output.indices.first { !(abs(Double(output[$0]) - expected[$0]) <= unit * absolute[$0]) }
        #expect(output.count == expected.count, "\(S.self) \(sizes) \(set)")
        #expect(worst == nil, "\(S.self) \(sizes) \(set)")
      }
    }
  }

  @Test func absentBias_isZero() throws {
    var random = SplitMix64(seed: 43)
    for layer in LayerKind.allCases {
      let sizes = LayerCase([6, 7], kernel: [3], padding: [1], batch: 2, channels: (3, 9))
      let plan = try ConvolutionPlan(sizes.descriptor(layer, .dihedral(4)))
      var numbers = try plan.reals(Float.self, batch: 2, &random)
      let output = try plan.forward(numbers, batch: 2, hasBias: false)
      numbers.bias = numbers.bias.map { _ in 0 }
      #expect(try firstDifference(plan.forward(numbers, batch: 2), output) == nil)
    }
  }

  @Test func emptyBatch_touchesNothing() throws {
    let sizes = LayerCase([6, 6], kernel: [3], batch: 0, channels: (2, 3))
    let plan = try ConvolutionPlan(sizes.descriptor(.group, .cyclic(4)))
    var random = SplitMix64(seed: 44)
    let numbers = try plan.reals(Float.self, batch: 0, &random)
    #expect(try plan.forward(numbers, batch: 0) == [])
    #expect(try plan.inputGradient(numbers, batch: 0) == [])
    #expect(try plan.weightGradient(numbers, batch: 0) == [Float](repeating: 0, count: 3 * 2 * 4 * 9))
    #expect(try plan.biasGradient(numbers, batch: 0) == [0, 0, 0])
  }
}

enum Numbers {
  /// The same whole numbers as Float.
  static func rounded(_ n: LayerNumbers<Double>) -> LayerNumbers<Float> {
    LayerNumbers(
      input: n.input.map(Float.init), weight: n.weight.map(Float.init), bias: n.bias.map(Float.init),
      gradient: n.gradient.map(Float.init))
  }

  static func reference<S: EngineScalar>(
    _ descriptor: ConvolutionDescriptor, _ batch: Int, _ n: LayerNumbers<S>, _ transform: (S) -> Double
  ) -> [Double] {
    Reference.forward(
      descriptor, batch: batch, input: n.input.map(transform), weight: n.weight.map(transform),
      bias: n.bias.map(transform))
  }
}
