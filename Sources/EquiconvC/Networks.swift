// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import EquiconvNetwork
import _EquiconvErrors
import _EquiconvMemory

// MARK: Opening and saving

/// The mode that options name; NULL is the initial ones.
private func mode(_ options: UnsafePointer<equiconv_network_options>?) throws(CallError) -> Network.Mode {
  if options == nil { return .fast }
  let options = try location(options, .options)
  try checkStructSize(options, .field(.options, .structSize), "EQUICONV_NETWORK_OPTIONS_INIT")
  switch options.pointee.mode {
  case EQUICONV_NETWORK_FAST: return .fast
  case EQUICONV_NETWORK_EXACT: return .exact
  default:
    throw CallError(
      EQUICONV_ERROR_INVALID_ENUM, .field(.options, .mode), Int32(bitPattern: options.pointee.mode.rawValue),
      expected: "EQUICONV_NETWORK_FAST or _EXACT")
  }
}

@_cdecl("equiconv_network_open") @implementation
public func equiconv_network_open(
  _ path: UnsafePointer<CChar>?, _ options: UnsafePointer<equiconv_network_options>?,
  _ network: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  NetworkHandle.create(network) { () throws(CallError) in
    let path = String(cString: try required(path, .path))
    let mode = try mode(options)
    return try NetworkHandle(networks(NetworkFile(path: path)), mode)
  }
}

@_cdecl("equiconv_network_open_memory") @implementation
public func equiconv_network_open_memory(
  _ bytes: UnsafeRawPointer?, _ length: Int, _ options: UnsafePointer<equiconv_network_options>?,
  _ network: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  NetworkHandle.create(network) { () throws(CallError) in
    // A length beyond the numbers of this type is negative here.
    let bytes = UnsafeRawBufferPointer(start: try required(bytes, .bytes), count: length < 0 ? .max : length)
    let mode = try mode(options)
    return try NetworkHandle(networks(NetworkFile(copying: bytes)), mode)
  }
}

@_cdecl("equiconv_network_create") @implementation
public func equiconv_network_create(
  _ document: UnsafePointer<CChar>?, _ length: Int, _ tensors: UnsafePointer<equiconv_tensor>?, _ count: Int64,
  _ options: UnsafePointer<equiconv_network_options>?, _ network: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  NetworkHandle.create(network) { () throws(CallError) in
    let text = UnsafeBufferPointer(
      start: UnsafeRawPointer(try required(document, .document)).assumingMemoryBound(to: UInt8.self),
      count: length < 0 ? .max : length)
    let tensors = try readTensors(tensors, count)
    let mode = try mode(options)
    return try NetworkHandle(networks(NetworkFile(document: text, tensors: tensors)), mode)
  }
}

@_cdecl("equiconv_network_save") @implementation
public func equiconv_network_save(_ network: OpaquePointer?, _ path: UnsafePointer<CChar>?) -> equiconv_status {
  withStatus { () throws(CallError) in
    let handle = try NetworkHandle.required(network)
    let path = String(cString: try required(path, .path))
    try networks(handle.file.write(to: path, geometry: handle.network.geometry))
  }
}

@_cdecl("equiconv_network_close") @implementation
public func equiconv_network_close(_ network: OpaquePointer?) {
  NetworkHandle.destroy(network)
}

// MARK: What is in it

@_cdecl("equiconv_network_describe") @implementation
public func equiconv_network_describe(
  _ network: OpaquePointer?, _ capacity: Int, _ text: UnsafeMutablePointer<CChar>?, _ length: UnsafeMutablePointer<Int>?
) -> equiconv_status {
  withText(capacity, text, length) { () throws(CallError) in
    let handle = try NetworkHandle.required(network)
    return try networks(handle.file.documentText(geometry: handle.network.geometry))
  }
}

@_cdecl("equiconv_network_get_dtype") @implementation
public func equiconv_network_get_dtype(
  _ network: OpaquePointer?, _ dtype: UnsafeMutablePointer<equiconv_dtype>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let handle = try NetworkHandle.required(network)
    let dtype = try location(dtype, .dtype)
    dtype.pointee = handle.scalar == .float32 ? EQUICONV_FLOAT32 : EQUICONV_FLOAT64
  }
}

@_cdecl("equiconv_network_output_count") @implementation
public func equiconv_network_output_count(_ network: OpaquePointer?) -> Int32 {
  NetworkHandle.property(network, of: 0) { Int32($0.outputs.count) }
}

@_cdecl("equiconv_network_output_name") @implementation
public func equiconv_network_output_name(_ network: OpaquePointer?, _ index: Int32) -> UnsafePointer<CChar>? {
  NetworkHandle.property(network, of: nil) { $0.outputs[Int64(index)] }
}

@_cdecl("equiconv_network_class_count") @implementation
public func equiconv_network_class_count(_ network: OpaquePointer?, _ index: Int32) -> Int64 {
  NetworkHandle.property(network, of: 0) {
    $0.classes.indices ~= Int(index) ? Int64($0.classes[Int(index)].count) : 0
  }
}

@_cdecl("equiconv_network_class_name") @implementation
public func equiconv_network_class_name(
  _ network: OpaquePointer?, _ index: Int32, _ channel: Int64
) -> UnsafePointer<CChar>? {
  NetworkHandle.property(network, of: nil) {
    $0.classes.indices ~= Int(index) ? $0.classes[Int(index)][channel] : nil
  }
}

// MARK: Shapes

@_cdecl("equiconv_network_get_input_shape") @implementation
public func equiconv_network_get_input_shape(
  _ network: OpaquePointer?, _ shape: UnsafeMutablePointer<equiconv_shape>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let handle = try NetworkHandle.required(network)
    let shape = try location(shape, .shape)
    let type = handle.network.graph.types[0]
    let sizes = type.shape(batch: 0, extents: type.extents.map { $0 ?? 0 })
    shape.pointee = equiconv_shape(rank: sizes.count) { sizes[$0] }
  }
}

@_cdecl("equiconv_network_get_output_shape") @implementation
public func equiconv_network_get_output_shape(
  _ network: OpaquePointer?, _ index: Int32, _ input: UnsafePointer<equiconv_shape>?,
  _ output: UnsafeMutablePointer<equiconv_shape>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let handle = try NetworkHandle.required(network)
    let result = try location(output, .output)
    let input = try shape(input, .input)
    let place = try handle.checkOutput(index)
    let sizes = try networks(handle.network.outputShape(place, input: input.values))
    result.pointee = equiconv_shape(rank: sizes.count) { sizes[$0] }
  }
}

// MARK: Tensors

@_cdecl("equiconv_network_tensor_count") @implementation
public func equiconv_network_tensor_count(_ network: OpaquePointer?) -> Int64 {
  NetworkHandle.property(network, of: 0) { Int64($0.tensors.count / 2) }
}

@_cdecl("equiconv_network_get_tensor") @implementation
public func equiconv_network_get_tensor(
  _ network: OpaquePointer?, _ index: Int64, _ tensor: UnsafeMutablePointer<equiconv_tensor>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let handle = try NetworkHandle.required(network)
    let result = try location(tensor, .tensor)
    let count = handle.file.tensorCount
    guard 0..<Int64(count) ~= index else {
      throw CallError(EQUICONV_ERROR_INDEX_OUT_OF_RANGE, .index, index, expected: "0...\(count - 1)")
    }
    result.pointee = equiconv_tensor(
      handle.file.tensor(at: Int(index)), name: handle.tensors[2 * index], type: handle.tensors[2 * index + 1])
  }
}
