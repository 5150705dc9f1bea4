// SPDX-License-Identifier: Apache-2.0

public import EquiconvEngine
import _EquiconvMemory

/// What a step of a network costs: an operation of the document that was not folded into another.
public struct OperationExplanation: Hashable, Sendable {
  /// Where it stands in the network; "input.normalization" for the normalization of the input.
  public let name: String
  /// Its position among the operations of the document, whose names need not be unique; nil for the normalization of the
  /// input. Some operations are several steps, and an output that is written twice is a step of its own.
  public let operation: Int?
  /// As documents spell it; "affine" for a normalization, "copy" for an output that is written twice.
  public let kind: String
  /// The pointwise function that is applied where results are stored.
  public let pointwise: Pointwise?
  public let outputShape: [Int]
  /// Of a layer; no rule, such as auto, but what it chose.
  public let algorithm: Algorithm?
  /// Whether turning what it reads turns what it writes, to the last bit, for every element that maps the grid of pixels
  /// to itself. Not so where a stride leaves a remainder on an axis that is reversed, where the operation differs between
  /// axes that are exchanged, and where a flattening reads several pixels or points of a fiber that are moved.
  public let isExact: Bool
  /// By the cost model of layers; nil for other operations.
  public let estimatedSeconds: Double?
  /// In one run: the time on all threads, divided by their number.
  public let measuredSeconds: Double
  /// Images that pass through it together.
  public let images: Int
  /// Numbers of its parameters.
  public let weightBytes: Int
  /// Transforms of its weights.
  public let transformBytes: Int
  /// Memory of one call of its layer.
  public let workspaceBytes: Int
}

extension Network {
  /// What each step that is left after folding costs for an input of this shape; runs the network twice, on zeros.
  ///
  /// - Throws: as `run`.
  public func explain(input: [Int]) throws(NetworkError) -> [OperationExplanation] {
    switch document.scalar {
    case .float32: try explain(input, Float.self)
    case .float64: try explain(input, Double.self)
    }
  }

  private func explain<S: EngineScalar>(
    _ shape: [Int], _: S.Type
  ) throws(NetworkError) -> [OperationExplanation] {
    let (batch, extents) = try graph.checkInput(shape)
    let runner: NetworkRunner<S> = try typed()
    let input = try NetworkTable<S>(repeating: 0, count: try Self.count(shape, "the input"))
    var shapes: [Int] = []
    for index in graph.outputs.indices {
      shapes.append(try Self.count(try outputShape(index, input: shape), "output \(index)"))
    }
    let written = try NetworkTable<S>(repeating: 0, count: shapes.reduce(0, +))
    var (outputs, start) = ([UnsafeMutablePointer<S>](), 0)
    guard let base = written.elements.baseAddress, let read = input.elements.baseAddress else { return [] }
    for count in shapes {
      outputs.append(base + start)
      start += count
    }
    let times = try NetworkTable<Double>(repeating: 0, count: runner.program.steps.count)
    return try CallGuard.run { () throws(NetworkError) in
      try runner.run(batch: batch, extents: extents, input: UnsafePointer(read), outputs: outputs)
      let threads = try runner.run(
        batch: batch, extents: extents, input: UnsafePointer(read), outputs: outputs, times: times.elements.baseAddress)
      return try runner.explanations(batch: batch, extents: extents) { times[$0] / Double(threads) }
    }
  }
}

extension NetworkRunner {
  /// - Parameter seconds: measured, of each step.
  fileprivate func explanations(
    batch: Int, extents: [Int], seconds: (Int) -> Double
  ) throws(NetworkError) -> [OperationExplanation] {
    let plan = try plan(extents)
    let work = try NetworkRun<S>.work(plan, batch: batch)
    var calls: [Int: NetworkPlan.StepPortion] = [:]
    for portion in plan.portions(work.shares, work.leftOver) where calls[portion.step] == nil {
      calls[portion.step] = portion
    }
    var explanations: [OperationExplanation] = []
    for index in program.steps.indices {
      let call = calls[index] ?? NetworkPlan.StepPortion(step: index, images: batch, threads: nil)
      explanations.append(
        try explanation(plan, call, batch: batch, threads: work.division.threads, seconds: seconds(index)))
    }
    return explanations
  }

  private func explanation(
    _ plan: NetworkPlan, _ call: NetworkPlan.StepPortion, batch: Int, threads: Int, seconds: Double
  ) throws(NetworkError) -> OperationExplanation {
    let step = program.steps[call.step]
    let layer: Explanation?
    let isExact: Bool
    do throws(ConvolutionError) {
      layer = try plan.layers[call.step]?.explain(
        step.pass, batch: call.images, isPrepared: true, S.self, RunOptions(threads: call.threads))
      isExact = try plan.isExact(step, layer: layer)
    } catch {
      throw .layer(error, place: program.place(step))
    }
    let calls = Double(batch) / Double(max(call.images, 1)) / Double(threads)
    return OperationExplanation(
      name: step.operation.map { program.graph.document.operations[$0].name } ?? "input.normalization",
      operation: step.operation, kind: program.kind(step), pointwise: step.pointwise,
      outputShape: plan.shape(step.output, batch: batch), algorithm: layer?.algorithm, isExact: isExact,
      estimatedSeconds: layer.map { $0.seconds * calls }, measuredSeconds: seconds, images: call.images,
      weightBytes: numbers[call.step].bytes, transformBytes: layer?.weightBytes ?? 0,
      workspaceBytes: layer?.workspaceBytes ?? 0)
  }
}

extension NetworkProgram {
  /// What a step is called.
  fileprivate func kind(_ step: NetworkStep) -> String {
    switch step.work {
    case .affine: step.operation == nil ? "affine" : "batch_norm"
    case .copy: "copy"
    default: step.operation.map { graph.document.operations[$0].kind.word } ?? "copy"
    }
  }
}
