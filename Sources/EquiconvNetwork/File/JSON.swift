// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// A JSON text (RFC 8259) that was read. Its values are views of it.
///
/// All values lie in one table of 16 bytes each, so that a lack of memory is an error and a large text costs a known
/// multiple of its bytes.
package final class JSON: Sendable {
  let bytes: FixedArray<UInt8>
  private let nodes: FixedArray<Node>

  /// A value, in the order of the text: a list or an object comes before what is in it, a key before its value.
  struct Node {
    enum Kind: UInt8 { case null, no, yes, integer, number, text, escapedText, list, object }
    var kind: Kind
    /// The node after this one and all that is in it.
    var end: UInt32
    /// The bits of a number, or the number of items of a list or an object, or the range of a text in its lower and its
    /// upper half.
    var payload: UInt64
  }

  package enum Value {
    case null
    case bool(Bool)
    /// Written without a point and an exponent, and in the range of `Int`.
    case integer(Int)
    /// Finite.
    case number(Double)
    case text(Text)
    case list(List)
    case object(Object)
  }

  /// Reads a text. Errors are of the kind `kind` and name the text by `name` and the place in it.
  ///
  /// - Throws: for what is no JSON, is no valid UTF-8, or has a key twice in one object or a number beyond those of
  ///   64-bit floating point; `limit` for lists and objects more than 32 deep and numbers of more than 128 bytes; `outOfMemory`.
  /// - Complexity: O(bytes).
  package init(_ bytes: FixedArray<UInt8>, name: String, kind: NetworkError.Kind) throws(NetworkError) {
    self.bytes = bytes
    var parser = try JSONParser(bytes.elements, name: name, kind: kind)
    try parser.readAll()
    nodes = parser.finished()
  }

  package var root: Value { value(0) }

  fileprivate func value(_ place: Int) -> Value {
    let node = nodes[place]
    return switch node.kind {
    case .null: .null
    case .no: .bool(false)
    case .yes: .bool(true)
    case .integer: .integer(Int(bitPattern: UInt(node.payload)))
    case .number: .number(Double(bitPattern: node.payload))
    case .text, .escapedText: .text(text(place))
    case .list: .list(List(json: self, place: place, count: Int(node.payload)))
    case .object: .object(Object(json: self, place: place, count: Int(node.payload)))
    }
  }

  fileprivate func text(_ place: Int) -> Text {
    let node = nodes[place]
    return Text(json: self, range: node.range, hasEscapes: node.kind == .escapedText)
  }

  fileprivate func end(_ place: Int) -> Int { Int(nodes[place].end) }

  // MARK: - Views

  /// What stands between quotes.
  package struct Text {
    fileprivate let json: JSON
    fileprivate let range: Range<Int>
    fileprivate let hasEscapes: Bool
  }

  /// Items in order.
  package struct List: Sequence {
    fileprivate let json: JSON
    fileprivate let place: Int
    package let count: Int

    package func makeIterator() -> Items { Items(json: json, place: place + 1, left: count) }

    package struct Items: IteratorProtocol {
      fileprivate let json: JSON
      fileprivate var place: Int
      fileprivate var left: Int

      package mutating func next() -> Value? {
        if left == 0 { return nil }
        defer {
          left -= 1
          place = json.end(place)
        }
        return json.value(place)
      }
    }
  }

  /// Keys, each once, and their values, in the order of the text.
  package struct Object: Sequence {
    fileprivate let json: JSON
    fileprivate let place: Int
    package let count: Int

    package func makeIterator() -> Members { Members(json: json, place: place + 1, left: count) }

    package struct Members: IteratorProtocol {
      fileprivate let json: JSON
      fileprivate var place: Int
      fileprivate var left: Int

      package mutating func next() -> (key: Text, value: Value)? {
        if left == 0 { return nil }
        defer {
          left -= 1
          place = json.end(place + 1)
        }
        return (json.text(place), json.value(place + 1))
      }
    }

    /// The value of a key.
    /// - Complexity: O(keys).
    package subscript(key: String) -> Value? { first { $0.key == key }?.value }
  }
}

extension JSON.Node {
  var range: Range<Int> {
    let start = Int(payload & 0xFFFF_FFFF)
    return start..<start + Int(payload >> 32)
  }

  static func text(_ range: Range<Int>, hasEscapes: Bool, end: UInt32) -> JSON.Node {
    JSON.Node(
      kind: hasEscapes ? .escapedText : .text, end: end,
      payload: UInt64(range.lowerBound) | UInt64(range.count) << 32)
  }
}

extension JSON.Text {
  /// Of the text itself, with its escapes resolved.
  package var utf8Count: Int { hasEscapes ? withDecoded { $0.reduce(0) { count, _ in count + 1 } } : range.count }

  /// The text, which is a copy; for texts of limited length.
  package var string: String {
    if hasEscapes { return withDecoded { String(decoding: Array($0), as: UTF8.self) } }
    return json.bytes.withContiguousStorageIfAvailable { String(decoding: $0[range], as: UTF8.self) } ?? ""
  }

  /// The first characters of the text, for errors.
  var shown: String {
    // At most 40 characters are shown, of 4 bytes each; bytes of a character that is cut are behind them.
    shownText(withDecoded { String(decoding: Array($0.prefix(164)), as: UTF8.self) })
  }

  /// The bytes of the text in UTF-8.
  /// - Throws: `outOfMemory`.
  package func decoded() throws(NetworkError) -> FixedArray<UInt8> {
    if !hasEscapes { return json.bytes.part(range) }
    var bytes = try CheckedArray<UInt8, NetworkError>(capacity: range.count)
    let source = json.bytes.part(range)
    for byte in DecodedText(source.elements) { try bytes.append(byte) }
    withExtendedLifetime(source) {}
    return bytes.frozen()
  }

  package static func == (text: JSON.Text, other: String) -> Bool {
    if !text.hasEscapes && text.range.count != other.utf8.count { return false }
    return text.withDecoded { $0.elementsEqual(other.utf8) }
  }

  private func withDecoded<R>(_ body: (DecodedText) -> R) -> R {
    let source = json.bytes.part(range)
    return withExtendedLifetime(source) { body(DecodedText(source.elements)) }
  }
}
