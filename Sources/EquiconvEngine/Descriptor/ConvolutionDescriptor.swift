// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups

/// The four equivariant layers between signals on the plane R^d and on the group G = R^d ⋊ H.
public enum Layer: Int32, Hashable, Sendable, CaseIterable {
  /// R^d → R^d: `y[o,x] = Σ k̄[o,c](x'−x) f[c,x']`.
  case isotropic = 0
  /// R^d → G: `y[o,h,x] = Σ k[o,c](h⁻¹(x'−x)) f[c,x']`.
  case lifting = 1
  /// G → G: `y[o,h,x] = Σ k[o,c](h⁻¹h', h⁻¹(x'−x)) f[c,h',x']`.
  case group = 2
  /// G → R^d: `y[o,x] = Σ k̄[o,c](h', x'−x) f[c,h',x']`.
  case projection = 3

  /// Whether the input is a signal on the group.
  public var readsGroup: Bool { self == .group || self == .projection }
  /// Whether the output is a signal on the group.
  public var writesGroup: Bool { self == .group || self == .lifting }
  /// Where the input lives.
  public var input: SignalSpace { readsGroup ? .group : .plane }
  /// Where the output lives.
  public var output: SignalSpace { writesGroup ? .group : .plane }
}

/// What lies around the signal.
public enum PaddingMode: Int32, Hashable, Sendable, CaseIterable {
  case zeros = 0
  /// The signal is periodic.
  case circular = 1
}

/// How a layer is computed.
///
/// Tiles (Winograd's and Fourier's) spread a NaN or an infinity over all outputs of the tiles that read it, overflow for numbers
/// within a factor of a thousand of the largest, and Winograd's lose digits where the mean of the numbers is many times
/// their deviation.
public enum Algorithm: Int32, Hashable, Sendable, CaseIterable {
  case auto = 0
  /// Equivariant to the last bit.
  case direct = 1
  case winograd = 2
  case fourier = 3
}

/// What is convolved with what: everything a plan depends on, and nothing else.
public struct ConvolutionDescriptor: Hashable, Sendable {
  /// Value of `padding[axis]`: dilation (kernel − 1) / 2, which keeps the size at stride 1. Needs an odd kernel.
  public static let same = -1

  public var group: PointGroup
  /// Where the input lives, X, and the output, Y.
  public var input: SignalSpace
  public var output: SignalSpace
  /// C ≥ 1.
  public var inChannels: Int
  /// O ≥ 1.
  public var outChannels: Int
  /// Sizes of the input in the order of the array axes.
  public var spatial: Extents
  /// Taps of the kernel of the identity.
  public var kernel: Extents
  public var stride: Extents
  /// Both sides of each axis, or `ConvolutionDescriptor.same`.
  public var padding: Extents
  public var dilation: Extents
  public var paddingMode: PaddingMode
  public var algorithm: Algorithm
  /// How the pixels of a kernel are interpolated where an element does not map the grid to itself.
  public var interpolation: Interpolation
  /// The functions that kernels are made of; nil for pixels of the extents `kernel`.
  public var basis: KernelBasis?
  /// The functions on the relative elements h⁻¹h' that kernels are made of. Signals on the group only.
  public var groupBasis: GroupBasis
  /// Whether sums over H are integrals: each element of the input is weighted by `PointGroup.quadratureWeights`.
  public var usesQuadrature: Bool
  /// Whether each output channel reads the input channel of its number alone. Then O = C, and weights have 1 for C.
  public var isDepthwise = false

  /// A descriptor with stride 1, no padding, dilation 1 where these are not given. Nothing is checked before
  /// a plan is made of it.
  public init(
    from input: SignalSpace, to output: SignalSpace, group: PointGroup, inChannels: Int, outChannels: Int,
    spatial: Extents, kernel: Extents, stride: Extents? = nil, padding: Extents? = nil, dilation: Extents? = nil,
    paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto,
    interpolation: Interpolation = .bilinear, basis: KernelBasis? = nil, groupBasis: GroupBasis = .full,
    usesQuadrature: Bool = false
  ) {
    self.group = group
    self.input = input
    self.output = output
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.spatial = spatial
    self.kernel = kernel
    self.stride = stride ?? Extents(repeating: 1, count: spatial.count)
    self.padding = padding ?? Extents(repeating: 0, count: spatial.count)
    self.dilation = dilation ?? Extents(repeating: 1, count: spatial.count)
    self.paddingMode = paddingMode
    self.algorithm = algorithm
    self.interpolation = interpolation
    self.basis = basis
    self.groupBasis = groupBasis
    self.usesQuadrature = usesQuadrature
  }

  /// One of the four named layers.
  public init(
    layer: Layer, group: PointGroup, inChannels: Int, outChannels: Int, spatial: Extents, kernel: Extents,
    stride: Extents? = nil, padding: Extents? = nil, dilation: Extents? = nil,
    paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto,
    interpolation: Interpolation = .bilinear, basis: KernelBasis? = nil, groupBasis: GroupBasis = .full,
    usesQuadrature: Bool = false
  ) {
    self.init(
      from: layer.input, to: layer.output, group: group, inChannels: inChannels, outChannels: outChannels,
      spatial: spatial, kernel: kernel, stride: stride, padding: padding, dilation: dilation,
      paddingMode: paddingMode, algorithm: algorithm, interpolation: interpolation, basis: basis,
      groupBasis: groupBasis, usesQuadrature: usesQuadrature)
  }
}
