// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import EquiconvGroups

extension ConvolutionDescriptor {
  /// The engine's descriptor of a C descriptor, with the scalar type, which the engine takes from its arrays.
  ///
  /// Checks what the engine cannot see: the struct itself, its numbers for enumerations and its dimension.
  ///
  /// - Parameter layer: The layer that the called function names, or nil to read it from the descriptor.
  static func make(
    _ pointer: UnsafePointer<equiconv_descriptor>?, layer: Layer?
  ) throws -> (ConvolutionDescriptor, ScalarType) {
    let pointer = try location(pointer, "descriptor")
    // Only the first field may be read before the size is known.
    let size = UnsafeRawPointer(pointer).load(as: Int.self)
    guard size == MemoryLayout<equiconv_descriptor>.size else {
      throw ArgumentError(
        EQUICONV_ERROR_STRUCT_SIZE, "descriptor.struct_size", UInt(bitPattern: size),
        expected: "\(MemoryLayout<equiconv_descriptor>.size), as EQUICONV_DESCRIPTOR_INIT sets it")
    }
    return (try make(pointer.pointee, layer: layer), try ScalarType(pointer.pointee.dtype))
  }

  private static func make(_ d: equiconv_descriptor, layer: Layer?) throws -> ConvolutionDescriptor {
    let group = try GroupHandle.required(d.group).group
    guard d.reserved == 0 else {
      throw ArgumentError(EQUICONV_ERROR_INVALID_ENUM, "reserved", d.reserved, expected: "0")
    }
    guard Int(d.dimension) == group.dimension else {
      throw ArgumentError(
        EQUICONV_ERROR_DIMENSION_MISMATCH, "dimension", d.dimension,
        expected: "\(group.dimension), the number of axes that the group \(group.name) acts on")
    }
    return ConvolutionDescriptor(
      layer: try layer ?? enumeration(d.layer, "layer", expected: "an equiconv_layer, 0...3"),
      group: group, inChannels: Int(d.in_channels), outChannels: Int(d.out_channels),
      spatial: Extents(d.spatial, count: group.dimension), kernel: Extents(d.kernel, count: group.dimension),
      stride: Extents(d.stride, count: group.dimension), padding: Extents(d.padding, count: group.dimension),
      dilation: Extents(d.dilation, count: group.dimension),
      paddingMode: try enumeration(d.padding_mode, "padding_mode", expected: "an equiconv_padding_mode, 0 or 1"),
      algorithm: try enumeration(d.algorithm, "algorithm", expected: "an equiconv_algorithm, 0...3"))
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
