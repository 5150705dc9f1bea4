// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvErrors
import _EquiconvMemory

/// Reads the words and numbers of a text, and says where it is not as expected.
///
/// Lists are limited before memory for them is reserved, and grow with what has been read: a short text makes no large one.
public struct TextReader {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var place = 0
  /// Those that a layer may have; nil for any.
  private let groups: [KnownGroup]?

  /// The longest word or number.
  private static let longestToken = 40

  init(_ bytes: UnsafeBufferPointer<UInt8>, groups: [KnownGroup]? = nil) throws(TextError) {
    if bytes.count > largestText {
      throw TextError.layer(
        ConvolutionError(.invalidText, .text, "of \(bytes.count) bytes", expected: "at most \(largestText)"))
    }
    self.bytes = bytes
    self.groups = groups
  }

  // MARK: - The whole

  /// "name/1 ".
  mutating func readHeader(_ name: String) throws(TextError) {
    let start = place
    guard word() == name, take("/") else {
      place = start
      throw unexpected("\"\(name)/\(textVersion) …\"")
    }
    let version = place
    guard integer() == textVersion else {
      place = version
      throw unexpected("version \(textVersion) of \(name)")
    }
    try expect(" ")
  }

  func expectEnd() throws(TextError) {
    if place != bytes.count { throw unexpected("the end of the text") }
  }

  /// Throws where the value is written otherwise than here: with zeros that say nothing, more digits, another order.
  func checkCanonical(_ written: FixedArray<UInt8>) throws(TextError) {
    let common = min(written.count, bytes.count)
    let difference = (0..<common).first { written[$0] != bytes[$0] } ?? common
    if difference == written.count && difference == bytes.count { return }
    var other = self
    other.place = difference
    let end = min(written.count, difference + Self.longestToken)
    let expected = String(decoding: written.part(min(difference, end)..<end), as: UTF8.self)
    throw other.unexpected("\"\(expected)\", as this value is written")
  }

  // MARK: - Words and signs

  /// Letters, digits, underscores and hyphens, possibly none.
  mutating func word() -> String {
    token { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45 }
  }

  /// Whether the sign comes next, which is then passed.
  mutating func take(_ sign: Unicode.Scalar) -> Bool {
    guard place < bytes.count, bytes[place] == UInt8(ascii: sign) else { return false }
    place += 1
    return true
  }

  mutating func expect(_ sign: Unicode.Scalar) throws(TextError) {
    if !take(sign) { throw unexpected("\"\(sign)\"") }
  }

  /// "name=", with a space before it unless it is the first.
  mutating func readKey(_ name: String, isFirst: Bool = false) throws(TextError) {
    if !isFirst { try expect(" ") }
    let start = place
    guard word() == name, take("=") else {
      place = start
      throw unexpected("\"\(name)=\"")
    }
  }

  /// The value of one of these words.
  mutating func choice<Value>(_ values: [(word: String, value: Value)]) throws(TextError) -> Value {
    let start = place
    let word = word()
    for (name, value) in values where name == word { return value }
    place = start
    throw unexpected(values.map { "\"\($0.word)\"" }.joined(separator: " or "))
  }

  /// The group of a layer: one of those that are known, or any.
  mutating func readGroup() throws(TextError) -> PointGroup {
    guard let groups else { return try PointGroup(reading: &self) }
    for known in groups {
      let end = place + known.words.count
      if end < bytes.count, bytes[end] == UInt8(ascii: " "), bytes[place..<end].elementsEqual(known.words) {
        place = end
        return known.group
      }
    }
    throw unexpected("one of the groups that are listed")
  }

  // MARK: - Numbers

  mutating func readInteger() throws(TextError) -> Int {
    let start = place
    if let value = integer() { return value }
    place = start
    throw unexpected("a whole number")
  }

  mutating func readNumber() throws(TextError) -> Double {
    let start = place
    // Digits, signs, the point, and the letters of "e", "inf" and "nan": who takes the number refuses the last two.
    let token = token { (48...57).contains($0) || [43, 45, 46, 97, 101, 102, 105, 110].contains($0) }
    // Calls take subnormal numbers as zeros, but what is read are numbers as they are.
    let call = Call.begin(.exact)
    let value = Double(token)
    call.end()
    if let value { return value }
    place = start
    throw unexpected("a number")
  }

  /// `[1,2,3]` with at most so many.
  mutating func readIntegers(atMost limit: Int) throws(TextError) -> [Int] {
    var values: [Int] = []
    try readList(atMost: limit) { (text: inout TextReader) throws(TextError) in
      values.append(try text.readInteger())
    }
    return values
  }

  /// `[1.0,0.5]` with at most so many.
  mutating func readNumbers(atMost limit: Int) throws(TextError) -> FixedArray<Double> {
    var values = CheckedArray<Double, TextError>()
    try readList(atMost: limit) { (text: inout TextReader) throws(TextError) in
      try values.append(try text.readNumber())
    }
    return values.frozen()
  }

  mutating func readList(
    atMost limit: Int, _ item: (inout TextReader) throws(TextError) -> Void
  ) throws(TextError) {
    try expect("[")
    if take("]") { return }
    var count = 0
    repeat {
      if count == limit { throw unexpected("a list of at most \(limit) items") }
      try item(&self)
      count += 1
    } while take(",")
    try expect("]")
  }

  private mutating func integer() -> Int? {
    Int(token { (48...57).contains($0) || $0 == 45 })
  }

  private mutating func token(_ isPart: (UInt8) -> Bool) -> String {
    let start = place
    while place < bytes.count, place - start < Self.longestToken, isPart(bytes[place]) { place += 1 }
    return String(decoding: bytes[start..<place], as: UTF8.self)
  }

  // MARK: - Errors

  /// The error at the present place.
  func unexpected(_ expected: String) -> TextError {
    .layer(ConvolutionError(.invalidText, .text, found, expected: expected))
  }

  /// What is at the present place.
  private var found: String {
    let end = min(bytes.count, place + Self.longestToken)
    let isPrintable = bytes[place..<end].prefix { (32...126).contains($0) }
    let found = place == bytes.count ? "ended" : "\"\(String(decoding: isPrintable, as: UTF8.self))\""
    return "\(found) at byte \(place)"
  }
}
