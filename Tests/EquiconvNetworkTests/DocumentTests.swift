// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import EquiconvNetwork
import Testing

/// A document that says what it may not say is an error that names the place, what is there and what was expected.
@Suite struct DocumentTests {
  /// What a file says whose document has `new` in place of the first `old`.
  private func opened(_ old: String, _ new: String, everything: Bool = false) throws -> String {
    let samples = everything ? SampleTensors.everything() : SampleTensors.digits()
    let document = try everything ? SampleDocuments.everything() : SampleDocuments.digits()
    let file = try NetworkFile(
      document, geometry: .init(stride: [2, nil], receptiveField: [nil, 5]), tensors: samples.tensors)
    let text = String(decoding: try file.documentText(), as: UTF8.self)
    try #require(text.contains(old), "\(old)")
    return message { try SampleFile(text.replacing(old, with: new, maxReplacements: 1), samples.tensors).open() }
  }

  @Test(arguments: [
    ("equiconv-network/1", "equiconv-network/2", "format is \"equiconv-network/2\", expected \"equiconv-network/1\""),
    ("\"equiconv-network/1\"", "1", "format is 1, expected \"equiconv-network/1\""),
    ("\"format\":\"equiconv-network/1\",", "", "format is missing, expected this key"),
    ("\"name\":\"digits\",", "", "name is missing, expected this key"),
    ("\"digits\"", "\"\"", "name is \"\", expected a text that is not empty"),
    ("\"digits\"", "null", "name is null, expected a text"),
    ("\"dtype\":\"float32\"", "\"dtype\":\"float16\"", "dtype is \"float16\", expected \"float32\" or \"float64\""),
    (
      "\"dtype\":", "\"author\":{},\"dtype\":",
      "author is an unknown key, expected no key but \"format\", \"name\", \"description\", \"dtype\", \"groups\", \"input\", \"operations\", \"outputs\", \"geometry\", \"test\""
    ),
    (
      "\"description\":\"C4, trained on upright digits\"", "\"description\":[]",
      "description is a list of 0, expected a text"
    ),
  ])
  func heads(_ old: String, _ new: String, _ expected: String) throws {
    #expect(try opened(old, new) == expected)
  }

  @Test(arguments: [
    ("\"groups\":{", "\"groups\":[],\"x\":{", "x is an unknown key"),
    (
      "equiconv-group/1 cyclic(4)", "equiconv-group/1 cyclic(5)",
      "groups[\"C4\"].matrices is a list of 4, expected the 5 matrices of C5"
    ),
    ("equiconv-group/1 cyclic(4)", "equiconv-group/1 cyclic(0)", "groups[\"C4\"].text: n is 0, expected 1...4096"),
    (
      "equiconv-group/1 cyclic(4)", "equiconv-group/2 cyclic(4)",
      "groups[\"C4\"].text: text is \"2 cyclic(4)\" at byte 15, expected version 1 of equiconv-group"
    ),
    ("\"equiconv-group/1 cyclic(4)\"", "7", "groups[\"C4\"].text is 7, expected the text of a group"),
    ("[0.0,-1.0,1.0,0.0]", "[0.0,-1.0,1.0,1e-8]", "groups[\"C4\"].matrices[1][3] is 1e-08, expected 0.0, as in C4"),
    ("[0.0,-1.0,1.0,0.0]", "[0.0,-1.0,1.0]", "groups[\"C4\"].matrices[1] is a list of 3, expected a list of 4"),
    ("[0.0,-1.0,1.0,0.0]", "[0.0,-1.0,1.0,true]", "groups[\"C4\"].matrices[1][3] is true, expected a number"),
    ("[[1.0,0.0,0.0,1.0]", "[[0.0,-1.0,1.0,0.0]", "groups[\"C4\"].matrices[0][0] is 0.0, expected 1.0, as in C4"),
    ("\"C4\":", "\"\":", "groups[\"\"] is \"\", expected a text that is not empty"),
    (
      "\"matrices\"", "\"matrix\"",
      "groups[\"C4\"].matrix is an unknown key, expected no key but \"text\", \"matrices\""
    ),
  ])
  func groups(_ old: String, _ new: String, _ expected: String) throws {
    #expect(try opened(old, new).hasPrefix(expected))
  }

  @Test func groupsThatAgreeTo1e9_areThoseOfTheText() throws {
    #expect(try opened("[0.0,-1.0,1.0,0.0]", "[0,-1,1,1e-10]") == "no error")
  }

  @Test(arguments: [
    ("\"dimension\":2", "\"dimension\":4", "input.dimension is 4, expected an integer in 1...3"),
    ("\"dimension\":2", "\"dimension\":2.0", "input.dimension is 2.0, expected an integer in 1...3"),
    ("\"dimension\":2", "\"dimension\":1", "input.extents is a list of 2, expected a list of 1"),
    ("\"channels\":1", "\"channels\":0", "input.channels is 0, expected an integer in 1...281474976710656"),
    ("\"channels\":1", "\"channels\":2", "input.normalization.mean is a list of 1, expected a list of 2"),
    ("\"space\":\"plane\"", "\"space\":\"plain\"", "input.group is missing, expected this key"),
    (
      "\"space\":\"plane\"", "\"space\":\"plane\",\"group\":\"C4\"",
      "input.group is \"C4\", expected no group, as the space is the plane"
    ),
    (
      "\"space\":\"plane\"", "\"space\":\"group\",\"group\":\"C8\"",
      "input.group is \"C8\", expected the name of a group of the document"
    ),
    (
      "\"space\":\"plane\"", "\"space\":\"circle\",\"group\":\"C4\"",
      "input.space: text is \"circle\" at byte 0, expected \"plane\", \"group\" or \"quotient(\""
    ),
    (
      "\"space\":\"plane\"", "\"space\":\"quotient([0])\",\"group\":\"C4\"",
      "input.space: text is \"quotient([0])\" at byte 0, expected \"group\", as this value is written"
    ),
    (
      "\"space\":\"plane\"", "\"space\":\"quotient([2,0])\",\"group\":\"C4\"",
      "input.space: text is \"2,0])\" at byte 10, expected \"0,2])\", as this value is written"
    ),
    (
      "\"space\":\"plane\"", "\"space\":\"quotient([0,1])\",\"group\":\"C4\"",
      "input.space: subgroup has 1 and 1 but not their product 2, expected a subgroup"
    ),
    ("[null,null]", "[null,0]", "input.extents[1] is 0, expected an integer in 1...281474976710656"),
    ("[null,null]", "[8]", "input.extents is a list of 1, expected a list of 2"),
    (
      "[\"batch\",\"channel\",\"y\",\"x\"]", "[\"batch\",\"channel\",\"x\",\"y\"]",
      "input.axes is [\"batch\", \"channel\", \"x\", \"y\"], expected [\"batch\", \"channel\", \"y\", \"x\"]"
    ),
    ("\"scale\":0.00392156862745098", "\"scale\":0", "input.normalization.scale is 0, expected a number other than 0"),
    (
      "\"deviation\":[0.3081]", "\"deviation\":[0]",
      "input.normalization.deviation[0] is 0.0, expected a positive number"
    ),
    ("\"mean\":[0.1307]", "\"mean\":[\"a\"]", "input.normalization.mean[0] is \"a\", expected a number"),
    ("\"mean\":[0.1307],", "", "input.normalization.mean is missing, expected this key"),
    (
      "\"pixel_size\":[0.25,0.25]", "\"pixel_size\":[0.25,-1]",
      "input.pixel_size[1] is -1.0, expected a positive number"
    ),
    ("\"pixel_size\":[0.25,0.25]", "\"pixel_size\":null", "input.pixel_size is null, expected a list of 2"),
  ])
  func inputs(_ old: String, _ new: String, _ expected: String) throws {
    #expect(try opened(old, new) == expected)
  }

  @Test(arguments: [
    (
      "\"pointwise\"", "\"attention\"",
      "operations[1].kind is \"attention\", expected an operation that this library knows"
    ),
    (
      "\"function\":\"relu\"", "\"function\":\"mish\"",
      "operations[1].function is \"mish\", expected a function that this library knows"
    ),
  ])
  func unknownOperations_areNamed(_ old: String, _ new: String, _ expected: String) throws {
    #expect(try opened(old, new) == expected)
  }

  @Test(arguments: [
    (
      "\"inputs\":[\"v0\"]", "\"inputs\":[\"v1\"]",
      "operations[1].inputs[0] is \"v1\", expected a value that was written before"
    ),
    (
      "\"inputs\":[\"v0\"]", "\"inputs\":[\"v2\"]",
      "operations[1].inputs[0] is \"v2\", expected a value that was written before"
    ),
    ("\"inputs\":[\"v0\"]", "\"inputs\":[]", "operations[1].inputs is a list of 0, expected at least 1 input"),
    (
      "\"inputs\":[\"v0\"]", "\"inputs\":[\"v0\",\"v0\"]",
      "operations[1].inputs is a list of 2, expected at most 1 input"
    ),
    ("\"output\":\"v1\"", "\"output\":\"v0\"", "operations[1].output is \"v0\", expected a name that no value has yet"),
    (
      "\"output\":\"v1\"", "\"output\":\"image\"",
      "operations[1].output is \"image\", expected a name that no value has yet"
    ),
    (
      "\"function\":\"relu\"", "\"function\":\"relu\",\"slope\":1",
      "operations[1].slope is an unknown key, expected no key but \"kind\", \"name\", \"inputs\", \"output\", \"function\""
    ),
    ("\"function\":\"relu\"", "\"function\":\"leaky_relu\"", "operations[1].slope is missing, expected this key"),
    ("\"function\":\"relu\"", "\"function\":null", "operations[1].function is null, expected a text"),
    ("\"mode\":\"max\"", "\"mode\":\"min\"", "operations[2].mode is \"min\", expected \"mean\" or \"max\""),
    (
      "\"mode\":\"max\"", "\"mode\":\"max\",\"stabilizer\":[]",
      "operations[2].stabilizer is a list of 0, expected at least one element"
    ),
    (
      "\"mode\":\"max\"", "\"mode\":\"max\",\"stabilizer\":[0,0]",
      "operations[2].stabilizer[1] is 0, expected each element once"
    ),
    (
      "\"mode\":\"max\"", "\"mode\":\"max\",\"stabilizer\":[0,4096]",
      "operations[2].stabilizer[1] is 4096, expected an integer in 0...4095"
    ),
    (
      "group=cyclic(4)", "group=cyclic(8)",
      "operations[0].layer: text is \"cyclic(8) input=plane output=group strid\" at byte 23, expected one of the groups that are listed"
    ),
    ("stride=[1,1]", "stride=[0,1]", "operations[0].layer: stride[0] is 0, expected a positive number"),
    (
      "\"weight\":\"layers.4.weight\"", "\"weight\":\"layers.5.weight\"",
      "operations[4].weight is \"layers.5.weight\", expected the name of a tensor of the file"
    ),
    ("\"weight\":\"layers.4.weight\",", "", "operations[4].weight is missing, expected this key"),
  ])
  func operations(_ old: String, _ new: String, _ expected: String) throws {
    #expect(try opened(old, new).hasPrefix(expected))
  }

  @Test(arguments: [
    ("\"epsilon\":1e-05", "\"epsilon\":-1", "operations[2].epsilon is -1, expected a number that is not negative"),
    (
      "\"inputs\":[\"v12\",\"v13\"]", "\"inputs\":[\"v12\"]",
      "operations[13].inputs is a list of 1, expected at least 2 inputs"
    ),
    (
      "\"kernel\":[3,2]", "\"kernel\":[0,2]",
      "operations[15].kernel[0] is 0, expected an integer in 1...281474976710656"
    ),
    ("\"kernel\":[3,2]", "\"kernel\":[3,2,1]", "operations[15].kernel is a list of 3, expected a list of 2"),
    ("\"padding\":[1,0]", "\"padding\":[2,0]", "operations[15].padding[0] is 2, expected at most 1, half the kernel"),
    (
      "\"stride\":[2,2],\"padding\":[1,0]", "\"stride\":[2,0],\"padding\":[1,0]",
      "operations[15].stride[1] is 0, expected an integer in 1...281474976710656"
    ),
    (
      "\"mode\":\"nearest\"", "\"mode\":\"cubic\"",
      "operations[17].mode is \"cubic\", expected \"nearest\" or \"linear\""
    ),
    (
      "\"mode\":\"linear\",\"factors\":[1,3],\"align_corners\":false",
      "\"mode\":\"nearest\",\"factors\":[1,3],\"align_corners\":false", "operations[18].align_corners is an unknown key"
    ),
    ("\"align_corners\":false", "\"align_corners\":0", "operations[18].align_corners is 0, expected true or false"),
    (
      "\"output_padding\":[1,1]", "\"output_padding\":[-1,1]",
      "operations[22].output_padding[0] is -1, expected an integer in 0...281474976710656"
    ),
    (
      "\"group\":\"D4\",\"stabilizer\"", "\"group\":\"D5\",\"stabilizer\"",
      "operations[23].group is \"D5\", expected the name of a group of the document"
    ),
    (
      "\"stabilizer\":[0,1,2,3,4,5,6,7]", "\"stabilizer\":[0,1]",
      "operations[23].stabilizer: subgroup has 1 and 1 but not their product 2, expected a subgroup"
    ),
    (
      "\"stabilizer\":[0,1,2,3,4,5,6,7]", "\"stabilizer\":[0,8]",
      "operations[23].stabilizer[1] is 8, expected an integer in 0...7"
    ),
    ("\"subgroup\":[0,2]", "\"subgroup\":\"all\"", "operations[24].subgroup is \"all\", expected a list"),
    (
      "\"0a0a0a", "\"0A0a0a",
      "test.sha256 is \"0A0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a…\", expected 64 hexadecimal digits in lower case"
    ),
    (
      "\"0a0a0a", "\"0a0a",
      "test.sha256 is \"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a…\", expected 64 hexadecimal digits in lower case"
    ),
    (
      "\"outputs\":[\"b\",\"b\",\"b\",\"b\",\"b\"]", "\"outputs\":[\"b\"]",
      "test.outputs is a list of 1, expected a tensor for each of the 5 outputs"
    ),
    (
      "\"input\":\"test.input\"", "\"input\":\"test\"",
      "test.input is \"test\", expected the name of a tensor of the file"
    ),
  ])
  func operationsOfEveryKind(_ old: String, _ new: String, _ expected: String) throws {
    #expect(try opened(old, new, everything: true).hasPrefix(expected))
  }

  @Test(arguments: [
    (
      "\"value\":\"scores\"", "\"value\":\"image\"",
      "outputs[0].value is \"image\", expected a value that an operation writes"
    ),
    (
      "\"value\":\"scores\"", "\"value\":\"v9\"",
      "outputs[0].value is \"v9\", expected a value that an operation writes"
    ),
    (
      "\"classes\":[\"0\",\"1\",\"2\"]", "\"classes\":[]",
      "outputs[0].classes is a list of 0, expected at least 1 classes"
    ),
    ("\"classes\":[\"0\",\"1\",\"2\"]", "\"classes\":[0,1]", "outputs[0].classes[0] is 0, expected a text"),
    (
      "\"axes\":[\"batch\",\"channel\"]", "\"axes\":[\"batch\"]",
      "outputs[0].axes is [\"batch\"], expected [\"batch\", \"channel\"]"
    ),
    ("\"stride\":[2,null]", "\"stride\":[0,null]", "geometry.stride[0] is 0, expected a positive number"),
    ("\"stride\":[2,null]", "\"stride\":[2]", "geometry.stride is a list of 1, expected a list of 2"),
    (
      "\"receptive_field\":[null,5]", "\"receptive_field\":[null,5.5]",
      "geometry.receptive_field[1] is 5.5, expected an integer in 1...281474976710656"
    ),
  ])
  func outputs(_ old: String, _ new: String, _ expected: String) throws {
    #expect(try opened(old, new) == expected)
  }

  @Test func outputs_haveDifferentNames() throws {
    #expect(
      try opened("\"name\":\"out 22\"", "\"name\":\"out 21\"", everything: true)
        == "outputs[1].name is \"out 21\", expected each name once")
  }

  @Test func kindsOfErrors_areThoseOfTheirCauses() throws {
    func kindOf(_ old: String, _ new: String) throws -> NetworkError.Kind? {
      let samples = SampleTensors.digits()
      let file = try NetworkFile(SampleDocuments.digits(), tensors: samples.tensors)
      let text = String(decoding: try file.documentText(), as: UTF8.self).replacing(old, with: new)
      return kind { try SampleFile(text, samples.tensors).open() }
    }
    #expect(try kindOf("network/1", "network/2") == .version)
    #expect(try kindOf("pointwise", "attention") == .operation)
    #expect(try kindOf("relu", "mish") == .operation)
    #expect(try kindOf("\"v0\"", "\"\"") == .document)
    #expect(try kindOf("digits", String(repeating: "a", count: 1025)) == .limit)
    #expect(try kindOf("{\"format\"", "[{\"format\"") == .document)
  }

  @Test func listsBeyondTheirLimits_areErrors() throws {
    func many(_ item: (Int) -> String, _ count: Int) -> String { (0..<count).map(item).joined(separator: ",") }
    let relu = { (index: Int) in
      "{\"kind\":\"softmax\",\"name\":\"n\",\"inputs\":[\"image\"],\"output\":\"w\(index)\"},"
    }
    #expect(
      try opened("\"operations\":[", "\"operations\":[" + many(relu, 4096).replacing(",,", with: ","))
        == "operations is a list of 4101, expected at most 4096 operations")
    #expect(
      try opened("\"inputs\":[\"v12\",\"v13\"]", "\"inputs\":[" + many({ _ in "\"v12\"" }, 65) + "]", everything: true)
        == "operations[13].inputs is a list of 65, expected at most 64 inputs")
    #expect(
      try opened(
        "\"outputs\":[{\"name\":\"scores\"",
        "\"outputs\":[" + many({ "{\"name\":\"o\($0)\",\"value\":\"v0\"}" }, 16) + ",{\"name\":\"scores\"")
        == "outputs is a list of 17, expected at most 16 outputs")
    #expect(
      try opened("\"groups\":{", "\"groups\":{" + many({ "\"g\($0)\":{}" }, 64) + ",")
        == "groups is an object of 65, expected at most 64 groups")
  }

  /// Tables grow with the square of the order, and a document of a few kilobytes could name many.
  @Test func tablesOfGroups_areLimited() throws {
    let matrices = "[" + Array(repeating: "[1,0,0,1]", count: 4096).joined(separator: ",") + "]"
    let groups = (0..<5).map { "\"g\($0)\":{\"text\":\"equiconv-group/1 cyclic(\($0 + 1))\",\"matrices\":\(matrices)}" }
    #expect(
      try opened("\"groups\":{", "\"groups\":{" + groups[0] + ",")
        == "groups[\"g0\"].matrices is a list of 4096, expected the 1 matrices of C1")
    #expect(try opened("\"operations\":[", "\"operations\":[1,") == "operations[0] is 1, expected an object")
  }

  @Test func documentsThatNoFileMayHave_areNotWritten() throws {
    let samples = SampleTensors.digits()
    func made(_ change: (inout NetworkDocument) -> Void) throws -> String {
      var document = try SampleDocuments.digits()
      change(&document)
      return message { try NetworkFile(document, tensors: samples.tensors) }
    }
    #expect(
      try made { $0.operations[1].inputs = ["v4"] }
        == "operations[1].inputs[0] is \"v4\", expected a value that was written before")
    #expect(try made { $0.groups = [:] }.hasPrefix("operations[0].layer: text is \"cyclic(4)"))
    #expect(
      try made { $0.input.normalization?.scale = .nan } == "input.normalization.scale is nan, expected finite numbers")
    #expect(try made { $0.input.pixelSize = [.infinity, 1] } == "input.pixel_size is inf, expected finite numbers")
    #expect(
      try made { $0.operations[1].kind = .pointwise(.elu(alpha: .nan)) }
        == "operations[1].alpha is nan, expected finite numbers")
    #expect(try made { $0.outputs = [] } == "outputs is a list of 0, expected at least one output")
    #expect(try made { $0.name = "" } == "name is \"\", expected a text that is not empty")
    #expect(try made { $0.input.dimension = 7 } == "input.dimension is 7, expected an integer in 1...3")
  }

  @Test func geometryThatNoDocumentMayHave_isNotWritten() throws {
    let file = try NetworkFile(SampleDocuments.digits(), tensors: SampleTensors.digits().tensors)
    #expect(kind { try file.documentText(geometry: .init(stride: [1], receptiveField: [1, 1])) } == .document)
    #expect(kind { try file.documentText(geometry: .init(stride: [.nan, 1], receptiveField: [1, 1])) } == .document)
  }
}
