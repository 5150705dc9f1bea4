// SPDX-License-Identifier: Apache-2.0

/// The bytes, in UTF-8, of a JSON text without its quotes, with escapes resolved. `JSONParser` has checked the escapes.
struct DecodedText: Sequence, IteratorProtocol {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var place = 0
  /// The rest of a character that an escape stands for, the next byte lowest.
  private var pending: UInt32 = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  mutating func next() -> UInt8? {
    if pending != 0 {
      defer { pending >>= 8 }
      return UInt8(truncatingIfNeeded: pending)
    }
    guard place < bytes.count else { return nil }
    let byte = bytes[place]
    place += 1
    return byte == UInt8(ascii: "\\") ? nextEscaped() : byte
  }

  private mutating func nextEscaped() -> UInt8? {
    guard place < bytes.count else { return nil }
    let sign = bytes[place]
    place += 1
    switch sign {
    case UInt8(ascii: "b"): return 8
    case UInt8(ascii: "t"): return 9
    case UInt8(ascii: "n"): return 10
    case UInt8(ascii: "f"): return 12
    case UInt8(ascii: "r"): return 13
    case UInt8(ascii: "u"): return nextCharacter()
    default: return sign
    }
  }

  /// The first byte of \uXXXX or of a pair of these; the others are pending.
  private mutating func nextCharacter() -> UInt8? {
    var code = nextUnit()
    if 0xD800..<0xDC00 ~= code {
      place += 2
      code = 0x10000 &+ (code &- 0xD800) << 10 &+ (nextUnit() &- 0xDC00)
    }
    guard code >= 0x80 else { return UInt8(truncatingIfNeeded: code) }
    func rest(_ shift: UInt32) -> UInt32 { 0x80 | code >> shift & 0x3F }
    if code < 0x800 {
      pending = rest(0)
      return UInt8(truncatingIfNeeded: 0xC0 | code >> 6)
    }
    if code < 0x10000 {
      pending = rest(6) | rest(0) << 8
      return UInt8(truncatingIfNeeded: 0xE0 | code >> 12)
    }
    pending = rest(12) | rest(6) << 8 | rest(0) << 16
    return UInt8(truncatingIfNeeded: 0xF0 | code >> 18)
  }

  private mutating func nextUnit() -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 where place < bytes.count {
      code = code << 4 | UInt32(hexadecimalValue(bytes[place]) ?? 0)
      place += 1
    }
    return code
  }
}

/// The value of a hexadecimal digit.
func hexadecimalValue(_ digit: UInt8) -> UInt8? {
  switch digit {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
  default: nil
  }
}
