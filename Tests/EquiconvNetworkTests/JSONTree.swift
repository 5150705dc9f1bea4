// SPDX-License-Identifier: Apache-2.0

import EquiconvNetwork
import _EquiconvMemory

/// A JSON text as a tree, which a test may change anywhere.
indirect enum JSONTree {
  /// A number, true, false or null, or anything else, as it stands in the text.
  case raw(String)
  case text(String)
  case list([JSONTree])
  case object([(key: String, value: JSONTree)])

  init(_ text: String) throws {
    self.init(try JSON(FixedArray(small: Array(text.utf8)), name: "text", kind: .format).root)
  }

  private init(_ value: JSON.Value) {
    self =
      switch value {
      case .null: .raw("null")
      case .bool(let value): .raw("\(value)")
      case .integer(let value): .raw("\(value)")
      case .number(let value): .raw("\(value)")
      case .text(let text): .text(text.string)
      case .list(let list): .list(list.map { JSONTree($0) })
      case .object(let object): .object(object.map { ($0.key.string, JSONTree($0.value)) })
      }
  }

  var text: String {
    switch self {
    case .raw(let text): text
    case .text(let text): SampleFile.quoted(text)
    case .list(let items): "[" + items.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { "\(SampleFile.quoted($0.key)):\($0.value.text)" }.joined(separator: ",") + "}"
    }
  }

  /// The number of values in it, itself included.
  var count: Int {
    switch self {
    case .raw, .text: 1
    case .list(let items): items.reduce(1) { $0 + $1.count }
    case .object(let members): members.reduce(1) { $0 + $1.value.count }
    }
  }

  /// Changes the value of this number, in the order of the text.
  mutating func change(_ number: Int, _ change: (inout JSONTree) -> Void) {
    if number == 0 { return change(&self) }
    var left = number - 1
    switch self {
    case .raw, .text: break
    case .list(var items):
      for index in items.indices {
        if left < items[index].count {
          items[index].change(left, change)
          break
        }
        left -= items[index].count
      }
      self = .list(items)
    case .object(var members):
      for index in members.indices {
        if left < members[index].value.count {
          members[index].value.change(left, change)
          break
        }
        left -= members[index].value.count
      }
      self = .object(members)
    }
  }

  /// All texts in it.
  var texts: [String] {
    switch self {
    case .raw: []
    case .text(let text): [text]
    case .list(let items): items.flatMap(\.texts)
    case .object(let members): members.flatMap(\.value.texts)
    }
  }
}
