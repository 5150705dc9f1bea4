// SPDX-License-Identifier: Apache-2.0

/// Where in a document a value is, for errors: `operations[3].layer`, `groups["C4"].matrices[1][0]`.
indirect enum DocumentPlace: CustomStringConvertible {
  /// A whole, by its name.
  case root(String)
  /// The document itself, whose keys are named without it.
  case document
  case key(String, of: DocumentPlace)
  /// A key that the file chose.
  case name(String, of: DocumentPlace)
  case item(Int, of: DocumentPlace)

  var description: String {
    switch self {
    case .root(let name): name
    case .document: "document"
    case .key(let key, of: .document): key
    case .key(let key, let whole): "\(whole).\(key)"
    case .name(let name, let whole): "\(whole)[\"\(shownText(name))\"]"
    case .item(let index, let whole): "\(whole)[\(index)]"
    }
  }
}

/// A text of a file in an error: its first characters, with control characters as escapes.
func shownText(_ text: String) -> String {
  let most = 40
  var shown = ""
  for (place, scalar) in text.unicodeScalars.enumerated() {
    if place == most { return shown + "…" }
    if scalar.value < 0x20 || scalar.value == 0x7F {
      shown += "\\u{\(String(scalar.value, radix: 16))}"
    } else {
      shown.unicodeScalars.append(scalar)
    }
  }
  return shown
}
