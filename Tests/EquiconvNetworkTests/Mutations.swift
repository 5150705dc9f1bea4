// SPDX-License-Identifier: Apache-2.0

import EquiconvNetwork
import _EquiconvTestSupport

/// Files with one or a few things wrong, of which most are still files of some kind.
struct Mutations {
  var random: SplitMix64
  private let samples: [(tree: JSONTree, texts: [String], file: SampleFile)]

  init(seed: UInt64) throws {
    random = SplitMix64(seed: seed)
    let (digits, everything) = (SampleTensors.digits(), SampleTensors.everything())
    // Networks that run: the operations of `everything` do not fit its tensors.
    let sketches = [
      ExactNetworkTests.sketch(.cyclic4, strided: true), ExactNetworkTests.sketch(.dihedral4, strided: false),
    ]
    var networks = [
      (try SampleDocuments.digits(), digits.tensors), (try SampleDocuments.everything(), everything.tensors),
    ]
    for sketch in sketches {
      networks.append((sketch.document, sketch.numbers.keys.sorted().compactMap(sketch.tensor)))
    }
    samples = try networks.map { document, tensors in
      let geometry = NetworkDocument.Geometry(stride: [1, 2], receptiveField: [5, nil])
      let file = try NetworkFile(document, geometry: geometry, tensors: tensors)
      let text = String(decoding: try file.documentText(), as: UTF8.self)
      let tree = try JSONTree(text)
      return (tree, tree.texts, SampleFile(text, tensors))
    }
    withExtendedLifetime((digits, everything, sketches)) {}
  }

  private mutating func one<T>(of choices: [T]) -> T { choices[Int.random(in: 0..<choices.count, using: &random)] }

  /// The bytes of the next file.
  mutating func next() -> [UInt8] {
    let (tree, texts, sample) = one(of: samples)
    var file = sample
    switch Int.random(in: 0..<10, using: &random) {
    case 0...4:
      var tree = tree
      for _ in 0..<one(of: [1, 1, 1, 2, 5]) { mutate(&tree, texts) }
      file.document = tree.text
      return file.bytes
    case 5...6:
      for _ in 0..<one(of: [1, 1, 2]) { mutateHeader(&file) }
      return file.bytes
    case 7:
      file.document = withBytesChanged(file.document)
      return file.bytes
    default: return withBytesChanged(file.bytes)
    }
  }

  // MARK: - Documents

  private static let keys = [
    "format", "name", "kind", "inputs", "output", "layer", "weight", "axes", "mode", "stabilizer", "groups", "test",
    "x", "",
  ]

  private static let numbers = [
    "0", "-0", "-1", "1", "2", "2.0", "1e0", "0.5", "7", "8", "4095", "4096", "65536", "2147483648", "4294967296",
    "281474976710656", "281474976710657", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "1e308", "1e309", "-1e308", "5e-324", "1e-400", "99999999999999999999999999", "NaN", "Infinity", "null", "true",
  ]

  /// Texts are what others may be replaced by.
  private mutating func mutate(_ tree: inout JSONTree, _ texts: [String]) {
    let (first, second) = (one(of: texts), one(of: texts))
    tree.change(Int.random(in: 0..<tree.count, using: &random)) { value in
      switch Int.random(in: 0..<8, using: &random) {
      case 0: value = .raw(one(of: Self.numbers))
      // A name of another value: cycles, values that read themselves, names that collide.
      case 1, 2: value = .text(first)
      case 3: value = one(of: [.list([]), .object([]), .text(""), .list([value]), .list([value, value])])
      case 4: value = .text(text(from: second))
      case 5: value = .raw(nested())
      default: mutateMembers(&value)
      }
    }
  }

  /// Members that are missing, twice there, new, or in another order.
  private mutating func mutateMembers(_ value: inout JSONTree) {
    switch value {
    case .object(var members) where !members.isEmpty:
      let place = Int.random(in: 0..<members.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: members.remove(at: place)
      case 1: members.append(members[place])
      case 2: members[place].key = one(of: Self.keys)
      case 3: members.append((one(of: Self.keys), members[place].value))
      default: members.shuffle(using: &random)
      }
      value = .object(members)
    case .list(var items) where !items.isEmpty:
      let place = Int.random(in: 0..<items.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: items.remove(at: place)
      case 1: items.append(items[place])
      case 2: items.insert(.raw(one(of: Self.numbers)), at: place)
      default: items.shuffle(using: &random)
      }
      value = .list(items)
    case .text(let words): value = .text(text(from: words))
    default: value = .raw(one(of: Self.numbers))
    }
  }

  /// A text with a few characters changed.
  private mutating func text(from words: String) -> String {
    var scalars = Array(words.unicodeScalars)
    let new: [Unicode.Scalar] = [
      "\0", "0", "1", "9", "-", ",", "[", "]", "(", ")", "=", " ", "é", "e", "\u{301}", "\u{10FFFF}",
    ]
    for _ in 0..<one(of: [1, 1, 2, 4]) {
      let place = Int.random(in: 0...scalars.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0 where place < scalars.count: scalars.remove(at: place)
      case 1: scalars.insert(one(of: new), at: place)
      case 2: scalars += [Unicode.Scalar](repeating: one(of: new), count: one(of: [1, 30, 2000]))
      case 3 where place < scalars.count: scalars[place] = one(of: new)
      default: scalars.insert(contentsOf: scalars, at: place)
      }
    }
    return String(String.UnicodeScalarView(scalars))
  }

  private mutating func nested() -> String {
    let depth = one(of: [1, 20, 31, 32, 33, 1000, 100_000])
    let open = one(of: ["[", "{\"a\":"])
    let isClosed = Bool.random(using: &random)
    let close = open == "[" ? "]" : "}"
    return String(repeating: open, count: depth) + "0" + (isClosed ? String(repeating: close, count: depth) : "")
  }

  // MARK: - Headers

  private mutating func mutateHeader(_ file: inout SampleFile) {
    let place = Int.random(in: 0..<file.entries.count, using: &random)
    let number = { (mutations: inout Mutations) in mutations.one(of: Self.numbers) }
    switch Int.random(in: 0..<9, using: &random) {
    case 0:
      file.length = UInt64(bitPattern: Int64(Int.random(in: -20...20, using: &random)) &+ Int64(file.header.utf8.count))
    case 1: file.length = one(of: [0, 1, 7, 8, .max, 1 << 63, 1 << 31, 8 << 20, 8 << 20 | 1, random.next()])
    case 2:
      file.entries[place].value = SampleFile.entry("F64", "[\(number(&self))]", "[\(number(&self)), \(number(&self))]")
    case 3:
      guard var tree = try? JSONTree(file.entries[place].value) else { return }
      mutate(&tree, ["F64", "dtype", ""])
      file.entries[place].value = tree.text
    case 4:
      let type = one(of: TensorType.allCases.map(\.rawValue) + ["F128", "", "f32"])
      let old = file.entries[place].value
      let types = old.split(separator: "\"", omittingEmptySubsequences: false)
      if types.count < 4 { return }
      file.entries[place].value = old.replacing("\"\(types[3])\"", with: "\"\(type)\"", maxReplacements: 1)
    case 5: file.entries.swapAt(place, Int.random(in: 0..<file.entries.count, using: &random))
    case 6: file.entries[place].key = one(of: [file.entries[0].key, "", "__metadata__", "a\u{301}", "á", "\0"])
    case 7: file.entries.remove(at: place)
    default:
      let count = Int.random(in: 0..<64, using: &random)
      if Bool.random(using: &random) {
        file.data.removeLast(min(count, file.data.count))
      } else {
        file.data += Array(repeating: 1, count: count)
      }
    }
    if file.entries.isEmpty { file.entries = [("a", SampleFile.entry("U8", "[0]", "[0, 0]"))] }
  }

  // MARK: - Bytes

  private mutating func withBytesChanged(_ text: String) -> String {
    // Not valid UTF-8 bytes are replaced, which is a mutation too.
    String(decoding: withBytesChanged(Array(text.utf8)), as: UTF8.self)
  }

  private mutating func withBytesChanged(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<one(of: [1, 1, 1, 2, 8]) where !bytes.isEmpty {
      let place = Int.random(in: 0..<min(bytes.count, one(of: [16, 400, 1 << 30])), using: &random)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: bytes[place] = one(of: [0, 0x22, 0x5C, 0x7B, 0x5B, 0x2C, 0x80, 0xC0, 0xED, 0xFF])
      case 2: bytes.remove(at: place)
      case 3: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
      case 4: bytes.removeLast(bytes.count - place)
      default:
        let end = min(bytes.count, place + Int.random(in: 1..<200, using: &random))
        bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
      }
    }
    return bytes
  }
}
