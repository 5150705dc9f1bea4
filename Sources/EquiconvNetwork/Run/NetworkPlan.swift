// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvMemory

/// A network for inputs of certain extents: the sizes of all values, and the plans of its layers.
///
/// Immutable but for the portions and places of recent batches, and shared by any number of threads.
final class NetworkPlan: Sendable {
  let program: NetworkProgram
  /// Of the input.
  let input: [Int]
  /// The extents of the values of the graph.
  let extents: [[Int]]
  /// Numbers of one image of each value of the program.
  let counts: [Int]
  /// Of the steps that are layers.
  let layers: [ConvolutionPlan?]
  /// Floating-point operations of the layers for one image.
  let operations: Double
  private let recent = RecentLayouts()

  /// - Parameter weightShapes: of the steps that are layers.
  /// - Throws: what does not fit these extents, naming the operation; `outOfMemory`.
  init(
    _ program: NetworkProgram, input: [Int], weightShapes: [[Int]?], mode: Network.Mode
  ) throws(NetworkError) {
    self.program = program
    self.input = input
    let graph = program.graph
    let extents = try graph.extents(input: input)
    var counts: [Int] = []
    for value in program.values {
      let count = try graph.count(value.extents, extents: extents[value.extents])
      let planes = graph.types[value.extents].channels * graph.types[value.extents].points
      counts.append(count / planes * value.channels * value.points)
    }
    var plans = LayerPlans(mode: mode)
    var layers: [ConvolutionPlan?] = []
    for (number, step) in program.steps.enumerated() {
      layers.append(
        try plans.plan(step, weightShapes[number], place: program.place(step)) { value in
          let value = program.values[value]
          return graph.types[value.extents].shape(batch: 1, extents: extents[value.extents])
        })
    }
    self.extents = extents
    self.counts = counts
    self.layers = layers
    operations = layers.reduce(0) { $0 + ($1?.flops(batch: 1) ?? 0) }
  }

  /// The shape of a value of the program, for so many images.
  func shape(_ value: Int, batch: Int) -> [Int] {
    let value = program.values[value]
    return program.graph.types[value.extents].shape(batch: batch, extents: extents[value.extents])
  }

  // MARK: - Portions and places

  /// The layout for shares of at most so many images.
  func layout<S: EngineScalar>(
    mostImages: Int, isWhole: Bool, _: S.Type
  ) throws(NetworkError) -> RunLayout {
    let key = RunLayout.Key(mostImages: mostImages, isWhole: isWhole)
    if let known = recent.find(key) { return known }
    let schedule =
      isWhole || mostImages == 1
      ? Schedule(steps: program.steps.count, images: mostImages)
      : Schedule(wanted: try wantedImages(S.self), mostImages: mostImages)
    let layout = RunLayout(
      schedule: schedule,
      arena: Arena(program, counts: counts, schedule: schedule, alignment: 64 / MemoryLayout<S>.stride))
    recent.keep(layout, for: key)
    return layout
  }

  /// The images that are best for each step, found when a batch of several first needs them.
  private func wantedImages<S: EngineScalar>(_: S.Type) throws(NetworkError) -> [Int?] {
    if let known = recent.wanted { return known }
    var found: [ConvolutionDescriptor: Int] = [:]
    var wanted: [Int?] = []
    for (step, layer) in zip(program.steps, layers) {
      guard let layer else {
        wanted.append(nil)
        continue
      }
      do throws(ConvolutionError) {
        let bytes = bytes(step, MemoryLayout<S>.stride)
        var images = found[layer.descriptor]
        if images == nil { images = try PortionChoice.images(layer, step.pass, bytes: bytes, S.self) }
        found[layer.descriptor] = images
        wanted.append(images)
      } catch {
        throw .layer(error, place: program.place(step))
      }
    }
    recent.wanted = wanted
    return wanted
  }

  /// What a step reads and writes for an image.
  private func bytes(_ step: NetworkStep, _ stride: Int) -> Int {
    step.inputs.reduce(counts[step.output]) { min($0 + counts[$1], Int.limit(56)) } * stride
  }
}

/// The portions of a share, and where its values lie.
final class RunLayout: Sendable {
  struct Key: Hashable {
    var mostImages: Int
    /// Whether all images go through each step together.
    var isWhole: Bool
  }

  let schedule: Schedule
  let arena: Arena

  init(schedule: Schedule, arena: Arena) {
    self.schedule = schedule
    self.arena = arena
  }
}

/// The layouts of a plan's recent batches.
private final class RecentLayouts: Sendable {
  private static let capacity = 8
  /// Guarded by `ProcessLock`.
  private nonisolated(unsafe) var layouts: [(key: RunLayout.Key, layout: RunLayout)] = []
  private nonisolated(unsafe) var knownWanted: [Int?]?

  /// The images that are best for each step; nil before they are known.
  var wanted: [Int?]? {
    get { ProcessLock.withLock { knownWanted } }
    set { ProcessLock.withLock { knownWanted = newValue } }
  }

  func find(_ key: RunLayout.Key) -> RunLayout? {
    ProcessLock.withLock { layouts.first { $0.key == key }?.layout }
  }

  func keep(_ layout: RunLayout, for key: RunLayout.Key) {
    // What is dropped is released after the lock.
    let dropped = ProcessLock.withLock { () -> RunLayout? in
      if layouts.contains(where: { $0.key == key }) { return nil }
      layouts.insert((key, layout), at: 0)
      return layouts.count > Self.capacity ? layouts.removeLast().layout : nil
    }
    withExtendedLifetime(dropped) {}
  }
}

/// The plans of a network's layers, those of equal layers made once.
private struct LayerPlans {
  let mode: Network.Mode
  private var known: [ConvolutionDescriptor: ConvolutionPlan] = [:]

  init(mode: Network.Mode) { self.mode = mode }

  /// The plan of a step that is a layer; nil for other steps.
  mutating func plan(
    _ step: NetworkStep, _ weight: [Int]?, place: String, _ shape: (Int) -> [Int]
  ) throws(NetworkError) -> ConvolutionPlan? {
    guard let weight else { return nil }
    do throws(ConvolutionError) {
      switch step.work {
      case .convolution(let layer, _):
        return try plan(layer, signal: shape(step.inputs[0]), weight, .forward)
      case .transposed(let layer, _):
        return try plan(layer, signal: shape(step.output), weight, .inputGradient)
      default: return nil
      }
    } catch {
      throw .layer(error, place: place)
    }
  }

  private mutating func plan(
    _ layer: Layer, signal: [Int], _ weight: [Int], _ pass: Pass
  ) throws(ConvolutionError) -> ConvolutionPlan {
    if mode == .fast { return try plan(layer, layer.algorithm, signal, weight) }
    let plan = try plan(layer, .exact, signal, weight)
    return try plan.isCovered(pass) ? plan : try self.plan(layer, .direct, signal, weight)
  }

  private mutating func plan(
    _ layer: Layer, _ algorithm: Algorithm, _ signal: [Int], _ weight: [Int]
  ) throws(ConvolutionError) -> ConvolutionPlan {
    var layer = layer
    layer.algorithm = algorithm
    let descriptor = try layer.descriptor(input: signal, weight: weight)
    if let plan = known[descriptor] { return plan }
    let plan = try ConvolutionPlan(descriptor)
    known[descriptor] = plan
    return plan
  }
}

extension ConvolutionPlan {
  /// Whether the rule or algorithm of the layer has a method for a pass.
  fileprivate func isCovered(_ pass: Pass) throws(ConvolutionError) -> Bool {
    do throws(ConvolutionError) {
      _ = try explain(pass, batch: 1, isPrepared: true, Float.self)
      return true
    } catch {
      if error.kind == .unsupportedAlgorithm { return false }
      throw error
    }
  }
}

extension NetworkProgram {
  /// Where a step stands in the document.
  func place(_ step: NetworkStep) -> String {
    step.operation.map(graph.document.place) ?? "input.normalization"
  }
}
