// SPDX-License-Identifier: Apache-2.0

extension JSONParser {
  /// Throws where the text is no valid UTF-8: overlong characters, surrogates and what is beyond U+10FFFF included.
  mutating func checkUTF8() throws(NetworkError) {
    let whole = UnsafeRawBufferPointer(bytes)
    var index = 0
    while index < bytes.count {
      // Most texts are ASCII, of which eight bytes are looked at together.
      if index + 8 <= bytes.count,
        whole.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      {
        index += 8
        continue
      }
      let length = characterLength(at: index)
      if length == 0 {
        place = index
        throw unexpected("valid UTF-8")
      }
      index += length
    }
  }

  /// The bytes of the character that begins there, or 0 for none.
  private func characterLength(at index: Int) -> Int {
    let first = bytes[index]
    let second: ClosedRange<UInt8>
    let length: Int
    switch first {
    case 0..<0x80: return 1
    case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: return 0
    }
    guard index + length <= bytes.count, second.contains(bytes[index + 1]) else { return 0 }
    return bytes[index + 2..<max(index + 2, index + length)].allSatisfy { $0 & 0xC0 == 0x80 } ? length : 0
  }
}
