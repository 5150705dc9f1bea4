// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors
import _EquiconvMemory

/// What a document says: a `NetworkDocument`, and what is derived from it.
struct DocumentContents {
  let document: NetworkDocument
  let geometry: NetworkDocument.Geometry?

  /// Reads a document, in UTF-8.
  ///
  /// - Throws: `document` with the place of what is wrong: in JSON, in a key, in a value, in a name that is used before
  ///   it is defined; `version`, `operation`, `limit`; `layer`, `group` and `basis` for texts; `outOfMemory`.
  init(_ text: FixedArray<UInt8>) throws(NetworkError) {
    // The document's values are arrays and texts of the language, which end the process where memory is short. Asking for
    // as much before finds that out.
    _ = try CheckedArray<UInt8, NetworkError>(capacity: 16 * text.count)
    let call = Call.begin(.exact)
    defer { call.end() }
    let json = try JSON(text, name: "document", kind: .document)
    let reader = try DocumentReader(json)
    document = try reader.document()
    geometry = try reader.geometry(dimension: document.input.dimension)
    try document.checkNames()
    try reader.checkAxes(document)
  }
}

/// Reads the keys of a document.
struct DocumentReader {
  static let version = "equiconv-network/1"

  let whole: DocumentObject

  init(_ json: JSON) throws(NetworkError) {
    whole = try DocumentObject(DocumentValue(json.root, .document))
    // Of another version nothing else is looked at.
    let format = try whole.value("format")
    guard case .text(let text) = format.value, text == Self.version else {
      throw format.error("\"\(Self.version)\"", .version)
    }
    try whole.check([
      "format", "name", "description", "dtype", "groups", "input", "operations", "outputs", "geometry", "test",
    ])
  }

  func document() throws(NetworkError) -> NetworkDocument {
    let name = try whole.value("name").name()
    let description = try whole.optional("description")?.text(0...Limits.description)
    let scalar = try whole.value("dtype").choice(NetworkDocument.Scalar.allCases.map { ($0.rawValue, $0) })
    let groups = try DocumentGroups(try whole.value("groups"))
    let input = try input(try whole.value("input"), groups)
    var operations = OperationReader(dimension: input.dimension, groups: groups)
    try operations.read(try whole.value("operations"))
    return NetworkDocument(
      name: name, description: description, scalar: scalar, groups: groups.byName, input: input,
      operations: operations.operations, outputs: try outputs(), test: try test())
  }

  // MARK: - Outputs

  private func outputs() throws(NetworkError) -> [NetworkDocument.Output] {
    var outputs: [NetworkDocument.Output] = []
    let list = try whole.value("outputs")
    try list.each(atMost: Limits.outputs, "outputs") { (item) throws(NetworkError) in
      let fields = try DocumentObject(item, keys: ["name", "value", "classes", "axes"])
      outputs.append(
        NetworkDocument.Output(
          name: try fields.value("name").name(), value: try fields.value("value").name(),
          classes: try fields.optional("classes")?.names(1...Limits.classes, "classes")))
    }
    if outputs.isEmpty { throw list.error("at least one output") }
    return outputs
  }

  private func test() throws(NetworkError) -> NetworkDocument.Test? {
    guard let value = whole.optional("test") else { return nil }
    let fields = try DocumentObject(value, keys: ["input", "outputs", "sha256"])
    let digest = try fields.value("sha256")
    let digits = try digest.name()
    let isDigest =
      digits.utf8.count == 64 && digits.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    if !isDigest { throw digest.error("64 hexadecimal digits in lower case") }
    return NetworkDocument.Test(
      input: try fields.value("input").name(),
      outputs: try fields.value("outputs").names(1...Limits.outputs, "outputs"), sha256: digits)
  }

  // MARK: - What is derived

  func geometry(dimension: Int) throws(NetworkError) -> NetworkDocument.Geometry? {
    guard let value = whole.optional("geometry") else { return nil }
    let fields = try DocumentObject(value, keys: ["stride", "receptive_field"])
    let strides = try fields.value("stride")
    var stride: [Double?] = []
    let count = try strides.each(atMost: dimension, "axes") { (item) throws(NetworkError) in
      if item.isNull { return stride.append(nil) }
      let number = try item.number()
      if number <= 0 { throw item.error("a positive number") }
      stride.append(number)
    }
    if count != dimension { throw strides.error("a list of \(dimension)") }
    let field = try fields.value("receptive_field").integersOrNull(dimension, in: 1...Limits.size)
    return NetworkDocument.Geometry(stride: stride, receptiveField: field)
  }

  /// Axes that are there have to be those that follow from the document.
  func checkAxes(_ document: NetworkDocument) throws(NetworkError) {
    let axes = document.axes
    try checkAxes(try DocumentObject(try whole.value("input")), axes.input)
    var index = 0
    try whole.value("outputs").each(atMost: Limits.outputs, "outputs") { (item) throws(NetworkError) in
      try checkAxes(try DocumentObject(item), axes.outputs[index])
      index += 1
    }
  }

  private func checkAxes(_ fields: DocumentObject, _ axes: [String]) throws(NetworkError) {
    guard let value = fields.optional("axes") else { return }
    let names = try value.names(1...Limits.axes, "axes")
    if names != axes { throw value.error(quoted(axes), showing: quoted(names)) }
  }
}

/// Names as Swift prints them, for example ["row", "column"].
private func quoted(_ names: [String]) -> String { listText(names.map { "\"\($0)\"" }) }
