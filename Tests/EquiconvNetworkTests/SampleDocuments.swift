// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork

/// Networks to write and read. Their operations fit each other; their weights are numbers without a meaning.
enum SampleDocuments {
  /// A lifting layer, a function, a pool over the group, a mean over space, and a linear map.
  static func digits() throws -> NetworkDocument {
    let group = try PointGroup.cyclic(4)
    let lifting = Layer(from: .plane, to: .group, group: group, padding: [Layer.same, Layer.same])
    return NetworkDocument(
      name: "digits", description: "C4, trained on upright digits", scalar: .float32, groups: ["C4": group],
      input: .init(
        name: "image", dimension: 2, channels: 1,
        normalization: .init(scale: 1 / 255, mean: [0.1307], deviation: [0.3081]),
        pixelSize: [0.25, 0.25]),
      operations: [
        NetworkOperation(
          .convolution(layer: lifting, weight: "layers.0.weight", bias: "layers.0.bias"), name: "layers.0",
          inputs: ["image"], output: "v0"),
        NetworkOperation(.pointwise(.relu), name: "layers.1", inputs: ["v0"], output: "v1"),
        NetworkOperation(.groupPool(.max, stabilizer: nil), name: "layers.2", inputs: ["v1"], output: "v2"),
        NetworkOperation(.spatialMean, name: "layers.3", inputs: ["v2"], output: "v3"),
        NetworkOperation(
          .linear(weight: "layers.4.weight", bias: "layers.4.bias"), name: "layers.4", inputs: ["v3"], output: "scores"),
      ],
      outputs: [.init(name: "scores", value: "scores", classes: ["0", "1", "2"])])
  }

  static let digitsGeometry = NetworkDocument.Geometry(stride: [nil, nil], receptiveField: [nil, nil])

  /// Every kind of operation, and everything that is optional.
  static func everything() throws -> NetworkDocument {
    let group = try PointGroup.dihedral(4)
    let same: Extents = [Layer.same, Layer.same]
    let regular = Layer(from: .group, to: .group, group: group, padding: same)
    let strided = Layer(from: .plane, to: .group, group: group, stride: [2, 2], padding: [1, 1])
    let kinds: [(NetworkOperation.Kind, [Int])] = [
      (.convolution(layer: regular, weight: "a", bias: "b"), [0]),
      (.convolution(layer: regular, weight: "a", bias: nil), [1]),
      (.batchNorm(mean: "b", variance: "b", weight: "b", bias: "b", epsilon: 1e-5), [2]),
      (.batchNorm(mean: "b", variance: "b", weight: nil, bias: nil, epsilon: 0), [3]),
      (.pointwise(.relu), [4]), (.pointwise(.leakyRelu(slope: 0.01)), [5]), (.pointwise(.elu(alpha: 1)), [6]),
      (.pointwise(.gelu), [7]), (.pointwise(.geluTanh), [8]), (.pointwise(.silu), [9]),
      (.pointwise(.sigmoid), [10]), (.pointwise(.tanh), [11]), (.softmax, [12]),
      (.add, [12, 13]), (.concatenate, [12, 13, 14]),
      (.spatialPool(.max, kernel: [3, 2], stride: [2, 2], padding: [1, 0]), [15]),
      (.spatialPool(.mean, kernel: [2, 2], stride: [1, 1], padding: [0, 1]), [16]),
      (.upsample(.nearest, factors: [2, 2]), [17]),
      (.upsample(.linear(alignsCorners: false), factors: [1, 3]), [18]),
      (.upsample(.linear(alignsCorners: true), factors: [2, 1]), [19]),
      (.groupPool(.mean, stabilizer: [0, 4]), [20]), (.groupPool(.max, stabilizer: nil), [20]),
      (.transposedConvolution(layer: strided, weight: "a", bias: "b", outputPadding: [1, 1]), [20]),
      (.induce(group: "D4", stabilizer: Array(0..<8)), [22]), (.restrict(subgroup: [0, 2]), [24]),
      (.flatten, [25]), (.linear(weight: "a", bias: nil), [26]), (.spatialMean, [24]),
    ]
    func name(_ value: Int) -> String { value == 0 ? "x" : "v\(value)" }
    return NetworkDocument(
      name: "every \"thing\"\n\u{1F600} é \u{1}", scalar: .float64, groups: ["D4": group],
      input: .init(
        name: "x", dimension: 2, space: .group, group: "D4", channels: 2, extents: [nil, 8],
        normalization: .init(mean: [0, -0.5], deviation: [1, .leastNonzeroMagnitude]), pixelSize: [1e300, 0.1]),
      operations: kinds.enumerated().map { index, kind in
        NetworkOperation(kind.0, name: "step \(index)", inputs: kind.1.map(name), output: name(index + 1))
      },
      outputs: [21, 22, 24, 27, 28].map { .init(name: "out \($0)", value: name($0)) },
      test: .init(
        input: "test.input", outputs: ["b", "b", "b", "b", "b"], sha256: String(repeating: "0a", count: 32)))
  }

  /// The axes that follow from `everything`.
  static let everythingAxes = [
    ["batch", "channel", "coset", "y", "x"], ["batch", "channel", "y", "x"], ["batch", "channel", "element", "y", "x"],
    ["batch", "channel"], ["batch", "channel", "element"],
  ]
}

/// Tensors with memory of their own.
final class SampleTensors {
  private let memory: UnsafeMutableRawBufferPointer
  private(set) var tensors: [NetworkTensor] = []

  /// Bytes 1, 2, 3, …, for tensors of these names, types and shapes.
  init(_ descriptions: [(name: String, type: TensorType, shape: [Int])]) {
    let counts = descriptions.map { $0.shape.reduce(1, *) * $0.type.bits / 8 }
    memory = .allocate(byteCount: max(1, counts.reduce(0, +)), alignment: 64)
    for index in memory.indices { memory[index] = UInt8(truncatingIfNeeded: index + 1) }
    var start = 0
    for (description, count) in zip(descriptions, counts) {
      let bytes = UnsafeRawBufferPointer(rebasing: memory[start..<start + count])
      tensors.append(
        NetworkTensor(name: description.name, type: description.type, shape: description.shape, bytes: bytes))
      start += count
    }
  }

  deinit { memory.deallocate() }

  /// Those that `digits` names.
  static func digits() -> SampleTensors {
    SampleTensors([
      ("layers.0.weight", .f32, [8, 1, 5, 5]), ("layers.0.bias", .f32, [8]), ("layers.4.weight", .f32, [3, 8]),
      ("layers.4.bias", .f32, [3]),
    ])
  }

  /// Those that `everything` names, and others, of all types.
  static func everything() -> SampleTensors {
    SampleTensors(
      [("a", .f64, [3, 2]), ("b", .f64, [4]), ("test.input", .f64, [1, 2, 8, 2, 8]), ("empty", .u16, [3, 0])]
        + TensorType.allCases.map { ("type \($0.rawValue)", $0, [4, 3, 2]) } + [("scalar", .bool, [])])
  }
}
