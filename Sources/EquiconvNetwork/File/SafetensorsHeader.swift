// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

/// The header of a safetensors file: its tensors, and the document in its metadata.
struct SafetensorsHeader {
  /// The key of the document.
  static let documentKey = "equiconv-network"
  static let metadataKey = "__metadata__"

  /// A tensor, and where its numbers lie.
  struct Entry {
    let name: String
    let type: TensorType
    let shape: [Int]
    /// From the end of the header.
    let range: Range<Int>
  }

  /// In the order of their names.
  let entries: FixedArray<Entry>
  /// In UTF-8.
  let document: FixedArray<UInt8>

  /// Checks the length of a header, which the first eight bytes of a file say.
  ///
  /// - Returns: the range of the header.
  /// - Throws: `format`, `limit`.
  static func range(length: UInt64, fileCount: Int) throws(NetworkError) -> Range<Int> {
    guard length <= UInt64(Limits.header) else {
      throw .invalid(
        .limit, place: "header", value: "of \(length) bytes, as the first 8 bytes say",
        expected: "at most \(Limits.header)")
    }
    guard Int(length) <= fileCount - 8 else {
      throw .invalid(
        .format, place: "header", value: "of \(length) bytes, as the first 8 bytes say",
        expected: "at most the \(fileCount - 8) bytes that follow")
    }
    return 8..<8 + Int(length)
  }

  /// Throws unless a file has room for a length.
  static func checkSize(_ count: Int) throws(NetworkError) {
    if count < 8 {
      throw .invalid(.format, place: "file", value: "of \(count) bytes", expected: "8 bytes and a header")
    }
  }

  /// Reads a header, which `dataCount` bytes follow.
  ///
  /// - Throws: `format` for what is no header of a safetensors file, or of one without a network; `limit`; `outOfMemory`.
  init(_ bytes: FixedArray<UInt8>, dataCount: Int) throws(NetworkError) {
    let json = try JSON(try Self.trimmed(bytes), name: "header", kind: .format)
    guard case .object(let members) = json.root else {
      throw .invalid(.format, place: "header", value: "no object", expected: "\"{\" as its first byte")
    }
    var entries = CheckedArray<Entry, NetworkError>()
    var document: JSON.Text?
    for (key, value) in members {
      if key == Self.metadataKey {
        document = try Self.document(value)
        continue
      }
      if entries.count == Limits.tensors {
        throw .invalid(.limit, place: "header", value: "of more tensors", expected: "at most \(Limits.tensors) tensors")
      }
      try entries.append(try EntryReader(key).entry(value))
    }
    guard let document else {
      throw .invalid(
        .format, place: Self.metadataKey, value: "without \"\(Self.documentKey)\"",
        expected: "the document of a network")
    }
    try checkLayout(entries.elements, dataCount: dataCount)
    sortByName(entries.elements)
    self.entries = entries.frozen()
    self.document = try document.decoded()
  }

  /// The object, without the spaces behind it.
  private static func trimmed(_ bytes: FixedArray<UInt8>) throws(NetworkError) -> FixedArray<UInt8> {
    if bytes.first != UInt8(ascii: "{") {
      let first = bytes.first.map { "0x\(String($0, radix: 16)) at its beginning" } ?? "empty"
      throw .invalid(.format, place: "header", value: first, expected: "\"{\" as its first byte")
    }
    var count = bytes.count
    while count > 0, bytes[count - 1] == UInt8(ascii: " ") { count -= 1 }
    if bytes[count - 1] != UInt8(ascii: "}") {
      throw .invalid(
        .format, place: "header", value: "0x\(String(bytes[count - 1], radix: 16)) at byte \(count - 1)",
        expected: "\"}\" as its last byte before spaces")
    }
    return bytes.part(0..<count)
  }

  /// The text of the document in the metadata, which maps texts to texts.
  private static func document(_ metadata: JSON.Value) throws(NetworkError) -> JSON.Text? {
    let place = DocumentPlace.root(metadataKey)
    guard case .object(let members) = metadata else {
      throw DocumentValue(metadata, place, .format).error("an object of texts")
    }
    var found: JSON.Text?
    for (key, value) in members {
      guard case .text(let text) = value else {
        throw DocumentValue(value, .name(key.shown, of: place), .format).error("a text")
      }
      if key == documentKey { found = text }
    }
    return found
  }
}

/// Reads what a header says about one tensor.
private struct EntryReader {
  let name: String
  let place: DocumentPlace

  init(_ key: JSON.Text) throws(NetworkError) {
    let place = DocumentPlace.name(key.shown, of: .root("tensors"))
    self.place = place
    name = try DocumentValue(.text(key), place, .format).name()
  }

  func entry(_ value: JSON.Value) throws(NetworkError) -> SafetensorsHeader.Entry {
    let fields = try DocumentObject(
      DocumentValue(value, place, .format), keys: ["dtype", "shape", "data_offsets"])
    let type = try type(try fields.value("dtype"))
    let shape = try integers(try fields.value("shape"), atMost: Limits.axes, "axes")
    let offsets = try fields.value("data_offsets")
    let ends = try integers(offsets, atMost: 2, "numbers")
    guard ends.count == 2, ends[0] <= ends[1] else {
      throw offsets.error("its beginning and its end", showing: listText(ends))
    }
    let count = try NetworkTensor.byteCount(type, shape, place: place.description)
    if ends[1] - ends[0] != count {
      throw offsets.error("the \(count) bytes of \(type.rawValue) \(listText(shape))", showing: listText(ends))
    }
    return .init(name: name, type: type, shape: shape, range: ends[0]..<ends[1])
  }

  private func type(_ value: DocumentValue) throws(NetworkError) -> TensorType {
    guard let type = TensorType(rawValue: try value.name()) else {
      throw value.error("a type of safetensors, such as \"F32\"")
    }
    return type
  }

  /// Numbers that are not negative.
  private func integers(_ value: DocumentValue, atMost limit: Int, _ what: String) throws(NetworkError) -> [Int] {
    var integers: [Int] = []
    try value.each(atMost: limit, what) { (item) throws(NetworkError) in
      integers.append(try item.integer(in: 0...Int.max))
    }
    return integers
  }
}

/// Throws unless tensors fill all bytes behind the header, without gaps and without overlaps.
private func checkLayout(
  _ entries: UnsafeMutableBufferPointer<SafetensorsHeader.Entry>, dataCount: Int
) throws(NetworkError) {
  let order = try CheckedArray<ByOffset, NetworkError>(count: entries.count) { index in
    ByOffset(begin: entries[index].range.lowerBound, end: entries[index].range.upperBound, index: index)
  }
  order.elements.heapsort()
  var end = 0
  for item in order.elements {
    if item.begin != end {
      let place = DocumentPlace.name(entries[item.index].name, of: .root("tensors"))
      throw .invalid(
        .format, place: "\(place).data_offsets", value: "[\(item.begin), \(item.end)]",
        expected: "a beginning of \(end), where the tensor before it ends")
    }
    end = item.end
  }
  if end != dataCount {
    throw .invalid(
      .format, place: "file", value: "of \(dataCount) bytes after its header",
      expected: "the \(end) bytes of its tensors")
  }
}

/// Empty tensors come before others that begin at the same place.
private struct ByOffset: Comparable {
  let begin: Int
  let end: Int
  let index: Int

  static func < (a: ByOffset, b: ByOffset) -> Bool { (a.begin, a.end) < (b.begin, b.end) }
}

/// Sorts by names, in place.
private func sortByName(_ entries: UnsafeMutableBufferPointer<SafetensorsHeader.Entry>) {
  entries.withMemoryRebound(to: SortedByName.self) { $0.heapsort() }
}

/// An entry, of the same layout, in the order of names.
private struct SortedByName: Comparable {
  let entry: SafetensorsHeader.Entry

  static func < (a: SortedByName, b: SortedByName) -> Bool { isBefore(a.entry.name, b.entry.name) }
  static func == (a: SortedByName, b: SortedByName) -> Bool { !(a < b) && !(b < a) }
}

/// The order of names: that of their bytes in UTF-8, as Python and Rust sort them. Swift compares texts as people read them.
func isBefore(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
