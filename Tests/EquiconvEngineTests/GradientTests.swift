// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// A layer is linear in its input, its weight and its bias, so its gradients are adjoint maps. On whole numbers all sums
/// are exact, and so are these identities.
@Suite struct GradientTests {
  /// `⟨K f, g⟩ = ⟨f, K* g⟩`, once for each of the three arguments.
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func gradients_areAdjoint_exactly(_ layer: LayerKind, _ group: PointGroup) throws {
    var random = SplitMix64(seed: 61)
    for sizes in LayerCase.all(for: group) {
      let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
      let numbers = try plan.integers(Double.self, batch: sizes.batch, &random)
      let rounded = Numbers.rounded(numbers)
      for set in InstructionSet.available {
        try checkAdjoints(plan, numbers, sizes.batch, set, "\(sizes) \(set)")
        try checkAdjoints(plan, rounded, sizes.batch, set, "\(sizes) \(set) Float")
      }
      try checkBias(plan, numbers, sizes.batch, "\(sizes)")
      try checkBias(plan, rounded, sizes.batch, "\(sizes) Float")
    }
  }

  private func checkAdjoints<S: EngineScalar>(
    _ plan: ConvolutionPlan, _ numbers: LayerNumbers<S>, _ batch: Int, _ set: InstructionSet, _ comment: String
  ) throws {
    let linear = inner(
      try plan.forward(numbers, batch: batch, instructions: set, hasBias: false), numbers.gradient)
    let inputGradient = try plan.inputGradient(numbers, batch: batch, instructions: set)
    let byInput = inner(numbers.input, inputGradient)
    #expect(linear == byInput, "input, \(comment)")
    let weightGradient = try plan.weightGradient(numbers, batch: batch, instructions: set)
    let byWeight = inner(numbers.weight, weightGradient)
    #expect(linear == byWeight, "weight, \(comment)")
  }

  private func checkBias<S: EngineScalar>(
    _ plan: ConvolutionPlan, _ numbers: LayerNumbers<S>, _ batch: Int, _ comment: String
  ) throws {
    let linear = inner(try plan.forward(numbers, batch: batch, hasBias: false), numbers.gradient)
    let biased = inner(try plan.forward(numbers, batch: batch), numbers.gradient)
    let byBias = inner(numbers.bias, try plan.biasGradient(numbers, batch: batch))
    #expect(biased - linear == byBias, "bias, \(comment)")
  }

  /// Every single entry of the gradients of `⟨K f, g⟩`. The function is linear in each argument and the numbers are whole,
  /// so a central difference of step 1 has no error at all.
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func gradients_equalFiniteDifferences(_ layer: LayerKind, _ group: PointGroup) throws {
    var random = SplitMix64(seed: 62)
    for sizes in Self.smallCases[group.dimension - 1] where !sizes.isTornApart(by: group) {
      let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
      let numbers = try plan.integers(Double.self, batch: sizes.batch, &random)
      func difference(_ path: WritableKeyPath<LayerNumbers<Double>, [Double]>) throws -> [Double] {
        // A mean over an orbit of weights must stay whole, so weights take steps of 48.
        let step = path == \.weight ? 48.0 : 1
        return try numbers[keyPath: path].indices.map { index in
          let values = try [-step, step].map { step in
            var moved = numbers
            moved[keyPath: path][index] += step
            return inner(try plan.forward(moved, batch: sizes.batch), numbers.gradient)
          }
          return (values[1] - values[0]) / (2 * step)
        }
      }
      let gradients = try [
        plan.inputGradient(numbers, batch: sizes.batch), plan.weightGradient(numbers, batch: sizes.batch),
        plan.biasGradient(numbers, batch: sizes.batch),
      ]
      #expect(try firstDifference(gradients[0], difference(\.input)) == nil, "input, \(sizes)")
      #expect(try firstDifference(gradients[1], difference(\.weight)) == nil, "weight, \(sizes)")
      #expect(try firstDifference(gradients[2], difference(\.bias)) == nil, "bias, \(sizes)")
    }
  }

  private static let smallCases: [[LayerCase]] = [
    [
      LayerCase([7], kernel: [3], stride: [2], padding: [2], dilation: [2], batch: 2, channels: (2, 3)),
      LayerCase([5], kernel: [4], padding: [3], mode: .circular, channels: (3, 2)),
    ],
    [
      LayerCase([4, 5], kernel: [3], padding: [1], batch: 2, channels: (2, 1)),
      LayerCase([5, 3], kernel: [2], stride: [2], padding: [1], mode: .circular, channels: (1, 2)),
      LayerCase([5, 3], kernel: [2], stride: [2], padding: [3], mode: .reflect, channels: (1, 2)),
      LayerCase([6, 5], kernel: [3], stride: [3], padding: [2], dilation: [2]),
      LayerCase([4, 5], kernel: [1, 2], stride: [2, 1], padding: [0, 1], channels: (2, 2)),
    ],
    [
      LayerCase([2, 3, 2], kernel: [2], padding: [1]),
      LayerCase([3, 3, 3], kernel: [3], stride: [2], padding: [1], mode: .circular),
      LayerCase([3, 3, 3], kernel: [3], stride: [2], padding: [1], mode: .replicate),
    ],
  ]

  /// The input gradient of a group convolution is a group convolution with `k*(g) = k(g⁻¹)`, one chain of
  /// multiply-adds in an order that turns with the signal.
  ///
  /// That of a lifting layer also sums over h, in the order of the coefficients and then of h, and such a sum starts
  /// elsewhere on a turned signal: it is equivariant up to rounding only, as `inputGradient_commutes_onWholeNumbers` shows.
  @Test(arguments: GroupCatalog.lattice)
  func inputGradientOfTheGroupConvolution_commutesWithEveryElement_toTheLastBit(_ group: PointGroup) throws {
    for sizes in LayerCase.all(for: group) where sizes.stride.allSatisfy({ $0 == 1 }) && sizes.mode != .circular {
      let single = try Equivariance<Float>(sizes.descriptor(.group, group), batch: sizes.batch, seed: 63)
      let double = try Equivariance<Double>(sizes.descriptor(.group, group), batch: sizes.batch, seed: 64)
      for set in InstructionSet.available {
        #expect(try single.brokenByInputGradient(set) == [], "Float \(sizes) \(set)")
        #expect(try double.brokenByInputGradient(set) == [], "Double \(sizes) \(set)")
      }
    }
  }

  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func inputGradient_commutes_onWholeNumbers(_ layer: LayerKind, _ group: PointGroup) throws {
    for sizes in LayerCase.all(for: group).prefix(16) {
      let descriptor = sizes.descriptor(layer, group)
      guard try ConvolutionPlan(descriptor).strideRemainder.values.allSatisfy({ $0 == 0 }) else { continue }
      let walk = try Equivariance<Double>(descriptor, batch: sizes.batch, wholeNumbersWithSeed: 65)
      #expect(try walk.brokenByInputGradient() == [], "\(sizes)")
    }
  }
}
