// SPDX-License-Identifier: Apache-2.0

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
}

/// What lies around the signal.
public enum PaddingMode: Int32, Hashable, Sendable, CaseIterable {
  case zeros = 0
  /// The signal is periodic.
  case circular = 1
}

/// How a layer is computed.
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

  public var layer: Layer
  public var group: PointGroup
  /// C ≥ 1.
  public var inChannels: Int
  /// O ≥ 1.
  public var outChannels: Int
  /// Sizes of the input in the order of the array axes.
  public var spatial: Extents
  public var kernel: Extents
  public var stride: Extents
  /// Both sides of each axis, or `ConvolutionDescriptor.same`.
  public var padding: Extents
  public var dilation: Extents
  public var paddingMode: PaddingMode
  public var algorithm: Algorithm

  /// A descriptor with stride 1, no padding, dilation 1 where these are not given. Nothing is checked before
  /// a plan is made of it.
  public init(
    layer: Layer, group: PointGroup, inChannels: Int, outChannels: Int, spatial: Extents, kernel: Extents,
    stride: Extents? = nil, padding: Extents? = nil, dilation: Extents? = nil,
    paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto
  ) {
    self.layer = layer
    self.group = group
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.spatial = spatial
    self.kernel = kernel
    self.stride = stride ?? Extents(repeating: 1, count: spatial.count)
    self.padding = padding ?? Extents(repeating: 0, count: spatial.count)
    self.dilation = dilation ?? Extents(repeating: 1, count: spatial.count)
    self.paddingMode = paddingMode
    self.algorithm = algorithm
  }
}
