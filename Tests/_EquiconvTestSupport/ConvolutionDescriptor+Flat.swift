// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups

/// A layer and its sizes in one list of arguments.
extension ConvolutionDescriptor {
  public init(
    from input: SignalSpace, to output: SignalSpace, group: PointGroup, inChannels: Int, outChannels: Int,
    spatial: Extents, kernel: Extents, stride: Extents? = nil, padding: Extents? = nil, dilation: Extents? = nil,
    paddingMode: PaddingMode = .zeros, algorithm: Algorithm = .auto, interpolation: Interpolation = .bilinear,
    basis: KernelBasis? = nil, groupBasis: GroupBasis = .full, usesQuadrature: Bool = false
  ) {
    self.init(
      layer: Layer(
        from: input, to: output, group: group, stride: stride, padding: padding, dilation: dilation,
        paddingMode: paddingMode, algorithm: algorithm, interpolation: interpolation, basis: basis,
        groupBasis: groupBasis, usesQuadrature: usesQuadrature),
      inChannels: inChannels, outChannels: outChannels, spatial: spatial, kernel: kernel)
  }

  /// One of the four named layers.
  public init(
    kind: LayerKind, group: PointGroup, inChannels: Int, outChannels: Int, spatial: Extents, kernel: Extents,
    stride: Extents? = nil, padding: Extents? = nil, dilation: Extents? = nil, paddingMode: PaddingMode = .zeros,
    algorithm: Algorithm = .auto, interpolation: Interpolation = .bilinear, basis: KernelBasis? = nil,
    groupBasis: GroupBasis = .full, usesQuadrature: Bool = false
  ) {
    self.init(
      from: kind.input, to: kind.output, group: group, inChannels: inChannels, outChannels: outChannels,
      spatial: spatial, kernel: kernel, stride: stride, padding: padding, dilation: dilation, paddingMode: paddingMode,
      algorithm: algorithm, interpolation: interpolation, basis: basis, groupBasis: groupBasis,
      usesQuadrature: usesQuadrature)
  }
}
