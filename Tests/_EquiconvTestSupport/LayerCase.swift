// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups

/// Sizes of one convolution, before the layer and the group are chosen.
public struct LayerCase: Sendable, CustomStringConvertible {
  public var spatial: [Int]
  public var kernel: [Int]
  public var stride: [Int]
  public var padding: [Int]
  public var dilation: [Int]
  public var mode: PaddingMode
  public var batch: Int
  public var inChannels: Int
  public var outChannels: Int

  /// `kernel`, `stride`, `padding` and `dilation` may be given once for all axes.
  public init(
    _ spatial: [Int], kernel: [Int], stride: [Int] = [1], padding: [Int] = [0], dilation: [Int] = [1],
    mode: PaddingMode = .zeros, batch: Int = 1, channels: (Int, Int) = (1, 1)
  ) {
    func each(_ values: [Int]) -> [Int] { values.count == 1 ? spatial.map { _ in values[0] } : values }
    self.spatial = spatial
    self.kernel = each(kernel)
    self.stride = each(stride)
    self.padding = each(padding)
    self.dilation = each(dilation)
    self.mode = mode
    self.batch = batch
    (inChannels, outChannels) = channels
  }

  /// By the direct algorithm, of which the tests claim bits.
  public func descriptor(_ layer: LayerKind, _ group: PointGroup) -> ConvolutionDescriptor {
    ConvolutionDescriptor(
      kind: layer, group: group, inChannels: inChannels, outChannels: outChannels, spatial: Extents(spatial),
      kernel: Extents(kernel), stride: Extents(stride), padding: Extents(padding), dilation: Extents(dilation),
      paddingMode: mode, algorithm: .direct)
  }

  public var description: String {
    "\(spatial) kernel \(kernel) stride \(stride) padding \(padding) dilation \(dilation) \(mode) batch \(batch)"
      + " channels \(inChannels) to \(outChannels)"
  }

  /// Whether an element of the group turns one axis into another that is treated differently.
  public func isTornApart(by group: PointGroup) -> Bool {
    (0..<group.order).contains { h in
      let matrix = group.matrix(h)
      let d = group.dimension
      return (0..<d * d).contains { entry in
        let (a, b) = (d - 1 - entry / d, d - 1 - entry % d)
        return matrix[entry] != 0
          && [kernel, stride, padding, dilation].contains { $0[a] != $0[b] }
      }
    }
  }
}

extension LayerCase {
  /// Cases that a group can be tried on: those of its dimension that treat alike the axes it exchanges.
  public static func all(for group: PointGroup) -> [LayerCase] {
    (explicit(group.dimension) + random(group.dimension, count: group.order > 8 ? 8 : 30))
      .filter { !$0.isTornApart(by: group) }
  }

  private static func explicit(_ dimension: Int) -> [LayerCase] {
    switch dimension {
    case 1: line
    case 2: plane + anisotropicPlane
    default: space
    }
  }

  private static let same = Layer.same

  private static let line: [LayerCase] = [
    LayerCase([1], kernel: [1]),
    LayerCase([5], kernel: [3], padding: [same], batch: 3, channels: (3, 5)),
    LayerCase([16], kernel: [4], channels: (5, 3)),
    LayerCase([17], kernel: [2], padding: [1], mode: .circular, channels: (9, 17)),
    LayerCase([40], kernel: [7], padding: [same], mode: .circular, channels: (1, 9)),
    LayerCase([100], kernel: [5], stride: [3], padding: [1], dilation: [2], batch: 2),
    LayerCase([900], kernel: [3], padding: [1], channels: (1, 3)),
    LayerCase([64], kernel: [4], stride: [2], padding: [1], channels: (3, 3)),
    LayerCase([3], kernel: [5], padding: [7], mode: .circular),
    LayerCase([6], kernel: [3], batch: 0),
    LayerCase([7], kernel: [5], padding: [same], mode: .reflect, batch: 2, channels: (3, 2)),
    LayerCase([3], kernel: [4], stride: [2], padding: [7], mode: .reflect),
    LayerCase([1], kernel: [3], padding: [2], mode: .reflect),
    LayerCase([9], kernel: [3], padding: [3], dilation: [2], mode: .replicate, batch: 2, channels: (2, 3)),
    LayerCase([8], kernel: [3], stride: [2]),
    LayerCase([40], kernel: [3], padding: [1], channels: (200, 2)),
  ]

  private static let plane: [LayerCase] = [
    LayerCase([5, 5], kernel: [1]),
    LayerCase([1, 1], kernel: [3], padding: [1]),
    LayerCase([2, 1], kernel: [3], padding: [same], mode: .circular, channels: (3, 1)),
    LayerCase([6, 9], kernel: [3], padding: [1], batch: 3, channels: (3, 5)),
    LayerCase([8, 5], kernel: [2], channels: (5, 3)),
    LayerCase([9, 11], kernel: [5], padding: [same], channels: (3, 1)),
    LayerCase([7, 9], kernel: [3], stride: [2], padding: [1], channels: (1, 3)),
    LayerCase([10, 7], kernel: [4], stride: [3], batch: 3),
    LayerCase([7, 7], kernel: [1], stride: [3], channels: (5, 5)),
    LayerCase([11, 13], kernel: [3], padding: [2], dilation: [2]),
    LayerCase([9, 7], kernel: [3], stride: [2], padding: [2], dilation: [2], channels: (3, 3)),
    LayerCase([6, 8], kernel: [3], padding: [same], mode: .circular, batch: 3, channels: (1, 5)),
    LayerCase([5, 7], kernel: [3], stride: [2], padding: [2], mode: .circular),
    LayerCase([6, 8], kernel: [3], padding: [same], mode: .reflect, batch: 3, channels: (1, 5)),
    LayerCase([5, 7], kernel: [3], stride: [2], padding: [2], mode: .reflect),
    LayerCase([2, 3], kernel: [3], padding: [5], mode: .reflect),
    LayerCase([1, 4], kernel: [2], padding: [1], mode: .reflect, batch: 0),
    LayerCase([7, 6], kernel: [5], padding: [same], mode: .replicate, batch: 2, channels: (3, 2)),
    LayerCase([2, 1], kernel: [3], stride: [2], padding: [4], mode: .replicate, channels: (2, 1)),
    LayerCase([3, 3], kernel: [5], padding: [same], channels: (1, 3)),
    LayerCase([3, 4], kernel: [3], padding: [same], dilation: [2], mode: .circular, channels: (3, 1)),
    LayerCase([2, 3], kernel: [3], padding: [5], mode: .circular),
    LayerCase([6, 6], kernel: [3], padding: [1], batch: 0, channels: (3, 3)),
    LayerCase([20, 33], kernel: [2], padding: [1], channels: (3, 9)),
    LayerCase([17, 4], kernel: [3], padding: [1], channels: (9, 17)),
    LayerCase([4, 6], kernel: [3], padding: [1], channels: (17, 9)),
    LayerCase([40, 40], kernel: [3], padding: [1]),
    LayerCase([5, 18], kernel: [3], padding: [1], channels: (100, 2)),
    LayerCase([64, 16], kernel: [2], stride: [2]),
    LayerCase([8, 8], kernel: [3], stride: [2]),
    LayerCase([8, 9], kernel: [2], stride: [3], padding: [1], mode: .circular, batch: 3),
  ]

  private static let anisotropicPlane: [LayerCase] = [
    // A stride along an axis of one pixel, beside rows that follow one another.
    LayerCase([8, 1], kernel: [1], stride: [1, 2], batch: 2, channels: (1, 3)),
    LayerCase([6, 7], kernel: [1, 3], padding: [0, 1], channels: (3, 5)),
    LayerCase([7, 18], kernel: [3, 5], padding: [same, same], batch: 3),
    LayerCase([9, 8], kernel: [2, 3], stride: [1, 2], padding: [1, 0], dilation: [2, 1], channels: (5, 3)),
    LayerCase([5, 20], kernel: [4, 2], stride: [3, 2], padding: [2, 1], mode: .circular),
    LayerCase([5, 20], kernel: [4, 2], stride: [3, 2], padding: [0, 1], mode: .replicate),
  ]

  private static let space: [LayerCase] = [
    LayerCase([2, 2, 2], kernel: [1], batch: 3, channels: (3, 1)),
    LayerCase([3, 4, 5], kernel: [3], padding: [1]),
    LayerCase([4, 3, 18], kernel: [2], channels: (1, 3)),
    LayerCase([5, 5, 7], kernel: [3], stride: [2], padding: [1]),
    LayerCase([3, 2, 3], kernel: [3], padding: [same], mode: .circular, channels: (3, 1)),
    LayerCase([3, 2, 3], kernel: [3], padding: [2], mode: .reflect, channels: (2, 1)),
    LayerCase([2, 3, 2], kernel: [3], padding: [same], mode: .replicate, batch: 2),
    LayerCase([5, 7, 5], kernel: [2], stride: [3], padding: [1], dilation: [2]),
    LayerCase([1, 1, 1], kernel: [3], padding: [1]),
    LayerCase([2, 2, 3], kernel: [3], padding: [1], channels: (33, 1)),
    LayerCase([3, 3, 3], kernel: [3], padding: [1], batch: 0),
    LayerCase([4, 4, 4], kernel: [3], stride: [2], channels: (1, 1)),
    LayerCase([4, 5, 6], kernel: [1, 2, 3], stride: [1, 2, 1], padding: [0, 1, 1], dilation: [1, 1, 2], batch: 2),
  ]

  /// Small cases from a fixed seed, each with a kernel that reaches no further than its padded input.
  private static func random(_ dimension: Int, count: Int) -> [LayerCase] {
    var random = SplitMix64(seed: 31 + UInt64(dimension))
    func axes(_ range: ClosedRange<Int>) -> [Int] { (0..<dimension).map { _ in .random(in: range, using: &random) } }
    var cases: [LayerCase] = []
    while cases.count < count {
      let candidate = LayerCase(
        axes(1...[30, 12, 5][dimension - 1]), kernel: [.random(in: 1...(dimension == 3 ? 3 : 4), using: &random)],
        stride: [.random(in: 1...3, using: &random)], padding: [.random(in: 0...3, using: &random)],
        dilation: [.random(in: 1...2, using: &random)], mode: PaddingMode.allCases.randomElement(using: &random)!,
        batch: .random(in: 1...2, using: &random),
        channels: (.random(in: 1...3, using: &random), .random(in: 1...3, using: &random)))
      let fits = candidate.spatial.allSatisfy {
        $0 + 2 * candidate.padding[0] > candidate.dilation[0] * (candidate.kernel[0] - 1)
      }
      if fits { cases.append(candidate) }
    }
    return cases
  }
}
