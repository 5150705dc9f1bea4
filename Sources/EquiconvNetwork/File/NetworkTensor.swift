// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// A tensor of a file: a view of its numbers, valid as long as the file is.
public struct NetworkTensor: @unchecked Sendable {
  public let name: String
  public let type: TensorType
  public let shape: [Int]
  /// Little-endian numbers in C order. Those of a tensor that the document names are aligned for their type.
  public let bytes: UnsafeRawBufferPointer

  /// A view of numbers of the caller; whoever takes it checks it.
  public init(name: String, type: TensorType, shape: [Int], bytes: UnsafeRawBufferPointer) {
    self.name = name
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }

  /// Whether the numbers may be read where they are.
  var isAligned: Bool {
    guard let base = bytes.baseAddress else { return true }
    return UInt(bitPattern: base) % UInt(type.alignment) == 0
  }
}

extension NetworkTensor {
  /// The bytes of a tensor of this type and shape.
  ///
  /// - Throws: `limit` for too many axes or numbers, `format` for a negative extent, and for numbers of less than 8 bits
  ///   that fill no whole bytes. The errors name `place`.
  static func byteCount(_ type: TensorType, _ shape: [Int], place: @autoclosure () -> String) throws(NetworkError)
    -> Int
  {
    if shape.count > Limits.axes {
      throw .invalid(
        .limit, place: "\(place()).shape", value: "of \(shape.count) axes", expected: "at most \(Limits.axes)")
    }
    var count = 1
    for (axis, extent) in shape.enumerated() {
      if extent < 0 {
        throw .invalid(.format, place: "\(place()).shape[\(axis)]", value: "\(extent)", expected: "no negative number")
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow || extent > Limits.size || product > Limits.size {
        throw .invalid(
          .limit, place: "\(place()).shape", value: listText(shape), expected: "at most 2^48 numbers")
      }
      count = product
    }
    // At most 2⁴⁸ · 64.
    let bits = count * type.bits
    if bits % 8 != 0 {
      throw .invalid(
        .format, place: "\(place()).shape", value: listText(shape),
        expected: "numbers of \(type.bits) bits that fill whole bytes")
    }
    return bits / 8
  }
}
