// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// Reads a JSON text into the table of a `JSON`, and says where it is not as expected.
struct JSONParser: ~Copyable {
  let bytes: UnsafeBufferPointer<UInt8>
  let name: String
  let kind: NetworkError.Kind
  var place = 0
  var nodes = CheckedArray<JSON.Node, NetworkError>()

  init(_ bytes: UnsafeBufferPointer<UInt8>, name: String, kind: NetworkError.Kind) throws(NetworkError) {
    // Places and nodes are counted by 32 bits.
    if bytes.count > Limits.header {
      throw .invalid(.limit, place: name, value: "of \(bytes.count) bytes", expected: "at most \(Limits.header)")
    }
    self.bytes = bytes
    self.name = name
    self.kind = kind
  }

  mutating func readAll() throws(NetworkError) {
    try checkUTF8()
    skipSpace()
    try readValue(depth: 0)
    skipSpace()
    if place != bytes.count { throw unexpected("the end of the text") }
  }

  consuming func finished() -> FixedArray<JSON.Node> { nodes.frozen() }

  // MARK: - Values

  /// The next byte, or 0 at the end.
  private var next: UInt8 { place < bytes.count ? bytes[place] : 0 }

  private mutating func readValue(depth: Int) throws(NetworkError) {
    switch next {
    case UInt8(ascii: "\""): try readText()
    case UInt8(ascii: "{"): try readObject(depth: depth + 1)
    case UInt8(ascii: "["): try readList(depth: depth + 1)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try readNumber()
    case UInt8(ascii: "t"): try readWord("true", .yes)
    case UInt8(ascii: "f"): try readWord("false", .no)
    case UInt8(ascii: "n"): try readWord("null", .null)
    default: throw unexpected("a value")
    }
  }

  private mutating func readList(depth: Int) throws(NetworkError) {
    let own = try begin(.list, depth: depth)
    var count = 0
    skipSpace()
    if !take("]") {
      repeat {
        skipSpace()
        try readValue(depth: depth)
        skipSpace()
        count += 1
      } while take(",")
      if !take("]") { throw unexpected("\",\" or \"]\"") }
    }
    end(own, .list, count: count)
  }

  private mutating func readObject(depth: Int) throws(NetworkError) {
    let own = try begin(.object, depth: depth)
    var count = 0
    skipSpace()
    if !take("}") {
      repeat {
        skipSpace()
        if next != UInt8(ascii: "\"") { throw unexpected("a key") }
        try readText()
        skipSpace()
        if !take(":") { throw unexpected("\":\"") }
        skipSpace()
        try readValue(depth: depth)
        skipSpace()
        count += 1
      } while take(",")
      if !take("}") { throw unexpected("\",\" or \"}\"") }
    }
    end(own, .object, count: count)
    try checkKeys(of: own, count: count)
  }

  /// The node of a list or an object whose bracket comes next.
  private mutating func begin(_ kind: JSON.Node.Kind, depth: Int) throws(NetworkError) -> Int {
    if depth > Limits.depth {
      throw .invalid(
        .limit, place: name, value: "\(found) in \(depth) lists and objects", expected: "at most \(Limits.depth)")
    }
    place += 1
    try nodes.append(JSON.Node(kind: kind, end: 0, payload: 0))
    return nodes.count - 1
  }

  private func end(_ own: Int, _ kind: JSON.Node.Kind, count: Int) {
    nodes[own] = JSON.Node(kind: kind, end: UInt32(nodes.count), payload: UInt64(count))
  }

  private mutating func readWord(_ word: StaticString, _ kind: JSON.Node.Kind) throws(NetworkError) {
    let isThere = word.withUTF8Buffer {
      place + $0.count <= bytes.count && bytes[place..<place + $0.count].elementsEqual($0)
    }
    if !isThere { throw unexpected("a value") }
    place += word.utf8CodeUnitCount
    try append(kind, 0)
  }

  mutating func append(_ kind: JSON.Node.Kind, _ payload: UInt64) throws(NetworkError) {
    try nodes.append(JSON.Node(kind: kind, end: UInt32(nodes.count + 1), payload: payload))
  }

  // MARK: - Texts

  private mutating func readText() throws(NetworkError) {
    let start = place + 1
    var hasEscapes = false
    place = start
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "\""):
        try nodes.append(.text(start..<place, hasEscapes: hasEscapes, end: UInt32(nodes.count + 1)))
        place += 1
        return
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try passEscape()
      case 0..<0x20: throw unexpected("no control character in a text")
      default: place += 1
      }
    }
    throw unexpected("the end of a text")
  }

  private mutating func passEscape() throws(NetworkError) {
    guard place + 1 < bytes.count else { throw unexpected("an escape") }
    switch bytes[place + 1] {
    case UInt8(ascii: "u"): break
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      place += 2
      return
    default: throw unexpected("an escape")
    }
    guard let unit = unit(at: place) else { throw unexpected("\\u and four hexadecimal digits") }
    if 0xDC00..<0xE000 ~= unit { throw unexpected("the first of two surrogates before the second") }
    if 0xD800..<0xDC00 ~= unit {
      guard let second = self.unit(at: place + 6), 0xDC00..<0xE000 ~= second else {
        throw unexpected("the second surrogate after the first")
      }
      place += 6
    }
    place += 6
  }

  /// The number of \uXXXX.
  private func unit(at place: Int) -> Int? {
    guard place + 6 <= bytes.count, bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "u") else {
      return nil
    }
    var unit = 0
    for digit in bytes[place + 2..<place + 6] {
      guard let value = hexadecimalValue(digit) else { return nil }
      unit = unit << 4 | Int(value)
    }
    return unit
  }

  // MARK: - Signs

  mutating func skipSpace() {
    while place < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[place]) { place += 1 }
  }

  /// Whether the sign comes next, which is then passed.
  mutating func take(_ sign: Unicode.Scalar) -> Bool {
    guard place < bytes.count, bytes[place] == UInt8(ascii: sign) else { return false }
    place += 1
    return true
  }

  // MARK: - Errors

  /// The error at the present place.
  func unexpected(_ expected: String) -> NetworkError {
    .invalid(kind, place: name, value: found, expected: expected)
  }

  /// What is at the present place.
  var found: String {
    if place >= bytes.count { return "ended at byte \(place)" }
    let shown = bytes[place..<min(bytes.count, place + 40)].prefix { (32...126).contains($0) }
    if shown.isEmpty { return "0x\(String(bytes[place], radix: 16)) at byte \(place)" }
    return "\"\(String(decoding: shown, as: UTF8.self))\" at byte \(place)"
  }
}
