// SPDX-License-Identifier: Apache-2.0

import EquiconvNetwork
import Testing
import _EquiconvMemory
import _EquiconvTestSupport

/// JSON is read as RFC 8259 has it, and nothing else is.
@Suite struct JSONTests {
  private func read(_ bytes: [UInt8]) throws -> JSON {
    try JSON(FixedArray(small: bytes), name: "text", kind: .format)
  }

  private func read(_ text: String) throws -> JSON { try read(Array(text.utf8)) }

  /// The text that a value is written as.
  private func written(_ value: JSON.Value) throws -> String {
    var json = JSONWriter()
    try write(value, &json)
    return String(decoding: json.finished(), as: UTF8.self)
  }

  private func write(_ value: JSON.Value, _ json: inout JSONWriter) throws(NetworkError) {
    switch value {
    case .null: try json.null()
    case .bool(let value): try json.bool(value)
    case .integer(let value): try json.integer(value)
    case .number(let value): try json.number(value)
    case .text(let text): try json.text(try text.decoded())
    case .list(let list):
      try json.list { (json: inout JSONWriter) throws(NetworkError) in for item in list { try write(item, &json) } }
    case .object(let object):
      try json.object { (json: inout JSONWriter) throws(NetworkError) in
        for (key, value) in object {
          try json.key(key.string)
          try write(value, &json)
        }
      }
    }
  }

  @Test(arguments: [
    ("null", "null"), (" true\n", "true"), ("\t[\r\n]", "[]"), ("{ }", "{}"),
    ("[false,{\"a\":[]}, 1]", "[false,{\"a\":[]},1]"),
    ("0", "0"), ("-1", "-1"), ("9223372036854775807", "9223372036854775807"),
    ("-9223372036854775808", "-9223372036854775808"), ("9223372036854775808", "9.223372036854776e+18"),
    ("1.0", "1.0"), ("1e2", "100.0"), ("-0", "-0.0"), ("-0.0", "-0.0"), ("1E-7", "1e-07"), ("0.1", "0.1"),
    ("5e-324", "5e-324"), ("2e-324", "0.0"), ("1.7976931348623157e308", "1.7976931348623157e+308"),
    ("0.1000000000000000055511151231257827021181583404541015625", "0.1"),
    ("2.4703282292062327208e-324", "0.0"), ("2.4703282292062328e-324", "5e-324"),
    ("\"\"", "\"\""), ("\"\\u0041\\/\\b\\f\\n\\r\\t\\\"\\\\\"", "\"A/\\u0008\\u000c\\n\\r\\t\\\"\\\\\""),
    ("\"\\u00e9\\u20AC\\ud83d\\uDE00é€😀\"", "\"é€😀é€😀\""), ("\"\\u0000\\u001f\u{7f}\"", "\"\\u0000\\u001f\u{7f}\""),
  ])
  func validTexts_areReadAndWritten(_ text: String, _ expected: String) throws {
    #expect(try written(try read(text).root) == expected)
    #expect(try written(try read(expected).root) == expected)
  }

  @Test(arguments: [
    ("", "ended at byte 0, expected a value"), ("  ", "ended at byte 2, expected a value"),
    ("nul", "\"nul\" at byte 0, expected a value"), ("[1,]", "\"]\" at byte 3, expected a value"),
    ("[1 2]", "\"2]\" at byte 3, expected \",\" or \"]\""), ("[1", "ended at byte 2, expected \",\" or \"]\""),
    ("{\"a\":1,}", "\"}\" at byte 7, expected a key"), ("{a:1}", "\"a:1}\" at byte 1, expected a key"),
    ("{\"a\" 1}", "\"1}\" at byte 5, expected \":\""), ("{\"a\":1", "ended at byte 6, expected \",\" or \"}\""),
    ("1 2", "\"2\" at byte 2, expected the end of the text"),
    ("nullx", "\"x\" at byte 4, expected the end of the text"),
    ("01", "\"01\" at byte 0, expected a number without leading zeros"), ("-", "ended at byte 1, expected a digit"),
    ("1.", "ended at byte 2, expected a digit"), (".5", "\".5\" at byte 0, expected a value"),
    ("1e+", "ended at byte 3, expected a digit"), ("+1", "\"+1\" at byte 0, expected a value"),
    ("1e309", "\"1e309\" at byte 0, expected a number of 64-bit floating point"),
    ("NaN", "\"NaN\" at byte 0, expected a value"), ("Infinity", "\"Infinity\" at byte 0, expected a value"),
    ("'a'", "\"'a'\" at byte 0, expected a value"), ("\"a", "ended at byte 2, expected the end of a text"),
    ("\"\u{1}\"", "0x1 at byte 1, expected no control character in a text"),
    ("\"\\x\"", "\"\\x\"\" at byte 1, expected an escape"), ("\"\\", "\"\\\" at byte 1, expected an escape"),
    ("\"\\u12g4\"", "\"\\u12g4\"\" at byte 1, expected \\u and four hexadecimal digits"),
    ("\"\\ud800\"", "\"\\ud800\"\" at byte 1, expected the second surrogate after the first"),
    ("\"\\ud800\\u0041\"", "\"\\ud800\\u0041\"\" at byte 1, expected the second surrogate after the first"),
    ("\"\\udc00\"", "\"\\udc00\"\" at byte 1, expected the first of two surrogates before the second"),
    ("{\"a\":1,\"\\u0061\":2}", "\"\\u0061\" at byte 8, a second time, expected each key once"),
    ("// a\n1", "\"// a\" at byte 0, expected a value"), ("[1]]", "\"]\" at byte 3, expected the end of the text"),
  ])
  func otherTexts_areErrorsWithTheirPlace(_ text: String, _ expected: String) {
    #expect(message { try read(text) } == "text is \(expected)")
    #expect(kind { try read(text) } == .format)
  }

  @Test(arguments: [
    [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x20], [0xE0, 0x9F, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82],
    [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE], [0xE2, 0x28, 0xA1],
    [0xF0, 0x9F, 0x98],
  ])
  func bytesThatAreNoUTF8_areErrors(_ bytes: [UInt8]) {
    for before in 0..<9 {
      let text = [0x22] + [UInt8](repeating: 0x61, count: before) + bytes + [0x22]
      #expect(message { try read(text) }.hasSuffix("at byte \(before + 1), expected valid UTF-8"))
    }
  }

  @Test func validUTF8_isThatOfTheStandardLibrary() throws {
    var random = SplitMix64(seed: 1)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 1..<6, using: &random)).map { _ -> UInt8 in
        let lead: [UInt8] = [0x41, 0x80, 0xBF, 0xC2, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0x9F, 0xA0, 0x8F, 0x90]
        return lead[Int.random(in: 0..<lead.count, using: &random)]
      }
      let isValid = String(validating: bytes, as: UTF8.self) != nil
      #expect(((try? read([0x22] + bytes + [0x22])) != nil) == isValid, "\(bytes)")
    }
  }

  @Test func depth_isAtMost32() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(throws: Never.self) { try read(nested(32)) }
    #expect(kind { try read(nested(33)) } == .limit)
    #expect(kind { try read(String(repeating: "{\"a\":[", count: 1 << 20)) } == .limit)
  }

  @Test func numbers_haveAtMost128Bytes() throws {
    #expect(throws: Never.self) { try read("0." + String(repeating: "3", count: 126)) }
    #expect(kind { try read("0." + String(repeating: "3", count: 127)) } == .limit)
    #expect(kind { try read(String(repeating: "9", count: 1 << 20)) } == .limit)
  }

  @Test func numbers_comeBackBitForBit() throws {
    var random = SplitMix64(seed: 2)
    var values = [0, -0.0, 1, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude, 0.1, 1e22, 1e23]
    while values.count < 20_000 {
      let value = Double(bitPattern: random.next())
      if value.isFinite { values.append(value) }
    }
    var json = JSONWriter()
    try json.list(values)
    guard case .list(let list) = try JSON(json.finished(), name: "text", kind: .format).root else {
      Issue.record("no list")
      return
    }
    for (value, again) in zip(values, list) {
      guard case .number(let again) = again else {
        Issue.record("\(value) is \(again)")
        continue
      }
      #expect(again.bitPattern == value.bitPattern)
    }
  }

  /// Many keys are looked up by their hashes, few are compared.
  @Test(arguments: [2, 12, 13, 1000])
  func keyThatIsThereTwice_isAnError(_ count: Int) throws {
    let keys = (0..<count).map { "\"key é \($0)\":\($0)" }
    let text = "{" + keys.joined(separator: ",")
    guard case .object(let object) = try read(text + "}").root else {
      Issue.record("no object")
      return
    }
    #expect(object.count == count)
    #expect(object.map(\.key.string) == (0..<count).map { "key é \($0)" })
    #expect(kind { try read(text + ",\"key \\u00e9 \(count / 2)\":0}") } == .format)
  }

  @Test func randomValues_comeBack() throws {
    var random = SplitMix64(seed: 3)
    func value(_ depth: Int) -> String {
      switch Int.random(in: 0..<(depth > 4 ? 5 : 7), using: &random) {
      case 0: return ["null", "true", "false"][Int.random(in: 0..<3, using: &random)]
      case 1: return "\(Int.random(in: Int.min...Int.max, using: &random))"
      case 2: return "\(Double.random(in: -1e9...1e9, using: &random))"
      case 3, 4:
        let scalars = (0..<Int.random(in: 0..<9, using: &random)).map { _ -> Unicode.Scalar in
          Unicode.Scalar(UInt32.random(in: 1..<0x11_0000, using: &random)) ?? "\\"
        }
        return SampleFile.quoted(String(String.UnicodeScalarView(scalars)))
      case 5:
        let items = (0..<Int.random(in: 0..<5, using: &random)).map { _ in value(depth + 1) }
        return "[" + items.joined(separator: ",") + "]"
      default:
        let items = (0..<Int.random(in: 0..<5, using: &random)).map { "\"\($0)\":\(value(depth + 1))" }
        return "{" + items.joined(separator: ",") + "}"
      }
    }
    for _ in 0..<2000 {
      let once = try written(try read(value(0)).root)
      #expect(try written(try read(once).root) == once)
    }
  }
}
