// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups

/// An equivariant layer without its sizes and data: what is convolved how, for signals and weights of any size.
///
/// It determines which signals and weights fit and the shape of the output; see `weightShape` and `outputShape`.
public struct Layer: Hashable, Sendable {
  /// Value of `padding[axis]`: dilation (kernel − 1) / 2, which keeps the size at stride 1. Needs an odd kernel.
  public static let same = -1

  public var group: PointGroup
  /// Where the input lives, X, and the output, Y.
  public var input: SignalSpace
  public var output: SignalSpace
  public var stride: Extents
  /// Both sides of each axis, or `Layer.same`.
  public var padding: Extents
  public var dilation: Extents
  public var paddingMode: PaddingMode
  public var algorithm: Algorithm
  /// How the pixels of a kernel are interpolated where an element does not map the grid to itself.
  public var interpolation: Interpolation
  /// The functions that kernels are made of; nil for pixels.
  public var basis: KernelBasis?
  /// The functions on the relative elements h⁻¹h' that kernels are made of. Signals on the group only.
  public var groupBasis: GroupBasis
  /// Whether sums over H are integrals: each element of the input is weighted by `PointGroup.quadratureWeights`.
  public var usesQuadrature: Bool
  /// Parts that the channels of input and output are cut into: output channels of part i read input channels of part i alone,
  /// and weights have C / channelGroups for C. As many as input channels for a depthwise layer.
  public var channelGroups: Int

  /// The layer between signals on two spaces, with stride 1, no padding and dilation 1 where these are not given.
  /// Nothing is checked before it is asked for a shape or a plan.
  public init(
    from input: SignalSpace, to output: SignalSpace, group: PointGroup, stride: Extents? = nil,
    padding: Extents? = nil, dilation: Extents? = nil, paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto,
    interpolation: Interpolation = .bilinear, basis: KernelBasis? = nil, groupBasis: GroupBasis = .full,
    usesQuadrature: Bool = false, channelGroups: Int = 1
  ) {
    self.group = group
    self.input = input
    self.output = output
    self.stride = stride ?? Extents(repeating: 1, count: group.dimension)
    self.padding = padding ?? Extents(repeating: 0, count: group.dimension)
    self.dilation = dilation ?? Extents(repeating: 1, count: group.dimension)
    self.paddingMode = paddingMode
    self.algorithm = algorithm
    self.interpolation = interpolation
    self.basis = basis
    self.groupBasis = groupBasis
    self.usesQuadrature = usesQuadrature
    self.channelGroups = channelGroups
  }
}
