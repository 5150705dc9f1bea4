// SPDX-License-Identifier: Apache-2.0

extension JSONParser {
  /// Reads a number: as an integer if it is written as one and fits, and otherwise as the nearest one of 64-bit floating
  /// point. `-0` is a floating-point number, because there is no such integer.
  mutating func readNumber() throws(NetworkError) {
    let start = place
    let isNegative = take("-")
    let digits = place
    try passDigits()
    if place - digits > 1, bytes[digits] == UInt8(ascii: "0") {
      place = digits
      throw unexpected("a number without leading zeros")
    }
    var isInteger = true
    if take(".") {
      isInteger = false
      try passDigits()
    }
    if take("e") || take("E") {
      isInteger = false
      if !take("+") { _ = take("-") }
      try passDigits()
    }
    if place - start > Limits.number {
      place = start
      throw .invalid(.limit, place: name, value: found, expected: "numbers of at most \(Limits.number) bytes")
    }
    let text = String(decoding: bytes[start..<place], as: UTF8.self)
    if isInteger, let value = Int(text), value != 0 || !isNegative {
      return try append(.integer, UInt64(UInt(bitPattern: value)))
    }
    guard let value = Double(text), value.isFinite else {
      place = start
      throw unexpected("a number of 64-bit floating point")
    }
    try append(.number, value.bitPattern)
  }

  /// At least one digit.
  private mutating func passDigits() throws(NetworkError) {
    let start = place
    while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) { place += 1 }
    if place == start { throw unexpected("a digit") }
  }
}
