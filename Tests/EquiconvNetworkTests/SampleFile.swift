// SPDX-License-Identifier: Apache-2.0

import EquiconvNetwork

/// The bytes of a network file in parts, each of which a test may break. Nothing here is the library's own writer.
struct SampleFile {
  /// Of tensors and the metadata, in order, without the document.
  var entries: [(key: String, value: String)]
  /// JSON.
  var document: String
  /// What the first eight bytes say; nil for the header's length.
  var length: UInt64?
  /// Behind the header's object.
  var padding = ""
  var data: [UInt8]

  /// A document and tensors one after the other.
  init(_ document: String, _ tensors: [NetworkTensor]) {
    self.document = document
    entries = []
    data = []
    for tensor in tensors {
      let end = data.count + tensor.bytes.count
      entries.append((tensor.name, Self.entry(tensor.type.rawValue, "\(tensor.shape)", "[\(data.count), \(end)]")))
      data += tensor.bytes
    }
  }

  static func entry(_ type: String, _ shape: String, _ offsets: String) -> String {
    "{\"dtype\": \"\(type)\", \"shape\": \(shape), \"data_offsets\": \(offsets)}"
  }

  /// `{"__metadata__": {"equiconv-network": "…"}, "a": {…}, …}`
  var header: String {
    let metadata = "\"__metadata__\": {\"equiconv-network\": \(Self.quoted(document))}"
    return "{" + ([metadata] + entries.map { "\(Self.quoted($0.key)): \($0.value)" }).joined(separator: ", ") + "}"
  }

  var bytes: [UInt8] {
    let header = Array((header + padding).utf8)
    return Self.bytes(length ?? UInt64(header.count)) + header + data
  }

  static func bytes(_ length: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } }

  /// A text between quotes.
  static func quoted(_ text: String) -> String {
    var quoted: [UInt8] = [0x22]
    for byte in text.utf8 {
      switch byte {
      case 0x22, 0x5C: quoted += [0x5C, byte]
      case 0x0A: quoted += [0x5C, 0x6E]
      case 0..<0x20: quoted += Array("\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
      default: quoted.append(byte)
      }
    }
    return String(decoding: quoted + [0x22], as: UTF8.self)
  }

  /// The network that these bytes are.
  func open() throws -> NetworkFile { try Self.open(bytes) }

  static func open(_ bytes: [UInt8]) throws -> NetworkFile {
    try bytes.withUnsafeBytes { try NetworkFile(copying: $0) }
  }
}

/// What an error says, or that there was none.
func message(_ body: () throws -> some Any) -> String {
  do {
    _ = try body()
    return "no error"
  } catch let error as NetworkError { return error.description } catch { return "another error: \(error)" }
}

/// The kind of an error.
func kind(_ body: () throws -> some Any) -> NetworkError.Kind? {
  do { _ = try body() } catch NetworkError.invalid(let kind, _, _, _) { return kind } catch {}
  return nil
}
