// SPDX-License-Identifier: Apache-2.0

public import EquiconvEngine
import _EquiconvMemory

/// A trained network that runs: its graph checked, its parameters read, its steps folded into few.
///
/// Immutable, and safe to share between threads. Plans, and transforms of weights, are made when inputs of new extents
/// come first, and kept for the eight most recent ones. The batch is free.
///
/// In exact mode results are equivariant to the last bit, as far as the operations are, and no bit depends on the
/// number of threads, the batch or the place of an image in it. In fast mode each layer is computed by the algorithm
/// that its text names, and where that is `auto`, by the method that a cost model expects to be fastest for so many
/// images at a time on so many threads. So bits may depend on the batch, the number of threads, the processor and the
/// version.
public final class Network: Sendable {
  /// How layers are computed.
  public enum Mode: Hashable, Sendable {
    case fast
    /// By `exact`, or by `direct` where no method is exact.
    case exact
  }

  public let graph: NetworkGraph
  public let mode: Mode
  private let runner: Runner

  private enum Runner {
    case float32(NetworkRunner<Float>)
    case float64(NetworkRunner<Double>)

    var program: NetworkProgram {
      switch self {
      case .float32(let runner): runner.program
      case .float64(let runner): runner.program
      }
    }
  }

  /// Opens what a file holds. Its tensors are not needed afterwards.
  ///
  /// - Throws: what does not fit, naming the operation, what it reads and what was expected; `outOfMemory`.
  public convenience init(_ file: NetworkFile, mode: Mode = .fast) throws(NetworkError) {
    let (graph, runner) = try Self.read(file.document, tensors: file, mode: mode, simplified: true)
    withExtendedLifetime(file) {}
    self.init(graph, runner, mode)
  }

  private init(_ graph: NetworkGraph, _ runner: Runner, _ mode: Mode) {
    self.graph = graph
    self.runner = runner
    self.mode = mode
  }

  /// The network of a document. It is no initializer: those of classes cannot be generic in Embedded Swift.
  ///
  /// - Parameter simplified: whether steps are folded into each other.
  package static func make(
    _ document: NetworkDocument, tensors: some NetworkTensors, mode: Mode = .fast, simplified: Bool = true
  ) throws(NetworkError) -> Network {
    let (graph, runner) = try read(document, tensors: tensors, mode: mode, simplified: simplified)
    return Network(graph, runner, mode)
  }

  /// Checks the graph; reads and scales all parameters.
  private static func read(
    _ document: NetworkDocument, tensors: some NetworkTensors, mode: Mode, simplified: Bool
  ) throws(NetworkError) -> (NetworkGraph, Runner) {
    try CallGuard.run { () throws(NetworkError) in
      let graph = try NetworkGraph(document, tensors: tensors)
      let program = try NetworkProgram(graph, tensors: tensors, simplified: simplified)
      let runner: Runner =
        document.scalar == .float32
        ? .float32(NetworkRunner(program, try program.numbers(tensors: tensors), mode: mode))
        : .float64(NetworkRunner(program, try program.numbers(tensors: tensors), mode: mode))
      return (graph, runner)
    }
  }

  public var document: NetworkDocument { graph.document }

  /// How the first output lies on the input; nil if it has no spatial axes.
  public var geometry: NetworkDocument.Geometry? { graph.geometry }

  /// The steps left, for tests.
  package var program: NetworkProgram { runner.program }

  // MARK: - Shapes

  /// The shape of an output, (batch, channels, [points,] extents…), for an input of this shape.
  ///
  /// - Throws: `argument` for a shape that the network does not read, or that an operation does not fit.
  public func outputShape(_ index: Int, input: [Int]) throws(NetworkError) -> [Int] {
    if !graph.outputs.indices.contains(index) {
      throw .argument("output", index, expected: "0 to \(graph.outputs.count - 1)")
    }
    let (batch, extents) = try graph.checkInput(input)
    return try outputShape(index, batch: batch, extents: try graph.extents(input: extents)).shape
  }

  /// - Parameter extents: of all values.
  private func outputShape(
    _ index: Int, batch: Int, extents: [[Int]]
  ) throws(NetworkError) -> (shape: [Int], count: Int) {
    let value = graph.outputs[index]
    let shape = graph.types[value].shape(batch: batch, extents: extents[value])
    return (shape, try Self.count(shape, "output \(document.outputs[index].name)"))
  }

  /// The number of elements of an array; those of all outputs can be added up.
  static func count(_ shape: [Int], _ name: String) throws(NetworkError) -> Int {
    if shape.contains(0) { return 0 }
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      if overflow || product > Int.limit(55) { throw .tooLarge(name, shape) }
      count = product
    }
    return count
  }

  // MARK: - Running

  /// Makes the plans and the transforms of weights for inputs of this shape, which the first run would make.
  ///
  /// - Throws: as `run`.
  public func reserve(input: [Int]) throws(NetworkError) {
    let (batch, extents) = try graph.checkInput(input)
    try CallGuard.run { () throws(NetworkError) in
      switch runner {
      case .float32(let runner): try runner.reserve(batch: batch, extents: extents)
      case .float64(let runner): try runner.reserve(batch: batch, extents: extents)
      }
    }
  }

  /// Writes the outputs for an input.
  ///
  /// - Parameters:
  ///   - inputShape: (batch, channels, [points,] extents…); any batch, also 0.
  ///   - input: C-contiguous, as all arrays.
  ///   - outputs: one for each output of the document, of `outputShape`; apart from each other and from the input.
  /// - Throws: `argument` for arrays that do not fit, before anything is written; errors of layers, such as
  ///   `outOfMemory`, and `cancelled`, after which the outputs are undefined.
  public func run<S: EngineScalar>(
    inputShape: [Int], input: UnsafePointer<S>, outputs: [UnsafeMutablePointer<S>]
  ) throws(NetworkError) {
    let (batch, extents) = try graph.checkInput(inputShape)
    try checkArrays(inputShape, input, outputs, extents: try graph.extents(input: extents))
    let runner: NetworkRunner<S> = try typed()
    try CallGuard.run { () throws(NetworkError) in
      _ = try runner.run(batch: batch, extents: extents, input: input, outputs: outputs)
    }
  }

  /// The runner for arrays of S.
  func typed<S: EngineScalar>() throws(NetworkError) -> NetworkRunner<S> {
    // Embedded Swift has no dynamic casts; that S is the type of the runner was compared.
    switch runner {
    case .float32(let runner):
      if S.self == Float.self { return unsafeBitCast(runner, to: NetworkRunner<S>.self) }
    case .float64(let runner):
      if S.self == Double.self { return unsafeBitCast(runner, to: NetworkRunner<S>.self) }
    }
    throw .argument(
      "the input's dtype", S.self == Float.self ? "float32" : "float64",
      expected: "\(document.scalar.rawValue), the network's")
  }

  /// - Parameter extents: of all values.
  private func checkArrays<S: EngineScalar>(
    _ shape: [Int], _ input: UnsafePointer<S>, _ outputs: [UnsafeMutablePointer<S>], extents: [[Int]]
  ) throws(NetworkError) {
    if outputs.count != graph.outputs.count {
      throw .argument("outputs", "\(outputs.count) arrays", expected: "\(graph.outputs.count)")
    }
    let read = try CallerArray(input, try Self.count(shape, "the input"), "input")
    var written: [CallerArray] = []
    for (index, output) in outputs.enumerated() {
      let count = try outputShape(index, batch: shape[0], extents: extents).count
      let array = try CallerArray(output, count, "outputs[\(index)]")
      try array.checkApart(from: read)
      for other in written { try array.checkApart(from: other) }
      written.append(array)
    }
  }
}

/// An array that a caller passes, by the name that errors give it.
private struct CallerArray {
  let name: String
  let range: MemoryRange

  init<S>(_ pointer: UnsafePointer<S>, _ count: Int, _ name: String) throws(NetworkError) {
    self.name = name
    range = MemoryRange(pointer, count)
    if !range.isAligned(for: S.self) {
      throw .invalid(
        .misalignedPointer, place: name, value: "at address \(range.start)",
        expected: "a multiple of \(MemoryLayout<S>.alignment) bytes")
    }
  }

  init<S>(_ pointer: UnsafeMutablePointer<S>, _ count: Int, _ name: String) throws(NetworkError) {
    try self.init(UnsafePointer(pointer), count, name)
  }

  func checkApart(from other: CallerArray) throws(NetworkError) {
    if range.overlaps(other.range) {
      throw .invalid(
        .overlap, place: name, value: "\(range.bytes) bytes at address \(range.start)",
        expected: "memory apart from \(other.name), \(other.range.bytes) bytes at address \(other.range.start)")
    }
  }
}
