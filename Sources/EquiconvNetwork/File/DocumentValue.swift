// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups

/// A value with its place in a document, read as what is expected there.
struct DocumentValue {
  let value: JSON.Value
  let place: DocumentPlace
  /// Of errors.
  let kind: NetworkError.Kind

  init(_ value: JSON.Value, _ place: DocumentPlace, _ kind: NetworkError.Kind = .document) {
    self.value = value
    self.place = place
    self.kind = kind
  }

  // MARK: - Errors

  /// The error that this value is not as expected.
  func error(_ expected: String, _ kind: NetworkError.Kind? = nil, showing value: String? = nil) -> NetworkError {
    .invalid(kind ?? self.kind, place: place.description, value: value ?? self.value.shown, expected: expected)
  }

  // MARK: - Numbers

  func integer(in range: ClosedRange<Int>) throws(NetworkError) -> Int {
    guard case .integer(let value) = value, range.contains(value) else {
      if range == 0...Int.max { throw error("an integer that is not negative") }
      throw error("an integer in \(range.lowerBound)...\(range.upperBound)")
    }
    return value
  }

  /// A number; an integer is one.
  func number() throws(NetworkError) -> Double {
    switch value {
    case .integer(let value): return Double(value)
    case .number(let value): return value
    default: throw error("a number")
    }
  }

  func bool() throws(NetworkError) -> Bool {
    guard case .bool(let value) = value else { throw error("true or false") }
    return value
  }

  var isNull: Bool { if case .null = value { true } else { false } }

  // MARK: - Texts

  /// A text without zero characters.
  func text(_ bytes: ClosedRange<Int>) throws(NetworkError) -> String {
    guard case .text(let text) = value else { throw error("a text") }
    let count = text.utf8Count
    if count > bytes.upperBound {
      throw error("at most \(bytes.upperBound)", .limit, showing: "a text of \(count) bytes")
    }
    if count < bytes.lowerBound { throw error("a text that is not empty") }
    let string = text.string
    // Texts are passed to C, where a zero ends them.
    if string.utf8.contains(0) { throw error("a text without the character U+0000") }
    return string
  }

  func name() throws(NetworkError) -> String { try text(1...Limits.name) }

  func isText(_ word: String) -> Bool {
    if case .text(let text) = value { text == word } else { false }
  }

  /// One of some words.
  func choice<Value>(_ values: [(word: String, value: Value)]) throws(NetworkError) -> Value {
    if case .text(let text) = value {
      for (word, value) in values where text == word { return value }
    }
    throw error(values.map { "\"\($0.word)\"" }.joined(separator: " or "))
  }

  // MARK: - Lists

  /// Calls `body` for the items of a list, with their places.
  /// - Returns: how many there are.
  @discardableResult func each(
    atMost limit: Int, _ what: String, _ body: (DocumentValue) throws(NetworkError) -> Void
  ) throws(NetworkError) -> Int {
    guard case .list(let list) = value else { throw error("a list") }
    if list.count > limit { throw error("at most \(limit) \(what)", .limit, showing: "a list of \(list.count)") }
    for (index, item) in list.enumerated() { try body(DocumentValue(item, .item(index, of: place), kind)) }
    return list.count
  }

  /// The number of items; 0 for what is no list.
  private var listCount: Int { if case .list(let list) = value { list.count } else { 0 } }

  /// Calls `body` for the items of a list of `count`.
  private func each(_ count: Int, _ body: (DocumentValue) throws(NetworkError) -> Void) throws(NetworkError) {
    guard case .list(let list) = value, list.count == count else { throw error("a list of \(count)") }
    try each(atMost: count, "items", body)
  }

  func integers(_ count: Int, in range: ClosedRange<Int>) throws(NetworkError) -> [Int] {
    var integers: [Int] = []
    integers.reserveCapacity(min(count, listCount))
    try each(count) { (item) throws(NetworkError) in integers.append(try item.integer(in: range)) }
    return integers
  }

  func numbers(_ count: Int) throws(NetworkError) -> [Double] {
    var numbers: [Double] = []
    numbers.reserveCapacity(min(count, listCount))
    try each(count) { (item) throws(NetworkError) in numbers.append(try item.number()) }
    return numbers
  }

  /// Integers, or nil where there is `null`.
  func integersOrNull(_ count: Int, in range: ClosedRange<Int>) throws(NetworkError) -> [Int?] {
    var integers: [Int?] = []
    integers.reserveCapacity(min(count, listCount))
    try each(count) { (item) throws(NetworkError) in integers.append(item.isNull ? nil : try item.integer(in: range)) }
    return integers
  }

  func names(_ counts: ClosedRange<Int>, _ what: String) throws(NetworkError) -> [String] {
    var names: [String] = []
    let count = try each(atMost: counts.upperBound, what) { (item) throws(NetworkError) in
      names.append(try item.name())
    }
    if count < counts.lowerBound { throw error("at least \(counts.lowerBound) \(what)") }
    return names
  }

  /// Elements of a group, each once, in any order.
  func elements(below order: Int) throws(NetworkError) -> [Int] {
    var elements: [Int] = []
    var isThere = Set<Int>()
    try each(atMost: PointGroup.largestOrder, "elements") { (item) throws(NetworkError) in
      let element = try item.integer(in: 0...order - 1)
      if !isThere.insert(element).inserted { throw item.error("each element once") }
      elements.append(element)
    }
    if elements.isEmpty { throw error("at least one element") }
    return elements
  }
}

/// An object with keys that are known.
struct DocumentObject {
  private let object: JSON.Object
  private let whole: DocumentValue

  /// - Throws: for what is no object, and for one with another key.
  init(_ value: DocumentValue, keys: [String]) throws(NetworkError) {
    try self.init(value)
    try check(keys)
  }

  /// An object whose keys are checked later, by `check`.
  init(_ value: DocumentValue) throws(NetworkError) {
    guard case .object(let object) = value.value else { throw value.error("an object") }
    self.object = object
    whole = value
  }

  func check(_ keys: [String]) throws(NetworkError) {
    for (key, value) in object where !keys.contains(where: { key == $0 }) {
      let words = keys.map { "\"\($0)\"" }.joined(separator: ", ")
      let place = DocumentPlace.key(key.shown, of: whole.place)
      throw DocumentValue(value, place, whole.kind).error("no key but \(words)", showing: "an unknown key")
    }
  }

  func optional(_ key: String) -> DocumentValue? {
    object[key].map { DocumentValue($0, .key(key, of: whole.place), whole.kind) }
  }

  func value(_ key: String) throws(NetworkError) -> DocumentValue {
    if let value = optional(key) { return value }
    throw .invalid(
      whole.kind, place: DocumentPlace.key(key, of: whole.place).description, value: "missing", expected: "this key")
  }
}

extension JSON.Value {
  /// For errors: the value, or what it is.
  var shown: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let text): "\"\(text.shown)\""
    case .list(let list): "a list of \(list.count)"
    case .object: "an object"
    }
  }
}
