// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvNetwork
import _EquiconvErrors

/// The tensors of a program, as views of its memory. The room of files checks that they fit their shapes.
func readTensors(_ tensors: UnsafePointer<equiconv_tensor>?, _ count: Int64) throws(CallError) -> [NetworkTensor] {
  if count < 0 { throw CallError(EQUICONV_ERROR_INVALID_SIZE, .count, count, expected: "a number of at least 0") }
  if count > NetworkFile.mostTensors {
    throw CallError(EQUICONV_ERROR_TOO_LARGE, .count, count, expected: "at most \(NetworkFile.mostTensors)")
  }
  if count == 0 { return [] }
  let tensors = try location(tensors, .tensors)
  var read: [NetworkTensor] = []
  for index in 0..<Int(count) { read.append(try readTensor(tensors[index], .tensors[index])) }
  return read
}

private func readTensor(_ tensor: equiconv_tensor, _ argument: Argument) throws(CallError) -> NetworkTensor {
  let name = try text(tensor.name, .field(argument, .name), most: NetworkFile.longestName)
  let written = try text(tensor.type, .field(argument, .type), most: NetworkFile.longestName)
  guard let type = TensorType(rawValue: written) else {
    throw CallError(
      EQUICONV_ERROR_INVALID_FILE, .field(argument, .type), "\"\(written)\"",
      expected: "a type of safetensors, as \"F32\"")
  }
  let rank = Int(tensor.rank)
  guard 0...Int(EQUICONV_MAX_TENSOR_RANK) ~= rank else {
    throw CallError(
      EQUICONV_ERROR_INVALID_SIZE, .field(argument, .rank), rank, expected: "0...\(EQUICONV_MAX_TENSOR_RANK)")
  }
  let shape = withUnsafeBytes(of: tensor.shape) { sizes in
    (0..<rank).map { Int(sizes.load(fromByteOffset: 8 * $0, as: Int64.self)) }
  }
  if tensor.data == nil && tensor.length != 0 {
    throw CallError(EQUICONV_ERROR_NULL_POINTER, .field(argument, .data), "NULL", expected: "a pointer")
  }
  return NetworkTensor(
    name: name, type: type, shape: shape,
    bytes: UnsafeRawBufferPointer(start: tensor.data, count: tensor.length < 0 ? .max : tensor.length))
}

/// A text of C of at most so many bytes.
private func text(_ pointer: UnsafePointer<CChar>?, _ argument: Argument, most: Int) throws(CallError) -> String {
  let pointer = try required(pointer, argument)
  var length = 0
  while length <= most && pointer[length] != 0 { length += 1 }
  if length > most {
    throw CallError(EQUICONV_ERROR_TOO_LARGE, argument, "of more than \(most) bytes", expected: "a shorter text")
  }
  guard let text = String(validatingCString: pointer) else {
    throw CallError(EQUICONV_ERROR_INVALID_FILE, argument, "no UTF-8", expected: "a text in UTF-8")
  }
  return text
}

extension equiconv_tensor {
  /// A view of the numbers of a file.
  init(_ tensor: NetworkTensor, name: UnsafePointer<CChar>?, type: UnsafePointer<CChar>?) {
    self.init()
    self.name = name
    self.type = type
    rank = Int32(tensor.shape.count)
    withUnsafeMutableBytes(of: &shape) { sizes in
      for axis in 0..<Int(EQUICONV_MAX_TENSOR_RANK) {
        let size = axis < tensor.shape.count ? Int64(tensor.shape[axis]) : 1
        sizes.storeBytes(of: size, toByteOffset: 8 * axis, as: Int64.self)
      }
    }
    data = tensor.bytes.baseAddress
    length = tensor.bytes.count
  }
}
