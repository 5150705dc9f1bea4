// SPDX-License-Identifier: Apache-2.0

import EquiconvNetwork
import Testing
import _EquiconvTestSupport

/// A file has the document and the tensors that were written, and one network has one file.
@Suite struct NetworkFileTests {
  private func expectSame(_ a: NetworkFile, _ b: NetworkFile) {
    #expect(a.document == b.document)
    #expect(a.geometry == b.geometry)
    #expect(a.tensorNames == b.tensorNames)
    for name in a.tensorNames {
      guard let first = a.tensor(name), let second = b.tensor(name) else {
        Issue.record("no tensor \(name)")
        continue
      }
      #expect(first.type == second.type && first.shape == second.shape && first.bytes.elementsEqual(second.bytes))
    }
  }

  @Test func digits_comeBack() throws {
    let samples = SampleTensors.digits()
    let file = try NetworkFile(
      SampleDocuments.digits(), geometry: SampleDocuments.digitsGeometry, tensors: samples.tensors)
    #expect(file.document == (try SampleDocuments.digits()))
    #expect(file.geometry == SampleDocuments.digitsGeometry)
    #expect(file.tensorNames == ["layers.0.bias", "layers.0.weight", "layers.4.bias", "layers.4.weight"])
    #expect(file.tensor("layers.0.weight")?.shape == [8, 1, 5, 5])
    #expect(file.tensor("layers.0") == nil && file.tensor("layers.9") == nil && file.tensor("") == nil)
    try withTemporaryFolder { folder in
      try file.write(to: "\(folder)/a.safetensors")
      expectSame(try NetworkFile(path: "\(folder)/a.safetensors"), file)
      expectSame(try SampleFile.open(contents(of: "\(folder)/a.safetensors")), file)
    }
  }

  @Test func everyOperationAndType_comesBack() throws {
    let samples = SampleTensors.everything()
    let file = try NetworkFile(SampleDocuments.everything(), tensors: samples.tensors.reversed())
    #expect(file.document == (try SampleDocuments.everything()))
    for tensor in samples.tensors {
      let again = file.tensor(tensor.name)
      #expect(again?.type == tensor.type && again?.shape == tensor.shape)
      #expect(again.map { $0.bytes.elementsEqual(tensor.bytes) } == true, "\(tensor.name)")
      #expect(again.map { UInt(bitPattern: $0.bytes.baseAddress) % UInt(tensor.type.alignment) } == 0)
    }
    try withTemporaryFolder { folder in
      try file.write(to: "\(folder)/a")
      expectSame(try NetworkFile(path: "\(folder)/a"), file)
    }
  }

  @Test func exampleNetworks_areFiles_whoseTestsTheyAre() throws {
    let folder = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let files = names(in: "/\(folder)/examples/networks").filter { $0.hasSuffix(".safetensors") }
    #expect(files.count >= 4)
    for name in files {
      let file = try NetworkFile(path: "/\(folder)/examples/networks/\(name)")
      #expect(file.document.test != nil)
      #expect(throws: Never.self, "\(name)") { try file.checkTestDigest() }
    }
  }

  /// Neither the order of tensors nor the spelling of the document is in the bytes.
  @Test func oneNetwork_hasOneFile() throws {
    let samples = SampleTensors.everything()
    let file = try NetworkFile(SampleDocuments.everything(), tensors: samples.tensors)
    try withTemporaryFolder { folder in
      try file.write(to: "\(folder)/a")
      let bytes = try contents(of: "\(folder)/a")
      let text = String(decoding: try file.documentText(), as: UTF8.self)
      // Spaces between all values, and letters as escapes.
      let spaced = text.replacing("\":", with: "\" :\n").replacing("\"kind\"", with: "\"\\u006bind\"")
      var sample = SampleFile(spaced, samples.tensors.shuffled())
      sample.padding = "   "
      try sample.open().write(to: "\(folder)/b")
      #expect(try contents(of: "\(folder)/b") == bytes)
    }
  }

  @Test func canonicalFile_isAlignedAndSaysWhatTheFormatSays() throws {
    let samples = SampleTensors.digits()
    let file = try NetworkFile(SampleDocuments.digits(), tensors: samples.tensors)
    let document = String(
      decoding: try file.documentText(geometry: SampleDocuments.digitsGeometry), as: UTF8.self)
    #expect(document == canonicalDigits)
    try withTemporaryFolder { folder in
      try file.write(to: "\(folder)/a", geometry: SampleDocuments.digitsGeometry)
      let bytes = try contents(of: "\(folder)/a")
      let entries = [
        ("layers.0.bias", "[8]", "[0,32]"), ("layers.0.weight", "[8,1,5,5]", "[32,832]"),
        ("layers.4.bias", "[3]", "[832,844]"), ("layers.4.weight", "[3,8]", "[844,940]"),
      ].map { "\"\($0.0)\":{\"dtype\":\"F32\",\"shape\":\($0.1),\"data_offsets\":\($0.2)}" }
      var header =
        "{\"__metadata__\":{\"equiconv-network\":\(SampleFile.quoted(canonicalDigits))},"
        + entries.joined(separator: ",") + "}"
      while header.utf8.count % 8 != 0 { header += " " }
      #expect(bytes.prefix(8).elementsEqual(SampleFile.bytes(UInt64(header.utf8.count))))
      #expect(bytes.dropFirst(8).starts(with: header.utf8))
      #expect(bytes.count == 8 + header.utf8.count + 940)
    }
  }

  @Test func axes_followFromTheOperations() throws {
    let document = try SampleDocuments.everything()
    #expect(document.axes.input == ["batch", "channel", "element", "y", "x"])
    #expect(document.axes.outputs == SampleDocuments.everythingAxes)
    #expect(try SampleDocuments.digits().axes.input == ["batch", "channel", "y", "x"])
    #expect(try SampleDocuments.digits().axes.outputs == [["batch", "channel"]])
  }

  /// Whatever the length of the header is, and where in the file they lie.
  @Test func numbersThatAreNotAligned_areCopied() throws {
    let samples = SampleTensors.everything()
    let document = try NetworkFile(SampleDocuments.everything(), tensors: samples.tensors).documentText()
    let named = Set(["a", "b", "test.input"])
    for padding in 0..<8 {
      var sample = SampleFile(String(decoding: document, as: UTF8.self), samples.tensors)
      sample.padding = String(repeating: " ", count: padding)
      // A byte before all others.
      let odd = SampleTensors([("odd", .u8, [padding])])
      sample = SampleFile(String(decoding: document, as: UTF8.self), odd.tensors + samples.tensors)
      let file = try sample.open()
      for tensor in samples.tensors {
        let again = try #require(file.tensor(tensor.name))
        #expect(again.bytes.elementsEqual(tensor.bytes))
        if named.contains(tensor.name) {
          #expect(UInt(bitPattern: again.bytes.baseAddress) % UInt(tensor.type.alignment) == 0)
        }
      }
    }
  }

  @Test func digestOfTheTest_isChecked() throws {
    let samples = SampleTensors.everything()
    var document = try SampleDocuments.everything()
    var file = try NetworkFile(document, tensors: samples.tensors)
    #expect(kind { try file.checkTestDigest() } == .test)
    document.test?.sha256 = try #require(file.testDigest)
    file = try NetworkFile(document, tensors: samples.tensors)
    #expect(throws: Never.self) { try file.checkTestDigest() }
    var digest = SHA256()
    for name in ["test.input", "b", "b", "b", "b", "b"] { digest.add(try #require(file.tensor(name)).bytes) }
    #expect(file.testDigest == digest.finished())
  }

  @Test func tensorsThatDoNotFitTheirShape_areErrors() throws {
    let document = try SampleDocuments.digits()
    let samples = SampleTensors.digits()
    func opened(_ change: (inout [NetworkTensor]) -> Void) -> String {
      var tensors = samples.tensors
      change(&tensors)
      return message { try NetworkFile(document, tensors: tensors) }
    }
    func tensor(_ name: String, _ shape: [Int]) -> NetworkTensor {
      NetworkTensor(name: name, type: .f32, shape: shape, bytes: samples.tensors[1].bytes)
    }
    #expect(opened { _ in } == "no error")
    #expect(opened { $0.append(tensor("x", [9])) } == "tensors[\"x\"] is of 32 bytes, expected the 36 bytes of F32 [9]")
    #expect(
      opened { $0.append(tensor("layers.0.bias", [8])) }
        == "tensors is \"layers.0.bias\" twice, expected each name once")
    #expect(opened { $0.append(tensor("x", [-8])) } == "tensors[\"x\"].shape[0] is -8, expected no negative number")
    #expect(opened { $0.append(tensor("", [8])) }.contains("expected 1 to 1024 bytes"))
    #expect(opened { $0.append(tensor("__metadata__", [8])) }.contains("and not \"__metadata__\""))
    #expect(
      opened { $0.append(tensor("x", [1 << 40, 1 << 40])) }
        == "tensors[\"x\"].shape is [1099511627776, 1099511627776], expected at most 2^48 numbers")
    #expect(opened { $0.append(tensor("x", [8, 1, 1, 1, 1, 1, 1, 1, 1])) }.contains("of 9 axes, expected at most 8"))
    #expect(
      opened { $0.removeFirst() }
        == "operations[0].weight is \"layers.0.weight\", expected the name of a tensor of the file")
  }
}

/// `SampleDocuments.digits` as it is written.
private let canonicalDigits =
  #"{"format":"equiconv-network/1","name":"digits","description":"C4, trained on upright digits","dtype":"float32","#
  + #""groups":{"C4":{"text":"equiconv-group/1 cyclic(4)","matrices":[[1.0,0.0,0.0,1.0],[0.0,-1.0,1.0,0.0],"#
  + #"[-1.0,0.0,0.0,-1.0],[0.0,1.0,-1.0,0.0]]}},"input":{"name":"image","dimension":2,"space":"plane","channels":1,"#
  + #""extents":[null,null],"axes":["batch","channel","y","x"],"normalization":{"scale":0.00392156862745098,"#
  + #""mean":[0.1307],"deviation":[0.3081]},"pixel_size":[0.25,0.25]},"operations":[{"kind":"convolution","#
  + #""name":"layers.0","inputs":["image"],"output":"v0","layer":"equiconv-layer/1 group=cyclic(4) input=plane "#
  + #"output=group stride=[1,1] padding=[same,same] dilation=[1,1] padding_mode=zeros algorithm=auto "#
  + #"interpolation=bilinear basis=none group_basis=full quadrature=no channel_groups=1","weight":"layers.0.weight","#
  + #""bias":"layers.0.bias"},{"kind":"pointwise","name":"layers.1","inputs":["v0"],"output":"v1","function":"relu"},"#
  + #"{"kind":"group_pool","name":"layers.2","inputs":["v1"],"output":"v2","mode":"max"},{"kind":"spatial_mean","#
  + #""name":"layers.3","inputs":["v2"],"output":"v3"},{"kind":"linear","name":"layers.4","inputs":["v3"],"#
  + #""output":"scores","weight":"layers.4.weight","bias":"layers.4.bias"}],"outputs":[{"name":"scores","#
  + #""value":"scores","classes":["0","1","2"],"axes":["batch","channel"]}],"#
  + #""geometry":{"stride":[null,null],"receptive_field":[null,null]}}"#
