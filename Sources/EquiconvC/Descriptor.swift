// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors

extension ConvolutionDescriptor {
  /// The engine's descriptor of a C descriptor, with the scalar type, which the engine takes from its arrays.
  ///
  /// Checks what the engine cannot see: the struct itself, its numbers for enumerations and its dimension.
  static func make(
    _ pointer: UnsafePointer<equiconv_descriptor>?, layer: LayerChoice
  ) throws(CallError) -> (ConvolutionDescriptor, ScalarType) {
    let pointer = try location(pointer, .descriptor)
    try checkStructSize(pointer, .field(.descriptor, .structSize), "EQUICONV_DESCRIPTOR_INIT")
    return (try make(pointer.pointee, layer: layer), try ScalarType(pointer.pointee.dtype))
  }

  private static func make(_ d: equiconv_descriptor, layer: LayerChoice) throws(CallError) -> ConvolutionDescriptor {
    let layer = try Layer.make(d, layer)
    let axes = layer.group.dimension
    return ConvolutionDescriptor(
      layer: layer, inChannels: Int(d.in_channels), outChannels: Int(d.out_channels),
      spatial: Extents(d.spatial, count: axes), kernel: Extents(d.kernel, count: axes))
  }
}

extension Layer {
  /// All of a descriptor but its sizes, which are not read.
  static func make(_ d: equiconv_descriptor, _ choice: LayerChoice) throws(CallError) -> Layer {
    let group = try GroupHandle.required(d.group).group
    guard Int(d.dimension) == group.dimension else {
      throw CallError(
        EQUICONV_ERROR_DIMENSION_MISMATCH, .dimension, d.dimension,
        expected: "\(group.dimension), the number of axes that the group \(group.name) acts on")
    }
    let (input, output) = try spaces(d, layer: choice, group)
    return Layer(
      from: input, to: output, group: group, stride: Extents(d.stride, count: group.dimension),
      padding: Extents(d.padding, count: group.dimension), dilation: Extents(d.dilation, count: group.dimension),
      paddingMode: try enumeration(d.padding_mode, .paddingMode, expected: "an equiconv_padding_mode, 0...3"),
      algorithm: try enumeration(d.algorithm, .algorithm, expected: "an equiconv_algorithm, 0...5"),
      interpolation: try .numbered(d.interpolation), basis: BasisHandle.borrowed(d.basis)?.basis,
      groupBasis: GroupBasisHandle.borrowed(d.group_basis)?.basis ?? .full,
      usesQuadrature: try flag(d.quadrature, .quadrature), channelGroups: Int(d.channel_groups))
  }

  /// Where the input and the output live.
  private static func spaces(
    _ d: equiconv_descriptor, layer: LayerChoice, _ group: PointGroup
  ) throws(CallError) -> (SignalSpace, SignalSpace) {
    switch layer {
    case .named(let kind): return (kind.input, kind.output)
    case .described where d.layer != EQUICONV_LAYER_GENERAL:
      let kind: LayerKind = try enumeration(d.layer, .layer, expected: "an equiconv_layer_kind, 0...4")
      return (kind.input, kind.output)
    case .general, .described:
      return (
        try SubgroupHandle.space(of: d.input_stabilizer, in: group, .inputSpace),
        try SubgroupHandle.space(of: d.output_stabilizer, in: group, .outputSpace)
      )
    }
  }

  private static func flag(_ value: Int32, _ argument: Argument) throws(CallError) -> Bool {
    guard 0...1 ~= value else { throw CallError(EQUICONV_ERROR_INVALID_ENUM, argument, value, expected: "0 or 1") }
    return value == 1
  }
}

extension Interpolation {
  /// The interpolation of an `equiconv_interpolation`.
  static func numbered(_ value: equiconv_interpolation) throws(CallError) -> Interpolation {
    switch value {
    case EQUICONV_INTERPOLATION_BILINEAR: return .bilinear
    case EQUICONV_INTERPOLATION_BICUBIC: return .bicubic
    case EQUICONV_INTERPOLATION_BSPLINE3: return .bSpline3
    default:
      throw CallError(
        EQUICONV_ERROR_INVALID_ENUM, .interpolation, Int32(bitPattern: value.rawValue),
        expected: "an equiconv_interpolation, 0...2")
    }
  }
}

extension Extents {
  /// The first `count` of three C numbers; `count` is 1, 2 or 3.
  init(_ values: (Int64, Int64, Int64), count: Int) {
    self.init(repeating: Int(values.0), count: count)
    if count > 1 { self[1] = Int(values.1) }
    if count > 2 { self[2] = Int(values.2) }
  }
}
