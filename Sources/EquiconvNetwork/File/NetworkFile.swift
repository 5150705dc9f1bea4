// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// A network file: a document, and tensors by their names; see docs/NetworkFormat.md.
///
///     let file = try NetworkFile(path: "digits.safetensors")
///     file.document.operations.count
///     file.tensor("layers.0.weight")?.shape
///
/// A value is immutable, and may be used from several threads at once. Files of less than 64 MiB of numbers are read into
/// memory. Larger ones are mapped: a number is read from the file when it is used, and a process that uses numbers of a
/// file that was cut short since it was opened is ended by the system (SIGBUS). `write` never cuts files short.
public final class NetworkFile: Sendable {
  /// The most tensors of a file, and bytes of a name: see docs/NetworkFormat.md.
  public static let (mostTensors, longestName) = (Limits.tensors, Limits.name)

  public let document: NetworkDocument
  /// As the document says it; nil if it does not.
  public let geometry: NetworkDocument.Geometry?
  /// In the order of their names.
  let tensors: FixedArray<NetworkTensor>
  /// What the tensors are views of.
  private let storage: [TensorStorage]

  // MARK: - Reading

  /// Opens a file.
  ///
  /// Memory: at most 64 times the header, the numbers if they are not mapped, once more those of tensors that the
  /// document names and that are not aligned, and the tables of groups.
  ///
  /// - Throws: `file` for what cannot be read; `format` for what is no safetensors file or has no network; `version`,
  ///   `operation`, `document`, `limit` and the errors of layers, groups and bases for its document; `outOfMemory`.
  /// - Complexity: O(header), and O(file) below 64 MiB.
  public convenience init(path: String) throws(NetworkError) {
    let file = try FileToRead(path)
    try SafetensorsHeader.checkSize(file.count)
    let range = try SafetensorsHeader.range(length: try file.bytes(0..<8).length, fileCount: file.count)
    let header = try SafetensorsHeader(try file.bytes(range), dataCount: file.count - range.upperBound)
    let contents = try DocumentContents(header.document)
    try self.init(contents, header.entries, try TensorStorage(file, from: range.upperBound))
  }

  /// Opens a file that is in memory, which is copied.
  ///
  /// - Throws: as `init(path:)`.
  public convenience init(copying bytes: UnsafeRawBufferPointer) throws(NetworkError) {
    try SafetensorsHeader.checkSize(bytes.count)
    let range = try SafetensorsHeader.range(
      length: UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)), fileCount: bytes.count)
    let copy = try CheckedArray<UInt8, NetworkError>(bytes[range])
    let header = try SafetensorsHeader(copy.frozen(), dataCount: bytes.count - range.upperBound)
    let contents = try DocumentContents(header.document)
    let storage = try TensorStorage(count: bytes.count - range.upperBound) { (target) throws(NetworkError) in
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[range.upperBound...]))
    }
    try self.init(contents, header.entries, storage)
  }

  /// A file of a document, as JSON text, and tensors, which are copied, in any order.
  ///
  /// - Throws: as `init(path:)` for the document; `argument` for a tensor whose bytes are not those of its type and shape,
  ///   and for a name that two tensors have.
  public convenience init(
    document: UnsafeBufferPointer<UInt8>, tensors: [NetworkTensor]
  ) throws(NetworkError) {
    let text = try CheckedArray<UInt8, NetworkError>(document).frozen()
    let contents = try DocumentContents(text)
    try self.init(contents, tensors)
  }

  /// A file of a document and tensors, which are copied, in any order.
  ///
  /// - Throws: as `init(document:tensors:)`, for documents that no file may have.
  public convenience init(
    _ document: NetworkDocument, geometry: NetworkDocument.Geometry? = nil, tensors: [NetworkTensor]
  ) throws(NetworkError) {
    let text = try DocumentWriter(document: document, geometry: geometry).text()
    try self.init(try DocumentContents(text), tensors)
  }

  private convenience init(_ contents: DocumentContents, _ tensors: [NetworkTensor]) throws(NetworkError) {
    let layout = try TensorLayout(tensors)
    let storage = try TensorStorage(count: layout.count) { (target) throws(NetworkError) in layout.copy(to: target) }
    try self.init(contents, layout.entries, storage)
  }

  private init(
    _ contents: DocumentContents, _ entries: FixedArray<SafetensorsHeader.Entry>, _ numbers: TensorStorage
  ) throws(NetworkError) {
    let tensors = try CheckedArray<NetworkTensor, NetworkError>(count: entries.count) { index in
      let entry = entries[index]
      return NetworkTensor(
        name: entry.name, type: entry.type, shape: entry.shape,
        bytes: UnsafeRawBufferPointer(rebasing: numbers.bytes[entry.range]))
    }
    let copies = try alignTensors(of: contents.document, tensors.elements)
    document = contents.document
    geometry = contents.geometry
    self.tensors = tensors.frozen()
    storage = [numbers] + (copies.map { [$0] } ?? [])
  }

  // MARK: - Tensors

  /// In the order of their bytes in UTF-8.
  public var tensorNames: [String] { tensors.map { $0.name } }

  /// The number of tensors.
  public var tensorCount: Int { tensors.count }

  /// A tensor by its place in the order of names: a view that is valid as long as this file.
  ///
  /// - Precondition: `place` is in `0..<tensorCount`.
  public func tensor(at place: Int) -> NetworkTensor { tensors[place] }

  /// The tensor of a name: a view that is valid as long as this file.
  /// - Complexity: O(log n).
  public func tensor(_ name: String) -> NetworkTensor? {
    placeOfTensor(name, tensors.elements).map { tensors[$0] }
  }

  // MARK: - Test

  /// The SHA-256 digest of the tensors of the test, in 64 hexadecimal digits; nil if the document has none.
  public var testDigest: String? { document.test.map { digest(of: [$0.input] + $0.outputs) } }

  /// The SHA-256 digest of tensors of the file, one after the other, in 64 hexadecimal digits.
  private func digest(of names: [String]) -> String {
    var digest = SHA256()
    for name in names { if let tensor = tensor(name) { digest.add(tensor.bytes) } }
    return digest.finished()
  }

  /// Checks that the tensors of the test are those whose digest the document has.
  /// - Throws: `test`.
  public func checkTestDigest() throws(NetworkError) {
    guard let test = document.test, let digest = testDigest, digest != test.sha256 else { return }
    throw .invalid(
      .test, place: "test.sha256", value: test.sha256, expected: "\(digest), that of the tensors of the test")
  }
}

extension FixedArray<UInt8> {
  /// The number of eight little-endian bytes.
  fileprivate var length: UInt64 { reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}

/// The place of the tensor of a name among those in the order of their names.
func placeOfTensor(_ name: String, _ tensors: UnsafeBufferPointer<NetworkTensor>) -> Int? {
  var (low, high) = (0, tensors.count)
  while low < high {
    let middle = (low + high) / 2
    if isBefore(tensors[middle].name, name) { low = middle + 1 } else { high = middle }
  }
  return low < tensors.count && tensors[low].name.utf8.elementsEqual(name.utf8) ? low : nil
}

/// Copies tensors that the document names and that do not lie where numbers of their type may be read.
///
/// - Returns: the memory of the copies.
/// - Throws: `document` for a name that no tensor has, `outOfMemory`.
private func alignTensors(
  of document: NetworkDocument, _ tensors: UnsafeMutableBufferPointer<NetworkTensor>
) throws(NetworkError) -> TensorStorage? {
  var places: Set<Int> = []
  for (place, name) in document.namedTensors {
    guard let index = placeOfTensor(name, UnsafeBufferPointer(tensors)) else {
      throw .invalid(
        .document, place: place, value: "\"\(shownText(name))\"", expected: "the name of a tensor of the file")
    }
    if !tensors[index].isAligned { places.insert(index) }
  }
  if places.isEmpty { return nil }
  let alignment = 8
  func room(_ index: Int) -> Int { (tensors[index].bytes.count + alignment - 1) / alignment * alignment }
  return try TensorStorage(count: places.reduce(0) { $0 + room($1) }) { (target) throws(NetworkError) in
    var start = 0
    for index in places {
      let old = tensors[index]
      let bytes = UnsafeMutableRawBufferPointer(rebasing: target[start..<start + old.bytes.count])
      bytes.copyMemory(from: old.bytes)
      start += room(index)
      tensors[index] = NetworkTensor(
        name: old.name, type: old.type, shape: old.shape, bytes: UnsafeRawBufferPointer(bytes))
    }
  }
}
