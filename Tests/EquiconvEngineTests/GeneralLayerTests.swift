// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// The group convolution between any homogeneous spaces of any set of elements, with kernels in any basis.
@Suite struct GeneralLayerTests {
  /// As in `ReferenceTests`, with the roundings of the sampled weights: each is a sum over basis functions and elements.
  @Test(arguments: GeneralCase.all)
  func layer_equalsItsDefinition_withinRounding(_ layer: GeneralCase) throws {
    try check(Double.self, layer)
    try check(Float.self, layer)
  }

  private func check<S: EngineScalar>(_: S.Type, _ layer: GeneralCase) throws {
    var random = SplitMix64(seed: 91)
    let plan = try ConvolutionPlan(layer.descriptor)
    let numbers = try plan.reals(S.self, batch: layer.batch, &random)
    let expected = Numbers.reference(layer.descriptor, layer.batch, numbers) { Double($0) }
    // Kernel functions may be negative: their absolute values are bounded by a positive kernel of all weights.
    let largest = numbers.weight.reduce(0) { max($0, abs(Double($1))) }
    let terms = plan.inputElements * plan.sampledKernel.product * layer.descriptor.inChannels
    let unit = Double(S.ulpOfOne) * Double(terms + layer.descriptor.layer.group.order + plan.weightShape.reduce(1, *))
    let bound = unit * largest * (1 + numbers.input.reduce(0) { max($0, abs(Double($1))) }) * Double(terms)
    for set in InstructionSet.available {
      let output = try plan.forward(numbers, batch: layer.batch, instructions: set)
      #expect(output.count == expected.count)
      #expect(output.indices.allSatisfy { abs(Double(output[$0]) - expected[$0]) <= bound }, "\(S.self) \(set)")
    }
  }

  /// Elements that map the grid to itself move numbers and change none, whatever lies between the pixels.
  @Test(arguments: GeneralCase.closed)
  func layer_commutesWithLatticeElements_toTheLastBit(_ layer: GeneralCase) throws {
    #expect(try ConvolutionPlan(layer.descriptor).strideRemainder.values.allSatisfy { $0 == 0 })
    #expect(try Equivariance<Float>(layer.descriptor, batch: layer.batch, seed: 92).broken() == [])
    #expect(try Equivariance<Double>(layer.descriptor, batch: layer.batch, seed: 93).broken() == [])
  }

  /// ⟨K f, g⟩ = ⟨f, K* g⟩ for input and weights.
  @Test(arguments: GeneralCase.all)
  func gradients_areAdjoint(_ layer: GeneralCase) throws {
    var random = SplitMix64(seed: 94)
    let plan = try ConvolutionPlan(layer.descriptor)
    let numbers = try plan.reals(Double.self, batch: layer.batch, &random)
    for set in InstructionSet.available {
      let output = try plan.forward(numbers, batch: layer.batch, instructions: set, hasBias: false)
      let linear = inner(output, numbers.gradient)
      let scale = inner(output.map(abs), numbers.gradient.map(abs)) + 1
      let byInput = inner(numbers.input, try plan.inputGradient(numbers, batch: layer.batch, instructions: set))
      let byWeight = inner(numbers.weight, try plan.weightGradient(numbers, batch: layer.batch, instructions: set))
      #expect(abs(linear - byInput) <= 1e-12 * scale, "input \(set)")
      #expect(abs(linear - byWeight) <= 1e-12 * scale, "weight \(set)")
    }
  }

  /// The ordinary convolution with the expanded bank is the layer.
  @Test(arguments: GeneralCase.all)
  func expandedBank_isThatOfTheDefinition(_ layer: GeneralCase) throws {
    var random = SplitMix64(seed: 95)
    let plan = try ConvolutionPlan(layer.descriptor)
    let weight: [Double] = random.reals(plan.weightShape.reduce(1, *))
    let bank = try plan.expand(weight)
    let expected = Reference.filterBank(layer.descriptor, weight: weight)
    let largest = weight.reduce(0) { max($0, abs($1)) }
    #expect(bank.count == expected.count)
    #expect(zip(bank, expected).allSatisfy { abs($0 - $1) <= 1e-13 * largest * Double(plan.weightShape.reduce(1, *)) })
  }

  /// The four layers are corners: spaces named by stabilizers give the same bits.
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func spacesNamedByStabilizers_giveTheFourLayers_exactly(_ layer: LayerKind, _ group: PointGroup) throws {
    func stabilizer(_ isGroup: Bool) -> SignalSpace { .quotient(stabilizer: isGroup ? [0] : Array(0..<group.order)) }
    guard group.order > 1 else { return }
    var random = SplitMix64(seed: 96)
    for sizes in LayerCase.all(for: group).prefix(6) {
      let named = try ConvolutionPlan(sizes.descriptor(layer, group))
      var descriptor = sizes.descriptor(layer, group)
      descriptor.layer.input = stabilizer(layer.readsGroup)
      descriptor.layer.output = stabilizer(layer.writesGroup)
      let general = try ConvolutionPlan(descriptor)
      #expect(general.descriptor == named.descriptor)
      let numbers = try named.reals(Float.self, batch: sizes.batch, &random)
      #expect(
        try haveSameBits(general.forward(numbers, batch: sizes.batch), named.forward(numbers, batch: sizes.batch)))
    }
  }

  /// Weights for relative elements that a localized basis leaves out would be zero: the same layer, at its lower cost.
  @Test func localizedLayer_equalsTheFullOneWithZeros_atTheCostOfItsElements() throws {
    let group = try PointGroup.cyclic(16)
    let kept = [0, 1, 15]
    let local = GeneralCase(
      "localized", group, from: .group, to: .group, spatial: [8, 8], kernel: 3, groupBasis: .localized(kept))
    let full = GeneralCase("full", group, from: .group, to: .group, spatial: [8, 8], kernel: 3)
    let (localPlan, fullPlan) = try (ConvolutionPlan(local.descriptor), ConvolutionPlan(full.descriptor))
    #expect(localPlan.weightShape == [3, 2, 3, 3, 3])
    #expect(localPlan.flops(batch: 1) * 16 == fullPlan.flops(batch: 1) * 3)
    var random = SplitMix64(seed: 97)
    let numbers = try localPlan.reals(Double.self, batch: 2, &random)
    var spread = numbers
    spread.weight = [Double](repeating: 0, count: fullPlan.weightShape.reduce(1, *))
    for pair in 0..<6 {
      for (i, element) in kept.enumerated() {
        for tap in 0..<9 { spread.weight[(pair * 16 + element) * 9 + tap] = numbers.weight[(pair * 3 + i) * 9 + tap] }
      }
    }
    let (a, b) = try (localPlan.forward(numbers, batch: 2), fullPlan.forward(spread, batch: 2))
    #expect(zip(a, b).allSatisfy { abs($0 - $1) <= 1e-12 })
  }

  /// C8 has two classes of orientations under quarter turns; each is sampled once.
  @Test func orientationsThatAQuarterTurnExchanges_shareOneBank() throws {
    for (n, banks) in [(4, 1), (8, 2), (16, 4)] {
      let layer = GeneralCase("banks", try .cyclic(n), from: .plane, to: .group, spatial: [8, 8], kernel: 3)
      #expect(try ConvolutionPlan(layer.descriptor).weightBanks == banks)
    }
  }

  /// Relative elements beyond the range contribute nothing: the largest scale reads itself alone.
  @Test func relativeScalesBeyondTheRange_contributeNothing() throws {
    let group = try PointGroup.scaling(dimension: 1, factors: [1, 2, 4])
    let layer = GeneralCase("range", group, from: .group, to: .group, spatial: [15], kernel: 3)
    let plan = try ConvolutionPlan(layer.descriptor)
    var random = SplitMix64(seed: 98)
    var numbers = try plan.reals(Double.self, batch: 2, &random)
    let before = try plan.forward(numbers, batch: 2)
    // Change the two smaller scales of the input.
    for i in numbers.input.indices where i / 15 % 3 < 2 { numbers.input[i] += 1 }
    let after = try plan.forward(numbers, batch: 2)
    for i in before.indices { #expect((before[i] == after[i]) == (i / 15 % 3 == 2)) }
  }
}
