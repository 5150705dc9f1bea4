// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import _EquiconvMemory

/// Writes documents: keys in the order of docs/NetworkFormat.md, groups in the order of their names, and the axes.
struct DocumentWriter {
  let document: NetworkDocument
  let geometry: NetworkDocument.Geometry?

  /// The document in UTF-8.
  /// - Throws: `outOfMemory`; `document` for numbers that JSON has no words for.
  func text() throws(NetworkError) -> FixedArray<UInt8> {
    try checkFinite()
    let call = Call.begin(.exact)
    defer { call.end() }
    let axes = document.axes
    var json = JSONWriter()
    try json.object { json throws(NetworkError) in
      try json.text(DocumentReader.version, for: "format")
      try json.text(document.name, for: "name")
      if let description = document.description { try json.text(description, for: "description") }
      try json.text(document.scalar.rawValue, for: "dtype")
      try writeGroups(&json)
      try writeInput(&json, axes.input)
      try json.key("operations")
      try json.list { json throws(NetworkError) in
        for (index, operation) in document.operations.enumerated() {
          try OperationWriter(operation, place: "operations[\(index)]").write(&json)
        }
      }
      try writeOutputs(&json, axes.outputs)
      try writeGeometry(&json)
      try writeTest(&json)
    }
    return json.finished()
  }

  // MARK: - Groups and input

  private func writeGroups(_ json: inout JSONWriter) throws(NetworkError) {
    try json.key("groups")
    try json.object { json throws(NetworkError) in
      for (name, group) in document.groups.sorted(by: { isBefore($0.key, $1.key) }) {
        try json.key(name)
        try json.object { json throws(NetworkError) in
          try json.key("text")
          try json.text(try engineText("groups[\"\(name)\"].text") { () throws(ConvolutionError) in try group.text() })
          try json.key("matrices")
          try json.list { json throws(NetworkError) in
            for element in 0..<group.order { try json.list(group.matrix(element)) }
          }
        }
      }
    }
  }

  private func writeInput(_ json: inout JSONWriter, _ axes: [String]) throws(NetworkError) {
    let input = document.input
    let group = input.group.flatMap { document.groups[$0] }
    try json.key("input")
    try json.object { json throws(NetworkError) in
      try json.text(input.name, for: "name")
      try json.key("dimension")
      try json.integer(input.dimension)
      try json.key("space")
      let space = group.map { input.space.normalized($0) } ?? input.space
      try json.text(try engineText("input.space") { () throws(ConvolutionError) in try space.word() })
      if let group = input.group { try json.text(group, for: "group") }
      try json.key("channels")
      try json.integer(input.channels)
      try json.key("extents")
      try json.list { json throws(NetworkError) in
        for extent in input.extents { if let extent { try json.integer(extent) } else { try json.null() } }
      }
      try json.key("axes")
      try json.list(axes)
      if let normalization = input.normalization { try write(normalization, &json) }
      if let size = input.pixelSize {
        try json.key("pixel_size")
        try json.list(size)
      }
    }
  }

  private func write(
    _ normalization: NetworkDocument.Normalization, _ json: inout JSONWriter
  ) throws(NetworkError) {
    try json.key("normalization")
    try json.object { json throws(NetworkError) in
      try json.key("scale")
      try json.number(normalization.scale)
      try json.key("mean")
      try json.list(normalization.mean)
      try json.key("deviation")
      try json.list(normalization.deviation)
    }
  }

  // MARK: - Outputs

  private func writeOutputs(_ json: inout JSONWriter, _ axes: [[String]]) throws(NetworkError) {
    try json.key("outputs")
    try json.list { json throws(NetworkError) in
      for (output, axes) in zip(document.outputs, axes) {
        try json.object { json throws(NetworkError) in
          try json.text(output.name, for: "name")
          try json.text(output.value, for: "value")
          if let classes = output.classes {
            try json.key("classes")
            try json.list(classes)
          }
          try json.key("axes")
          try json.list(axes)
        }
      }
    }
  }

  private func writeGeometry(_ json: inout JSONWriter) throws(NetworkError) {
    guard let geometry else { return }
    try json.key("geometry")
    try json.object { json throws(NetworkError) in
      try json.key("stride")
      try json.list { json throws(NetworkError) in
        for stride in geometry.stride { if let stride { try json.plain(stride) } else { try json.null() } }
      }
      try json.key("receptive_field")
      try json.list { json throws(NetworkError) in
        for field in geometry.receptiveField { if let field { try json.integer(field) } else { try json.null() } }
      }
    }
  }

  private func writeTest(_ json: inout JSONWriter) throws(NetworkError) {
    guard let test = document.test else { return }
    try json.key("test")
    try json.object { json throws(NetworkError) in
      try json.text(test.input, for: "input")
      try json.key("outputs")
      try json.list(test.outputs)
      try json.text(test.sha256, for: "sha256")
    }
  }

  // MARK: - Checks

  /// All else that a reader refuses is checked by reading the text again.
  private func checkFinite() throws(NetworkError) {
    let normalization = document.input.normalization
    try check([normalization?.scale ?? 1], "input.normalization.scale")
    try check(normalization?.mean ?? [], "input.normalization.mean")
    try check(normalization?.deviation ?? [], "input.normalization.deviation")
    try check(document.input.pixelSize ?? [], "input.pixel_size")
    try check(geometry?.stride.compactMap { $0 } ?? [], "geometry.stride")
    for (index, operation) in document.operations.enumerated() {
      for (key, number) in operation.kind.numbers { try check([number], "operations[\(index)].\(key)") }
    }
  }

  private func check(_ numbers: [Double], _ place: String) throws(NetworkError) {
    if let number = numbers.first(where: { !$0.isFinite }) {
      throw .invalid(.document, place: place, value: "\(number)", expected: "finite numbers")
    }
  }
}

/// The text that the engine writes for a value at a place.
func engineText(
  _ place: String, _ text: () throws(ConvolutionError) -> FixedArray<UInt8>
) throws(NetworkError) -> FixedArray<UInt8> {
  do throws(ConvolutionError) { return try text() } catch { throw .layer(error, place: place) }
}

extension JSONWriter {
  mutating func text(_ value: String, for key: String) throws(NetworkError) {
    try self.key(key)
    try text(value)
  }

  /// A number, as an integer if it is one.
  mutating func plain(_ value: Double) throws(NetworkError) {
    if let integer = Int(exactly: value), abs(value) < 1e15 { return try self.integer(integer) }
    try number(value)
  }
}
