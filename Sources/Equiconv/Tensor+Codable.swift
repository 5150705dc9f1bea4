// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

// Numbers are coded by their bits, because a format may have no infinity and no NaN, like JSON, or print fewer digits.
// So every number comes back unchanged in every format, including the payload of a NaN and the sign of a zero.

extension Tensor: Codable {
  private enum CodingKeys: String, CodingKey {
    case scalar, shape, bits
  }

  /// Encodes the type of the numbers, the shape, and the bits of the numbers in row-major order.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.scalarName, forKey: .scalar)
    try container.encode(shape, forKey: .shape)
    if MemoryLayout<Scalar>.size == 4 {
      try container.encode(storage.map { unsafeBitCast($0, to: UInt32.self) }, forKey: .bits)
    } else {
      try container.encode(storage.map { unsafeBitCast($0, to: UInt64.self) }, forKey: .bits)
    }
  }

  /// - Throws: `DecodingError`, also where the numbers are of another type, or their count does not fit the shape.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let name = try container.decode(String.self, forKey: .scalar)
    guard name == Self.scalarName else {
      throw DecodingError.dataCorruptedError(
        forKey: .scalar, in: container, debugDescription: "scalar is \(name), expected \(Self.scalarName)")
    }
    let shape = try container.decode([Int].self, forKey: .shape)
    let storage: [Scalar]
    if MemoryLayout<Scalar>.size == 4 {
      storage = try container.decode([UInt32].self, forKey: .bits).map { unsafeBitCast($0, to: Scalar.self) }
    } else {
      storage = try container.decode([UInt64].self, forKey: .bits).map { unsafeBitCast($0, to: Scalar.self) }
    }
    self = try decoded(at: decoder.codingPath) { () throws(ConvolutionError) in
      try Tensor(shape: shape, storage: storage)
    }
  }

  private static var scalarName: String { MemoryLayout<Scalar>.size == 4 ? "float32" : "float64" }
}

/// The result of `make`, with its error as an error of decoding.
func decoded<Value>(
  at path: [any CodingKey], _ make: () throws(ConvolutionError) -> Value
) throws -> Value {
  do throws(ConvolutionError) {
    return try make()
  } catch {
    throw DecodingError.dataCorrupted(
      DecodingError.Context(codingPath: path, debugDescription: error.description, underlyingError: error))
  }
}
