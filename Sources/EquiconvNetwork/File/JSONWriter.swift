// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// Writes a JSON text without spaces. Numbers are the shortest ones that are read as the same.
///
///     var json = JSONWriter()
///     try json.object { json throws(NetworkError) in
///       try json.key("shape")
///       try json.list([2, 3])
///     }
package struct JSONWriter: ~Copyable {
  private var bytes = CheckedArray<UInt8, NetworkError>()
  /// Whether a comma comes before the next item.
  private var follows = false

  package typealias Body = (inout JSONWriter) throws(NetworkError) -> Void

  package init() {}

  package consuming func finished() -> FixedArray<UInt8> { bytes.frozen() }

  // MARK: - Objects and lists

  package mutating func object(_ body: Body) throws(NetworkError) {
    try open("{")
    try body(&self)
    try close("}")
  }

  package mutating func list(_ body: Body) throws(NetworkError) {
    try open("[")
    try body(&self)
    try close("]")
  }

  /// The key of what is written next.
  package mutating func key(_ key: String) throws(NetworkError) {
    try text(key)
    try raw(":")
    follows = false
  }

  private mutating func open(_ bracket: StaticString) throws(NetworkError) {
    try separate()
    try raw(bracket)
    follows = false
  }

  private mutating func close(_ bracket: StaticString) throws(NetworkError) {
    try raw(bracket)
    follows = true
  }

  // MARK: - Values

  package mutating func null() throws(NetworkError) { try word("null") }

  package mutating func bool(_ value: Bool) throws(NetworkError) { try word(value ? "true" : "false") }

  package mutating func integer(_ value: Int) throws(NetworkError) { try word(value.description) }

  /// A finite number, with a point or an exponent.
  package mutating func number(_ value: Double) throws(NetworkError) { try word(value.description) }

  package mutating func text(_ value: String) throws(NetworkError) {
    var value = value
    try separate()
    try raw("\"")
    // `withUTF8` does not pass typed errors on.
    let failure: NetworkError? = value.withUTF8 { source in
      do throws(NetworkError) {
        try escape(source)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
    try raw("\"")
  }

  /// Of valid UTF-8.
  package mutating func text(_ value: FixedArray<UInt8>) throws(NetworkError) {
    try separate()
    try raw("\"")
    try escape(value.elements)
    withExtendedLifetime(value) {}
    try raw("\"")
  }

  package mutating func list(_ values: some Sequence<Int>) throws(NetworkError) {
    try list { (json: inout JSONWriter) throws(NetworkError) in for value in values { try json.integer(value) } }
  }

  package mutating func list(_ values: some Sequence<Double>) throws(NetworkError) {
    try list { (json: inout JSONWriter) throws(NetworkError) in for value in values { try json.number(value) } }
  }

  package mutating func list(_ values: some Sequence<String>) throws(NetworkError) {
    try list { (json: inout JSONWriter) throws(NetworkError) in for value in values { try json.text(value) } }
  }

  // MARK: - Bytes

  /// Spaces until the length is a multiple of this one.
  package mutating func pad(to multiple: Int) throws(NetworkError) {
    while bytes.count % multiple != 0 { try bytes.append(UInt8(ascii: " ")) }
  }

  mutating func word(_ word: String) throws(NetworkError) {
    try separate()
    for byte in word.utf8 { try bytes.append(byte) }
  }

  private mutating func separate() throws(NetworkError) {
    if follows { try raw(",") }
    follows = true
  }

  private mutating func raw(_ text: StaticString) throws(NetworkError) {
    for place in 0..<text.utf8CodeUnitCount { try bytes.append(text.utf8Start[place]) }
  }

  private mutating func escape(_ text: UnsafeBufferPointer<UInt8>) throws(NetworkError) {
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""): try raw("\\\"")
      case UInt8(ascii: "\\"): try raw("\\\\")
      case 10: try raw("\\n")
      case 9: try raw("\\t")
      case 13: try raw("\\r")
      case 0..<0x20:
        try raw(byte < 0x10 ? "\\u000" : "\\u001")
        try bytes.append(Array("0123456789abcdef".utf8)[Int(byte & 15)])
      default: try bytes.append(byte)
      }
    }
  }
}
