// SPDX-License-Identifier: Apache-2.0

public import _EquiconvMemory

extension NetworkFile {
  /// Writes the file, in its canonical form: the same document and tensors give the same bytes.
  ///
  /// It is written beside its place, and takes its name when all of it is on the disk: a reader sees the old file or the new
  /// one, whole. Where there is a link, the file that it points at is replaced.
  ///
  /// - Parameters:
  ///   - path: Where to.
  ///   - geometry: Of the first output; by default what the document said.
  /// - Throws: `file`, with the words of the system; `limit` for a header of more than 8 MiB; `document` for a geometry that
  ///   no document may have; `outOfMemory`.
  public func write(to path: String, geometry: NetworkDocument.Geometry? = nil) throws(NetworkError) {
    let order = writingOrder(tensors)
    let header = try header(order, geometry)
    let file = try FileToWrite(path)
    var length = UInt64(header.count).littleEndian
    // What `withUnsafeBytes` calls cannot throw typed errors.
    let failure: NetworkError? = withUnsafeBytes(of: &length) { bytes in
      do throws(NetworkError) {
        try file.write(bytes)
        return nil
      } catch { return error }
    }
    if let failure { throw failure }
    try file.write(UnsafeRawBufferPointer(header.elements))
    withExtendedLifetime(header) {}
    for index in order { try file.write(tensors[index].bytes) }
    try file.finish()
  }

  /// The document that `write` puts into the file, in UTF-8, axes and geometry included.
  ///
  /// - Parameter geometry: Of the first output; by default what the document said.
  /// - Throws: `document` for a geometry that no document may have; `outOfMemory`.
  public func documentText(geometry: NetworkDocument.Geometry? = nil) throws(NetworkError) -> FixedArray<UInt8> {
    let text = try DocumentWriter(document: document, geometry: geometry ?? self.geometry).text()
    if geometry != nil { _ = try DocumentContents(text) }
    return text
  }

  /// The header of tensors in this order, with spaces behind it so that their numbers are aligned.
  private func header(_ order: [Int], _ geometry: NetworkDocument.Geometry?) throws(NetworkError) -> FixedArray<UInt8> {
    let document = try documentText(geometry: geometry)
    var json = JSONWriter()
    try json.object { json throws(NetworkError) in
      try json.key(SafetensorsHeader.metadataKey)
      try json.object { json throws(NetworkError) in
        try json.key(SafetensorsHeader.documentKey)
        try json.text(document)
      }
      var start = 0
      for index in order {
        let tensor = tensors[index]
        try json.key(tensor.name)
        try json.object { json throws(NetworkError) in
          try json.text(tensor.type.rawValue, for: "dtype")
          try json.key("shape")
          try json.list(tensor.shape)
          try json.key("data_offsets")
          try json.list([start, start + tensor.bytes.count])
        }
        start += tensor.bytes.count
      }
    }
    try json.pad(to: 8)
    let header = json.finished()
    if header.count > Limits.header {
      throw .invalid(.limit, place: "header", value: "of \(header.count) bytes", expected: "at most \(Limits.header)")
    }
    return header
  }
}
