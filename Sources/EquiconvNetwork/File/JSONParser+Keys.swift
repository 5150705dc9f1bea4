// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// Objects of so few keys are checked pair by pair.
private let mostPairs = 12

extension JSONParser {
  /// Throws if an object has a key twice; `"a"` and `"\u0061"` are one key.
  ///
  /// - Complexity: O(bytes of the keys). Keys of large objects are hashed by a function that nobody can foresee, so that no
  ///   text makes this take longer.
  func checkKeys(of object: Int, count: Int) throws(NetworkError) {
    if count < 2 { return }
    if count > mostPairs { return try checkManyKeys(of: object, count: count) }
    var key = object + 1
    for number in 0..<count {
      var earlier = object + 1
      for _ in 0..<number {
        if isSame(key, earlier) { throw repeated(key) }
        earlier = Int(nodes[earlier + 1].end)
      }
      key = Int(nodes[key + 1].end)
    }
  }

  private func checkManyKeys(of object: Int, count: Int) throws(NetworkError) {
    var capacity = 1
    while capacity < 2 * count { capacity *= 2 }
    // Each place has a key's node, or 0, which is no key.
    let places = try CheckedArray<UInt32, NetworkError>(repeating: 0, count: capacity)
    var key = object + 1
    for _ in 0..<count {
      var place = hash(key) & (capacity - 1)
      while places[place] != 0 {
        if isSame(key, Int(places[place])) { throw repeated(key) }
        place = (place + 1) & (capacity - 1)
      }
      places[place] = UInt32(key)
      key = Int(nodes[key + 1].end)
    }
  }

  private func decoded(_ key: Int) -> DecodedText {
    DecodedText(UnsafeBufferPointer(rebasing: bytes[nodes[key].range]))
  }

  private func isSame(_ a: Int, _ b: Int) -> Bool {
    let isPlain = nodes[a].kind == .text && nodes[b].kind == .text
    if isPlain && nodes[a].range.count != nodes[b].range.count { return false }
    return decoded(a).elementsEqual(decoded(b))
  }

  private func hash(_ key: Int) -> Int {
    var hasher = Hasher()
    var word: UInt64 = 0
    var count = 0
    for byte in decoded(key) {
      word = word << 8 | UInt64(byte)
      count += 1
      if count % 8 == 0 { hasher.combine(word) }
    }
    hasher.combine(word)
    hasher.combine(count)
    return hasher.finalize()
  }

  private func repeated(_ key: Int) -> NetworkError {
    let range = nodes[key].range
    let shown = String(decoding: bytes[range].prefix(40), as: UTF8.self)
    return .invalid(
      kind, place: name, value: "\"\(shown)\" at byte \(range.lowerBound), a second time", expected: "each key once")
  }
}
