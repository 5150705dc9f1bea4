// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import _EquiconvTestSupport

/// A network under construction: operations are added one by one, with random parameters.
final class Sketch: NetworkTensors, @unchecked Sendable {
  var document: NetworkDocument
  private(set) var numbers: [String: (shape: [Int], values: [Double])] = [:]
  private var tensors: [String: NetworkTensor] = [:]
  private var random: SplitMix64
  private var memory: [UnsafeMutableRawPointer] = []

  init(
    _ scalar: NetworkDocument.Scalar = .float64, groups: [String: PointGroup] = [:], seed: UInt64 = 1,
    input: NetworkDocument.Input
  ) {
    document = NetworkDocument(
      name: "sketch", scalar: scalar, groups: groups, input: input, operations: [], outputs: [])
    random = SplitMix64(seed: seed)
  }

  deinit { for block in memory { block.deallocate() } }

  func tensor(_ name: String) -> NetworkTensor? { tensors[name] }

  // MARK: - Tensors

  /// Keeps a tensor of the network's dtype, rounded to it.
  @discardableResult func keep(_ name: String, _ shape: [Int], _ values: [Double], as type: TensorType? = nil) -> String
  {
    let isFloat = document.scalar == .float32
    let bytes = values.count * (isFloat ? 4 : 8)
    let block = UnsafeMutableRawPointer.allocate(byteCount: max(bytes, 1), alignment: 64)
    memory.append(block)
    for (index, value) in values.enumerated() {
      if isFloat {
        block.storeBytes(of: Float(value), toByteOffset: 4 * index, as: Float.self)
      } else {
        block.storeBytes(of: value, toByteOffset: 8 * index, as: Double.self)
      }
    }
    numbers[name] = (shape, isFloat ? values.map { Double(Float($0)) } : values)
    tensors[name] = NetworkTensor(
      name: name, type: type ?? (isFloat ? .f32 : .f64), shape: shape,
      bytes: UnsafeRawBufferPointer(start: block, count: bytes))
    return name
  }

  /// A random parameter of about unit gain.
  func parameter(_ name: String, _ shape: [Int]) -> String {
    let count = shape.reduce(1, *)
    let fan = Double(max(1, shape.dropFirst().reduce(1, *)))
    return keep(
      name, shape, (0..<count).map { _ in Double.random(in: -1...1, using: &random) / fan.squareRoot() * 1.5 })
  }

  // MARK: - Operations

  var last: String { document.operations.last?.output ?? document.input.name }

  @discardableResult func add(_ kind: NetworkOperation.Kind, _ inputs: [String]? = nil) -> String {
    let number = document.operations.count
    document.operations.append(
      NetworkOperation(kind, name: "layers.\(number)", inputs: inputs ?? [last], output: "v\(number)"))
    return "v\(number)"
  }

  private var next: String { "layers.\(document.operations.count)" }

  @discardableResult func convolution(
    _ layer: Layer, from channels: Int, to outputs: Int, kernel: Int, bias: Bool = true, _ input: String? = nil
  ) -> String {
    let kernels = Extents(repeating: kernel, count: layer.group.dimension)
    let shape = try! layer.weightShape(outChannels: outputs, inChannels: channels, kernel: kernels)
    let name = next
    return add(
      .convolution(
        layer: layer, weight: parameter("\(name).weight", shape),
        bias: bias ? parameter("\(name).bias", [outputs]) : nil), input.map { [$0] })
  }

  @discardableResult func transposed(
    _ layer: Layer, from channels: Int, to outputs: Int, kernel: Int, padding: [Int], _ input: String? = nil
  ) -> String {
    let kernels = Extents(repeating: kernel, count: layer.group.dimension)
    let shape = try! layer.weightShape(outChannels: channels, inChannels: outputs, kernel: kernels)
    let name = next
    return add(
      .transposedConvolution(
        layer: layer, weight: parameter("\(name).weight", shape), bias: parameter("\(name).bias", [outputs]),
        outputPadding: padding), input.map { [$0] })
  }

  @discardableResult func batchNorm(_ channels: Int, weighted: Bool = true, _ input: String? = nil) -> String {
    let name = next
    let variance = (0..<channels).map { _ in Double.random(in: 0.5...2, using: &random) }
    let weight = (0..<channels).map { _ in Double.random(in: 0.5...1.5, using: &random) }
    keep("\(name).variance", [channels], variance)
    if weighted { keep("\(name).weight", [channels], weight) }
    return add(
      .batchNorm(
        mean: parameter("\(name).mean", [channels]), variance: "\(name).variance",
        weight: weighted ? "\(name).weight" : nil, bias: weighted ? parameter("\(name).bias", [channels]) : nil,
        epsilon: 1e-5), input.map { [$0] })
  }

  @discardableResult func linear(_ features: Int, to outputs: Int, _ input: String? = nil) -> String {
    let name = next
    return add(
      .linear(weight: parameter("\(name).weight", [outputs, features]), bias: parameter("\(name).bias", [outputs])),
      input.map { [$0] })
  }

  /// Names values, by default the last, as outputs.
  @discardableResult func outputs(_ values: String...) -> Sketch {
    let values = values.isEmpty ? [last] : values
    document.outputs = values.enumerated().map { .init(name: "output\($0)", value: $1) }
    return self
  }

  // MARK: - Networks

  func network(_ mode: Network.Mode = .fast, simplified: Bool = true) throws -> Network {
    try Network.make(document, tensors: self, mode: mode, simplified: simplified)
  }

  func input<S: EngineScalar>(_ shape: [Int], seed: UInt64 = 7) -> [S] {
    var random = SplitMix64(seed: seed)
    return random.reals(shape.reduce(1, *))
  }
}

extension Network {
  /// The outputs of a run.
  func outputs<S: EngineScalar>(_ input: [S], _ shape: [Int]) throws -> [[S]] {
    let sizes = try graph.outputs.indices.map { try outputShape($0, input: shape).reduce(1, *) }
    let arrays = sizes.map { UnsafeMutableBufferPointer<S>.allocate(capacity: max($0, 1)) }
    defer { for array in arrays { array.deallocate() } }
    for array in arrays { array.initialize(repeating: .nan) }
    try input.withUnsafeBufferPointer {
      try run(inputShape: shape, input: $0.baseAddress!, outputs: arrays.map { $0.baseAddress! })
    }
    return zip(arrays, sizes).map { Array($0.prefix($1)) }
  }
}
