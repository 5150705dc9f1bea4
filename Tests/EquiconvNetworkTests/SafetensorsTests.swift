// SPDX-License-Identifier: Apache-2.0

import EquiconvNetwork
import Testing

/// A header says where each tensor is. What it says has to fit the file and itself.
@Suite struct SafetensorsTests {
  private let samples = SampleTensors.digits()

  private func sample() throws -> SampleFile {
    let file = try NetworkFile(SampleDocuments.digits(), tensors: samples.tensors)
    return SampleFile(String(decoding: try file.documentText(), as: UTF8.self), samples.tensors)
  }

  /// What a file says that `change` made of the sample.
  private func opened(_ change: (inout SampleFile) throws -> Void) throws -> String {
    var sample = try sample()
    try change(&sample)
    return message { try sample.open() }
  }

  @Test func sample_isAFile() throws { #expect(try opened { _ in } == "no error") }

  @Test func lengthsThatLie_areErrors() throws {
    let header = try sample().header.utf8.count
    let total = try sample().bytes.count
    for length in [header + 1, header - 1, 0, 1, total - 8, total - 7, 8 << 20] {
      #expect(try opened { $0.length = UInt64(length) } != "no error", "\(length)")
    }
    #expect(
      try opened { $0.length = UInt64(total - 7) }.hasSuffix("expected at most the \(total - 8) bytes that follow"))
    for length: UInt64 in [.max, 1 << 63, 1 << 62, 8_388_609] {
      #expect(
        try opened { $0.length = length }
          == "header is of \(length) bytes, as the first 8 bytes say, expected at most 8388608")
    }
    #expect(try opened { $0.length = 0 } == "header is empty, expected \"{\" as its first byte")
  }

  @Test func truncatedFiles_areErrors() throws {
    let bytes = try sample().bytes
    for count in Array(0..<40) + Array(stride(from: 40, to: bytes.count, by: 17)) + [bytes.count - 1] {
      #expect(message { try SampleFile.open(Array(bytes.prefix(count))) } != "no error", "\(count)")
    }
    #expect(
      message { try SampleFile.open(bytes + [0]) }
        == "file is of 941 bytes after its header, expected the 940 bytes of its tensors")
  }

  @Test func header_isAnObjectWithSpacesBehindIt() throws {
    #expect(try opened { $0.padding = "     " } == "no error")
    #expect(
      try opened { $0.padding = "\n" }
        == "header is 0xa at byte \(try sample().header.utf8.count), expected \"}\" as its last byte before spaces")
    for header in ["[]", " {}", "{", "{}}", "\u{FEFF}{}", "nul}", "{]}"] {
      let bytes = SampleFile.bytes(UInt64(header.utf8.count)) + Array(header.utf8)
      #expect(kind { try SampleFile.open(bytes) } == .format, "\(header)")
    }
    let empty = SampleFile.bytes(2) + Array("{}".utf8)
    #expect(
      message { try SampleFile.open(empty) }
        == "__metadata__ is without \"equiconv-network\", expected the document of a network")
  }

  @Test(arguments: [
    ("[0, 800]", "[4, 804]", ".data_offsets is [4, 804], expected a beginning of 0, where the tensor before it ends"),
    ("[0, 800]", "[0, 796]", ".data_offsets is [0, 796], expected the 800 bytes of F32 [8, 1, 5, 5]"),
    ("[0, 800]", "[800, 0]", ".data_offsets is [800, 0], expected its beginning and its end"),
    ("[0, 800]", "[-800, 0]", ".data_offsets[0] is -800, expected an integer that is not negative"),
    ("[0, 800]", "[0]", ".data_offsets is [0], expected its beginning and its end"),
    ("[0, 800]", "[0, 800, 800]", ".data_offsets is a list of 3, expected at most 2 numbers"),
    ("[0, 800]", "[0.0, 800]", ".data_offsets[0] is 0.0, expected an integer that is not negative"),
    (
      "[0, 800]", "[9223372036854775000, 9223372036854775800]",
      "expected a beginning of 0, where the tensor before it ends"
    ),
    ("[0, 800]", "[9223372036854775808, 9223372036854776608]", "expected an integer that is not negative"),
    ("[0, 800]", "{}", ".data_offsets is an object, expected a list"),
    ("[8, 1, 5, 5]", "[8, 1, 5, 6]", ".data_offsets is [0, 800], expected the 960 bytes of F32 [8, 1, 5, 6]"),
    ("[8, 1, 5, 5]", "[4294967296, 4294967296, 8]", "expected at most 2^48 numbers"),
    ("[8, 1, 5, 5]", "[281474976710657, 0]", "expected at most 2^48 numbers"),
    ("[8, 1, 5, 5]", "[8, -1, -5, 5]", ".shape[1] is -1, expected an integer that is not negative"),
    ("[8, 1, 5, 5]", "[1, 1, 1, 1, 1, 8, 1, 5, 5]", ".shape is a list of 9, expected at most 8 axes"),
    ("[8, 1, 5, 5]", "[8, 1, 5, \"5\"]", ".shape[3] is \"5\", expected an integer that is not negative"),
    ("\"F32\"", "\"F31\"", ".dtype is \"F31\", expected a type of safetensors, such as \"F32\""),
    ("\"F32\"", "\"F64\"", ".data_offsets is [0, 800], expected the 1600 bytes of F64 [8, 1, 5, 5]"),
    ("\"F32\"", "3", ".dtype is 3, expected a text"),
    ("\"dtype\"", "\"type\"", ".type is an unknown key, expected no key but \"dtype\", \"shape\", \"data_offsets\""),
    ("\"dtype\": \"F32\", ", "", ".dtype is missing, expected this key"),
  ])
  func entriesThatLie_areErrorsWithTheirPlace(_ old: String, _ new: String, _ expected: String) throws {
    let found = try opened { $0.entries[0].value.replace(old, with: new, maxReplacements: 1) }
    #expect(found.hasPrefix("tensors[\"layers.0.weight\"]") || found.hasPrefix("tensors["))
    #expect(found.hasSuffix(expected), "\(found)")
  }

  @Test func tensorsThatOverlap_areErrors() throws {
    let found = try opened { $0.entries[1].value = SampleFile.entry("F32", "[8]", "[796, 828]") }
    #expect(found.hasSuffix("expected a beginning of 800, where the tensor before it ends"))
    #expect(try opened { $0.entries[1].value = $0.entries[0].value }.contains("expected a beginning of 800"))
    // Both ends are 0.
    #expect(try opened { $0.entries.append(("empty", SampleFile.entry("F64", "[0]", "[0, 0]"))) } == "no error")
    #expect(try opened { $0.entries.append(("empty", SampleFile.entry("F64", "[0]", "[4, 4]"))) } != "no error")
  }

  @Test func numbersOfLessThanAByte_fillWholeBytes() throws {
    func entry(_ type: String, _ shape: String, _ bytes: Int) throws -> String {
      try opened {
        $0.entries.append(("small", SampleFile.entry(type, shape, "[940, \(940 + bytes)]")))
        $0.data += [UInt8](repeating: 0, count: bytes)
      }
    }
    #expect(try entry("F4", "[2, 3]", 3) == "no error")
    #expect(try entry("F6_E2M3", "[4]", 3) == "no error")
    #expect(try entry("F4", "[3]", 1).hasSuffix("shape is [3], expected numbers of 4 bits that fill whole bytes"))
    #expect(try entry("F6_E3M2", "[3]", 2).hasSuffix("shape is [3], expected numbers of 6 bits that fill whole bytes"))
  }

  @Test func namesAndMetadata_areChecked() throws {
    #expect(try opened { $0.entries.append($0.entries[0]) }.contains("a second time, expected each key once"))
    #expect(try opened { $0.entries[0].key = "" }.contains("expected a text that is not empty"))
    #expect(
      try opened { $0.entries[0].key = String(repeating: "a", count: 1025) }.contains(
        "a text of 1025 bytes, expected at most 1024"))
    #expect(try opened { $0.entries[0].key = "a\0" }.contains("expected a text without the character U+0000"))
    #expect(
      try opened { $0.entries[0].key = "other" }
        == "operations[0].weight is \"layers.0.weight\", expected the name of a tensor of the file")
    for (metadata, expected) in [
      ("{}", "__metadata__ is without"), ("[]", "__metadata__ is a list of 0, expected an object of texts"),
      ("{\"format\": 1}", "__metadata__[\"format\"] is 1, expected a text"),
      ("{\"equiconv-network\": {}}", "__metadata__[\"equiconv-network\"] is an object, expected a text"),
      ("{\"equiconv-network\": \"\"}", "document is ended at byte 0, expected a value"),
      ("{\"equiconv-network\": \"\\u0000\"}", "document is 0x0 at byte 0, expected a value"),
    ] {
      let header = "{\"__metadata__\": \(metadata)}"
      let bytes = SampleFile.bytes(UInt64(header.utf8.count)) + Array(header.utf8)
      #expect(message { try SampleFile.open(bytes) }.hasPrefix(expected), "\(metadata)")
    }
  }

  @Test func tensorsBeyondTheLimit_areAnError() throws {
    let found = try opened { sample in
      for index in 0..<16_384 { sample.entries.append(("t\(index)", SampleFile.entry("U8", "[0]", "[0, 0]"))) }
    }
    #expect(found == "header is of more tensors, expected at most 16384 tensors")
  }
}
