// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing
import _EquiconvTestSupport

extension Tensor {
  /// Numbers in −1..<1 that depend on the seed alone.
  static func random(_ shape: [Int], seed: UInt64) throws -> Tensor {
    var generator = SplitMix64(seed: seed)
    let count = shape.reduce(1, *)
    return try Tensor(
      shape: shape,
      storage: (0..<count).map { _ in Scalar(Int64(generator.next() >> 40) - (1 << 23)) / Scalar(1 << 23) })
  }

  /// Whole numbers from −8 to 8: sums of products of a few thousand of them are exact in any order.
  static func randomIntegers(_ shape: [Int], seed: UInt64) throws -> Tensor {
    var generator = SplitMix64(seed: seed)
    let count = shape.reduce(1, *)
    return try Tensor(shape: shape, storage: (0..<count).map { _ in Scalar(Int.random(in: -8...8, using: &generator)) })
  }

  /// Equal to the last bit, which tells 0 from −0 as `==` does not.
  func isBitwiseEqual(to other: Tensor) -> Bool {
    shape == other.shape
      && storage.withUnsafeBytes { a in other.storage.withUnsafeBytes { b in a.elementsEqual(b) } }
  }
}

extension Signal {
  static func random(_ space: SignalSpace, _ shape: [Int], seed: UInt64) throws -> Signal {
    try Signal(space, .random(shape, seed: seed))
  }

  /// Equal up to the rounding of any algorithm. Other tests change the number of threads meanwhile, and with it perhaps the
  /// tiles of large calls: bits are promised of the direct algorithm alone.
  func isClose(to other: Signal) -> Bool {
    let size = other.storage.map { abs($0) }.max() ?? 0
    return shape == other.shape && zip(storage, other.storage).allSatisfy { abs($0 - $1) <= size / 10000 }
  }

  func isBitwiseEqual(to other: Signal) -> Bool { space == other.space && tensor.isBitwiseEqual(to: other.tensor) }
}

/// ⟨a, b⟩.
func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

/// A layer and a signal it takes, both random. Sizes fit the stride, so that the layer commutes with H.
struct LayerExample: Sendable, CustomTestStringConvertible {
  let layer: LayerKind
  let group: PointGroup
  let spatial: [Int]
  let kernel: [Int]
  var stride = 1
  var padding = Padding.same
  var dilation = 1
  var paddingMode = PaddingMode.zeros

  var testDescription: String {
    "\(layer) of \(group), \(spatial), kernel \(kernel), stride \(stride), padding \(padding) \(paddingMode), "
      + "dilation \(dilation)"
  }

  func signal<S: EngineScalar>(_: S.Type, batch: Int = 2, channels: Int = 3) throws -> Signal<S> {
    let space: SignalSpace = layer.readsGroup ? .group : .plane
    return try .random(space, [batch, channels] + fiber + spatial, seed: 1)
  }

  func convolution<S: EngineScalar>(
    _: S.Type, channels: Int = 3, outputs: Int = 5, algorithm: Algorithm = .direct
  ) throws -> Convolution<S> {
    try Convolution(
      layer, group: group, weight: .random([outputs, channels] + fiber + kernel, seed: 2),
      bias: Tensor.random([outputs], seed: 3).storage, stride: .all(stride), padding: padding, dilation: .all(dilation),
      paddingMode: paddingMode, algorithm: algorithm)
  }

  private var fiber: [Int] { layer.readsGroup ? [group.order] : [] }

  /// Each layer of each kind of lattice group, then the ways to sample.
  static let all: [LayerExample] = LayerKind.allCases.flatMap { layer -> [LayerExample] in
    guard let c4 = try? PointGroup.cyclic(4), let d4 = try? PointGroup.dihedral(4) else { return [] }
    return [
      LayerExample(layer: layer, group: .reflection, spatial: [17], kernel: [5]),
      LayerExample(layer: layer, group: c4, spatial: [9, 9], kernel: [3, 3]),
      LayerExample(layer: layer, group: c4, spatial: [8, 12], kernel: [4, 4], padding: 1),
      LayerExample(layer: layer, group: d4, spatial: [7, 10], kernel: [5, 5]),
      LayerExample(layer: layer, group: d4, spatial: [9, 9], kernel: [3, 3], stride: 2),
      LayerExample(layer: layer, group: d4, spatial: [8, 8], kernel: [3, 3], dilation: 2, paddingMode: .circular),
      LayerExample(layer: layer, group: .octahedral, spatial: [5, 4, 3], kernel: [3, 3, 3]),
    ]
  }
}
