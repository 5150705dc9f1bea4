// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// `L_g layer(f) = layer(L_g f)` to the last bit, on random numbers that make every sum round.
@Suite struct EquivarianceTests {
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func layer_commutesWithEveryElement_toTheLastBit(_ layer: LayerKind, _ group: PointGroup) throws {
    var tried = 0
    for sizes in LayerCase.all(for: group) {
      let descriptor = sizes.descriptor(layer, group)
      guard try ConvolutionPlan(descriptor).strideRemainder.values.allSatisfy({ $0 == 0 }) else { continue }
      let single = try Equivariance<Float>(descriptor, batch: sizes.batch, seed: 51)
      let double = try Equivariance<Double>(descriptor, batch: sizes.batch, seed: 52)
      for set in InstructionSet.available {
        #expect(try single.broken(set) == [], "Float \(sizes) \(set)")
        #expect(try double.broken(set) == [], "Double \(sizes) \(set)")
      }
      tried += 1
    }
    #expect(tried >= 8)
  }

  /// Infinities and NaNs are turned with the signal as well.
  @Test(arguments: LayerKind.allCases)
  func layer_commutes_onSignalsWithInfinities(_ layer: LayerKind) throws {
    let sizes = LayerCase([8, 8], kernel: [3], padding: [1], channels: (2, 2))
    let group = try PointGroup.cyclic(4)
    let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
    var random = SplitMix64(seed: 53)
    var numbers = try plan.reals(Float.self, batch: 1, &random)
    numbers.input[11] = .infinity
    let output = try plan.forward(numbers, batch: 1)
    for g in 0..<4 {
      var turnedNumbers = numbers
      turnedNumbers.input = try act(
        group, g, on: layer.readsGroup ? .group : .plane, batch: 1, channels: 2, spatial: [8, 8], numbers.input)
      let outputTurned = try act(
        group, g, on: layer.writesGroup ? .group : .plane, batch: 1, channels: 2, spatial: [8, 8], output)
      let result = try plan.forward(turnedNumbers, batch: 1)
      let differing = result.indices.filter {
        result[$0] != outputTurned[$0] && !(result[$0].isNaN && outputTurned[$0].isNaN)
      }
      #expect(differing == [])
    }
    #expect(output.contains { !$0.isFinite } && output.contains { $0.isFinite })
  }

  /// The trap of strided layers: where (n + 2p − reach) mod stride ≠ 0 the strided grid is not symmetric about the
  /// center, so elements that move it are not commuted with, and `strideRemainder` says so.
  @Test(arguments: LayerKind.allCases)
  func remainderOfTheStride_breaksEquivariance_andIsReported(_ layer: LayerKind) throws {
    let cases: [(PointGroup, LayerCase, remainder: Extents, broken: [Int])] = [
      (.reflection, LayerCase([8], kernel: [3], stride: [2]), [1], [1]),
      (try .cyclic(4), LayerCase([8, 8], kernel: [3], stride: [2]), [1, 1], [1, 2, 3]),
      (try .cyclic(4), LayerCase([9, 9], kernel: [3], stride: [2], padding: [1]), [0, 0], []),
      (try .cyclic(2), LayerCase([9, 10], kernel: [3], stride: [2], padding: [1]), [0, 1], [1]),
      // The mirror of the columns does not move the rows' grid.
      (try .dihedral(1), LayerCase([10, 9], kernel: [3], stride: [2], padding: [1]), [1, 0], []),
      (try .dihedral(1), LayerCase([9, 10], kernel: [3], stride: [2], padding: [1]), [0, 1], [1]),
    ]
    for (group, sizes, remainder, broken) in cases {
      let walk = try Equivariance<Double>(sizes.descriptor(layer, group), batch: 1, seed: 54)
      #expect(walk.plan.strideRemainder == remainder, "\(group) \(sizes)")
      #expect(try walk.broken() == broken, "\(group) \(sizes)")
    }
  }

  /// Mean pooling over H is the projection with k = δ at the origin, constant over h'; here times |H|, to be exact.
  @Test(arguments: GroupCatalog.lattice)
  func meanOverTheFiber_isTheProjectionOfTheDelta(_ group: PointGroup) throws {
    let sizes = LayerCase([[7], [4, 6], [3, 2, 4]][group.dimension - 1], kernel: [1], batch: 2)
    let plan = try ConvolutionPlan(sizes.descriptor(.projection, group))
    var random = SplitMix64(seed: 55)
    var numbers = try plan.integers(Double.self, batch: 2, &random)
    numbers.weight = numbers.weight.map { _ in 1 }
    numbers.input = numbers.input.map { $0 * 48 }
    let inner = sizes.spatial.reduce(1, *)
    var pooled = [Double](repeating: .nan, count: 2 * inner)
    try numbers.input.withPointer { input in
      try pooled.withMutablePointer {
        try groupPool(.mean, outer: 2, order: group.order, inner: inner, input: input, output: $0)
      }
    }
    let output = try plan.forward(numbers, batch: 2, hasBias: false)
    #expect(firstDifference(output, pooled.map { $0 * Double(group.order) }) == nil)
  }
}
