// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import Testing
import _EquiconvTestSupport

/// What does not fit is an error that names the operation, what it reads and what was expected.
@Suite struct GraphErrorTests {
  private static let c4 = PointGroup.cyclic4
  private static let lifting = Layer(from: .plane, to: .group, group: c4)
  private static let group = Layer(from: .group, to: .group, group: c4)

  private static func image(_ channels: Int = 2, dimension: Int = 2) -> Sketch {
    Sketch(
      groups: ["C4": c4, "D4": .dihedral4], input: .init(name: "image", dimension: dimension, channels: channels))
  }

  private static func signal(_ channels: Int = 2, _ name: String = "C4") -> Sketch {
    Sketch(
      groups: ["C4": c4, "D4": .dihedral4],
      input: .init(name: "image", dimension: 2, space: .group, group: name, channels: channels))
  }

  private func check(_ sketch: Sketch, _ words: [String], sourceLocation: SourceLocation = #_sourceLocation) {
    if sketch.document.outputs.isEmpty { sketch.outputs() }
    do {
      _ = try sketch.network()
      Issue.record("no error, expected one with \(words)", sourceLocation: sourceLocation)
    } catch {
      let message = "\(error)"
      for word in words {
        #expect(message.contains(word), "\"\(message)\" lacks \"\(word)\"", sourceLocation: sourceLocation)
      }
    }
  }

  @Test func layers() {
    var n = Self.image()
    n.convolution(Self.group, from: 2, to: 2, kernel: 3)
    check(n, ["operations[0] (layers.0)", "\"image\", 2 channels on the plane", "a signal on the group C4"])
    n = Self.signal(2, "D4")
    n.convolution(Self.group, from: 2, to: 2, kernel: 3)
    check(n, ["operations[0] (layers.0)", "the group D4", "the group C4"])
    n = Self.image()
    n.convolution(Self.lifting, from: 3, to: 2, kernel: 3)
    check(n, ["operations[0] (layers.0)", "weight", "2 on axis 1"])
    n = Self.image(dimension: 3)
    n.convolution(Self.lifting, from: 2, to: 2, kernel: 3)
    check(n, ["operations[0] (layers.0)", "2 spatial axes"])
    n = Self.image()
    n.add(.convolution(layer: Self.lifting, weight: "nowhere", bias: nil))
    check(n, ["weight of operations[0] (layers.0)", "\"nowhere\"", "a tensor"])
    n = Self.image()
    n.keep("w", [2, 2, 3, 3], .init(repeating: 0, count: 36), as: .f32)
    n.add(.convolution(layer: Self.lifting, weight: "w", bias: nil))
    check(n, ["tensor \"w\"", "F32", "F64"])
    n = Self.image()
    n.keep("w", [2, 2, 3, 3], .init(repeating: 0, count: 36))
    n.keep("b", [3], [0, 0, 0])
    n.add(.convolution(layer: Self.lifting, weight: "w", bias: "b"))
    check(n, ["tensor \"b\", bias of operations[0]", "(3)", "(2)"])
    n = Self.image()
    n.convolution(Layer(from: .plane, to: .group, group: Self.c4, stride: [1, 2]), from: 2, to: 2, kernel: 3)
    check(n, ["operations[0] (layers.0)", "stride", "(1, 2)"])
    n = Self.signal()
    n.transposed(
      Layer(from: .group, to: .group, group: Self.c4, stride: [2, 2]), from: 2, to: 2, kernel: 3, padding: [2, 0])
    check(n, ["output_padding of operations[0]", "2", "less than 2"])
    n = Self.signal()
    n.transposed(Self.group, from: 3, to: 2, kernel: 3, padding: [0, 0])
    check(n, ["weight of operations[0]", "2 on axis 0"])
  }

  @Test func normsAndMaps() {
    var n = Self.image(3)
    n.batchNorm(2)
    check(n, ["mean of operations[0] (layers.0)", "(2)", "(3)"])
    n = Self.image()
    n.linear(2, to: 3)
    check(n, ["inputs[0] of operations[0]", "a vector"])
    n = Self.image()
    n.add(.spatialMean)
    n.linear(3, to: 3)
    check(n, ["weight of operations[1]", "(O, 2)"])
    n = Self.signal()
    n.add(.spatialMean)
    n.linear(2, to: 3)
    check(n, ["inputs[0] of operations[1]", "2 channels on the group C4 without spatial axes", "a vector"])
    n = Self.image()
    n.add(.flatten)
    check(n, ["inputs[0] of operations[0]", "fixed extents"])
    n = Self.image()
    n.add(.spatialMean)
    n.add(.spatialMean)
    check(n, ["inputs[0] of operations[1]", "spatial axes"])
  }

  @Test func fibers() {
    var n = Self.image()
    n.add(.groupPool(.mean, stabilizer: nil))
    check(n, ["inputs[0] of operations[0] (layers.0)", "a group or a quotient"])
    n = Self.signal()
    n.add(.groupPool(.mean, stabilizer: [0, 1]))
    check(n, ["operations[0] (layers.0)", "subgroup"])
    n = Self.signal()
    n.add(.groupPool(.mean, stabilizer: [0, 2]))
    n.add(.groupPool(.mean, stabilizer: [0, 2]))
    check(n, ["operations[1]", "the quotient of C4 by [0, 2]", "cosets"])
    n = Self.image()
    n.add(.restrict(subgroup: [0, 2]))
    check(n, ["operations[0]", "a signal on a closed group"])
    n = Self.signal()
    n.add(.restrict(subgroup: [0, 5]))
    check(n, ["subgroup of operations[0]", "5"])
    n = Self.image()
    n.add(.induce(group: "C8", stabilizer: [0]))
    check(n, ["group of operations[0]", "\"C8\""])
    n = Self.signal()
    n.add(.induce(group: "D4", stabilizer: [0, 1, 2, 3, 4, 5, 6, 7]))
    check(n, ["inputs[0] of operations[0]", "the plane"])
  }

  @Test func sumsAndWindows() {
    var n = Self.image()
    n.add(.add, ["image"])
    check(n, ["inputs of operations[0]", "1 values", "2 to 64"])
    n = Self.image()
    let a = n.convolution(Self.lifting, from: 2, to: 2, kernel: 3)
    n.add(.add, ["image", a])
    check(n, ["inputs[1] of operations[1]", "\"v0\"", "2 channels on the plane"])
    n = Self.image()
    n.document.input.extents = [6, 6]
    let b = n.add(.spatialPool(.max, kernel: [2, 2], stride: [2, 2], padding: [0, 0]))
    n.add(.concatenate, ["image", b])
    check(n, ["operations[1]", "6 and 3 on axis 0", "equal extents"])
    n = Self.image()
    n.add(.spatialPool(.max, kernel: [2, 2], stride: [2, 2], padding: [2, 0]))
    check(n, ["padding of operations[0]", "at most 1"])
    n = Self.image()
    n.add(.spatialPool(.max, kernel: [2], stride: [2, 2], padding: [0, 0]))
    check(n, ["kernel of operations[0]", "1 numbers", "2"])
    n = Self.image()
    n.add(.upsample(.nearest, factors: [2, 0]))
    check(n, ["factors of operations[0]", "0"])
    n = Self.image()
    n.document.input.extents = [3, 3]
    n.add(.spatialPool(.mean, kernel: [5, 5], stride: [1, 1], padding: [0, 0]))
    check(n, ["operations[0]", "3 on axis 0", "at least 5"])
  }

  @Test func namesAndOutputs() {
    var n = Self.image()
    n.add(.softmax, ["later"])
    check(n, ["inputs[0] of operations[0]", "\"later\""])
    n = Self.image()
    n.add(.softmax)
    n.document.operations[0].output = "image"
    check(n, ["output of operations[0]", "\"image\""])
    n = Self.image()
    n.add(.softmax)
    n.outputs("image")
    check(n, ["outputs[0]", "\"image\"", "what an operation writes"])
    n = Self.image()
    n.add(.softmax)
    n.document.outputs = [.init(name: "scores", value: "v0", classes: ["one"])]
    check(n, ["classes of outputs[0] (scores)", "1 names", "2"])
    n = Self.image()
    n.document.input.normalization = .init(mean: [0, 0], deviation: [1, 0])
    n.add(.softmax)
    check(n, ["input.normalization.deviation", "0.0", "positive"])
    n = Self.signal()
    n.document.input.group = "C5"
    n.add(.softmax)
    check(n, ["input.group", "\"C5\""])
  }

  /// Checks of subgroups take time and memory as the square of an order.
  @Test(arguments: [NetworkOperation.Kind.restrict(subgroup: [0]), .groupPool(.max, stabilizer: [0])])
  func subgroups(_ kind: NetworkOperation.Kind) throws {
    let n = Sketch(
      groups: ["C": try PointGroup.cyclic(4096)],
      input: .init(name: "image", dimension: 2, space: .group, group: "C", channels: 1))
    for _ in 0..<8 { n.add(kind, ["image"]) }
    _ = try n.outputs().network()
    n.add(kind, ["image"])
    check(n, ["operations[8] (layers.8)", "one more subgroup of C4096", "at most 2^27"])
  }

  @Test func arrays() throws {
    let n = Self.image()
    n.document.input.extents = [nil, 4]
    n.add(.spatialPool(.max, kernel: [3, 3], stride: [1, 1], padding: [0, 0]))
    let network = try n.outputs().network()
    let numbers = [Double](repeating: 0, count: 64)
    for shape in [[1, 2, 4], [1, 3, 4, 4], [1, 2, 4, 5], [-1, 2, 4, 4], [1, 2, 0, 4], [1, 2, 2, 4]] {
      #expect(throws: NetworkError.self) { try network.outputs(numbers, shape) }
      #expect(throws: NetworkError.self) { try network.reserve(input: shape) }
    }
    #expect(throws: NetworkError.self) { try network.outputs([Float](repeating: 0, count: 32), [1, 2, 4, 4]) }
    for shape in [[1, 2, 1 << 47, 4], [1 << 48, 2, 1 << 20, 4], [1 << 48, 2, 4, 4]] {
      #expect(throws: NetworkError.self) { try network.explain(input: shape) }
    }
    #expect(throws: NetworkError.self) { try network.reserve(input: [1, 2, 1 << 47, 4]) }
    #expect(throws: NetworkError.self) { try network.outputShape(1, input: [1, 2, 4, 4]) }
    #expect(throws: NetworkError.self) { try network.outputShape(0, input: [1 << 48, 2, 1 << 40, 4]) }
    #expect(try network.outputs(numbers, [0, 2, 4, 4]) == [[]])
    var array = [Double](repeating: 0, count: 64)
    array.withUnsafeMutableBufferPointer { all in
      let base = all.baseAddress!
      #expect(throws: NetworkError.self) {
        try network.run(inputShape: [1, 2, 4, 4], input: UnsafePointer(base), outputs: [base + 31])
      }
      #expect(throws: NetworkError.self) {
        try network.run(inputShape: [1, 2, 4, 4], input: UnsafePointer(base), outputs: [])
      }
      let odd = UnsafeMutableRawPointer(base + 40).advanced(by: 4).assumingMemoryBound(to: Double.self)
      #expect(throws: NetworkError.self) {
        try network.run(inputShape: [1, 2, 4, 4], input: UnsafePointer(base), outputs: [odd])
      }
    }
  }
}
