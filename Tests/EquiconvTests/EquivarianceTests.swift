// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing

/// Theorem: each layer commutes with the action of H. With the direct algorithm to the last bit, on random numbers.
@Suite struct EquivarianceTests {
  @Test func casesAreComplete() { #expect(LayerExample.all.count == 7 * LayerKind.allCases.count) }

  @Test(arguments: LayerExample.all) func layerCommutesWithTheActionInFloat(_ example: LayerExample) throws {
    try expectCommutes(example, Float.self)
  }

  @Test(arguments: LayerExample.all) func layerCommutesWithTheActionInDouble(_ example: LayerExample) throws {
    try expectCommutes(example, Double.self)
  }

  @Test(arguments: [PoolMode.mean, .max]) func poolingCommutesWithTheAction(_ mode: PoolMode) throws {
    for (group, spatial) in [(try PointGroup.dihedral(4), [5, 8]), (.fullOctahedral, [2, 3, 4]), (.reflection, [9])] {
      let f = try Signal<Float>.random(.group, [2, 3, group.order] + spatial, seed: 4)
      let pooled = try f.groupPool(mode)
      for g in 0..<group.order {
        let turned = try f.acted(by: g, of: group).groupPool(mode)
        #expect(try turned.isBitwiseEqual(to: pooled.acted(by: g, of: group)), "\(group), element \(g)")
      }
    }
  }

  @Test func networkCommutesWithTheAction() throws {
    let d4 = try PointGroup.dihedral(4)
    let lift = try Convolution<Float>(
      .lifting, group: d4, weight: .random([8, 3, 5, 5], seed: 5), padding: .same, algorithm: .direct)
    let middle = try Convolution<Float>(
      .group, group: d4, weight: .random([8, 8, 8, 3, 3], seed: 6), padding: .same, algorithm: .direct)
    let project = try Convolution<Float>(
      .projection, group: d4, weight: .random([4, 8, 8, 3, 3], seed: 7), algorithm: .direct)
    func network(_ x: Signal<Float>) throws -> Signal<Float> {
      try project(middle(lift(x).map { max($0, 0) }).map { max($0, 0) })
    }
    let x = try Signal<Float>.random(.plane, [1, 3, 24, 24], seed: 8)
    let y = try network(x)
    for g in 0..<d4.order {
      #expect(try network(x.acted(by: g, of: d4)).isBitwiseEqual(to: y.acted(by: g, of: d4)), "element \(g)")
    }
  }

  @Test func stridedGridThatDoesNotFitIsReportedAndBreaksEquivariance() throws {
    let c4 = try PointGroup.cyclic(4)
    let layer = try Convolution<Float>(.lifting, group: c4, weight: .random([2, 1, 3, 3], seed: 9), stride: 2)
    #expect(try layer.strideRemainder(spatial: [9, 9]) == [0, 0])
    #expect(try layer.strideRemainder(spatial: [9, 10]) == [0, 1])
    let x = try Signal<Float>.random(.plane, [1, 1, 10, 10], seed: 10)
    #expect(try layer(x.acted(by: 1, of: c4)) != layer(x).acted(by: 1, of: c4))
  }

  private func expectCommutes<S: EngineScalar>(_ example: LayerExample, _: S.Type) throws {
    let x = try example.signal(S.self)
    let layer = try example.convolution(S.self)
    let y = try layer(x)
    #expect(try layer.strideRemainder(spatial: x.spatial).values.allSatisfy { $0 == 0 })
    for g in 0..<example.group.order {
      let ofTurned = try layer(x.acted(by: g, of: example.group))
      #expect(try ofTurned.isBitwiseEqual(to: y.acted(by: g, of: example.group)), "element \(g)")
    }
    #expect(y.storage.contains { $0 != y.storage[0] })
  }
}
