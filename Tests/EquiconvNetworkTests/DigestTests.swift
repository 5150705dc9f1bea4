// SPDX-License-Identifier: Apache-2.0

import EquiconvNetwork
import Testing

/// SHA-256 is that of FIPS 180-4, in pieces as at once.
@Suite struct DigestTests {
  private func digest(_ pieces: [[UInt8]]) -> String {
    var digest = SHA256()
    for piece in pieces { piece.withUnsafeBytes { digest.add($0) } }
    return digest.finished()
  }

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
  ])
  func publishedDigests(_ text: String, _ expected: String) {
    #expect(digest([Array(text.utf8)]) == expected)
  }

  @Test func digestOfPieces_isThatOfTheWhole() {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }
    for count in [0, 1, 55, 56, 63, 64, 65, 128, 300] {
      let whole = digest([Array(bytes.prefix(count))])
      for size in [1, 3, 63, 64, 65] {
        let pieces = stride(from: 0, to: count, by: size).map { Array(bytes[$0..<min(count, $0 + size)]) }
        #expect(digest(pieces) == whole, "\(count) in pieces of \(size)")
      }
    }
  }
}
