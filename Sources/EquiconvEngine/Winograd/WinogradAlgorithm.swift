// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// Winograd's tiles: signal passes in Float of layers of stride 1 in the plane whose taps reach over 3 × 3 at most.
struct WinogradAlgorithm<S: EngineScalar>: WeightTransformingAlgorithm {
  static var name: Algorithm { .winograd }
  let task: PassTask<S>

  static func checkLayer(_ layer: Layer, reach: Box) throws(ConvolutionError) {
    try PlaneCorrelation.checkLayer(layer, reach: reach, atMost: WinogradTiling.extent, for: name)
  }

  func check() throws(ConvolutionError) {
    if task.pass == .weightGradient { throw Self.noWeightGradient }
    if MemoryLayout<S>.stride != MemoryLayout<Float>.stride {
      throw .unsupported(Self.name, "float64", expected: "float32")
    }
    try Self.checkLayer(task.plan.descriptor.layer, reach: task.plan.geometry.reach)
    try PlaneCorrelation.check(task.pass, of: task.plan, for: Self.name)
  }

  private static var noWeightGradient: ConvolutionError {
    .unsupported(name, "a weight gradient", expected: "a forward pass or an input gradient")
  }

  var tiles: [Tile] { [4, 2] }

  /// Errors of tiles of 4 × 4 grow with the number of products that are added up; see docs/Algorithms.md.
  func isAccurate(tile: Tile) -> Bool {
    let plan = task.plan
    let width = task.channels.read * (task.pass == .inputGradient ? plan.outputElements : plan.inputElements)
    return tile != 4 || width <= 1024
  }

  // MARK: - Passes

  private func correlation() throws(ConvolutionError) -> PlaneCorrelation {
    try task.plan.correlation(task.pass, for: Self.name)
  }

  func signalPass(tile: Tile) throws(ConvolutionError) -> WinogradPass<S> {
    try WinogradPass(
      correlation(), batch: task.batch, channels: task.channels.read, outputs: task.channels.computed, tile: tile.size,
      task.options)
  }

  func weightGradient(tile: Tile) throws(ConvolutionError) -> NoPass<WeightGradientArrays<S>> {
    throw Self.noWeightGradient
  }

  func transform(_ core: CoreWeights<S>, tile: Tile) throws(ConvolutionError) -> TransformedWeights<S> {
    let transform = WinogradWeights<S>(
      try correlation(), channels: task.channels.read, outputs: task.channels.computed, tile: tile.size,
      instructions: task.options.instructions)
    return try transform.transform(core, threads: task.options.threads)
  }

  // MARK: - Costs

  func cost(tile: Tile) throws(ConvolutionError) -> MethodCost {
    let tile = tile.size
    let (correlation, channels, lanes) = (try correlation(), task.channels, task.kernels.lanes)
    let costs = WinogradCosts.measured[task.options.instructions]
    let (reads, writes) = (
      Double(channels.read * correlation.sourceElements), Double(channels.computed * correlation.targetElements)
    )
    let grid = TileGrid(correlation, outputs: Box(z: 1, y: tile, x: tile))
    let tiles = task.batch * grid.tiles.volume
    let vectors = (tiles + lanes - 1) / lanes
    let points = Double((tile + 2) * (tile + 2))
    let place = tile == 4 ? 0 : 1
    let vector = reads * costs.input[place] + writes * costs.output[place] + points * reads * writes / costs.share
    let numbers = reads * writes * points
    let weights = task.isPrepared ? 0 : numbers / task.threads
    // Each thread reads all of them at least once, from beyond its own caches.
    let traffic = numbers / Double(lanes) * costs.weight
    return MethodCost(
      time: MethodCost.pass + weights + traffic + task.share(of: vectors) * vector,
      operations: 2 * Double(tiles) * (points * reads * writes + (reads + writes) * points * 5),
      weightBytes: Int(numbers) * MemoryLayout<S>.stride)
  }
}

/// The measured costs of Winograd's tiles; see `MeasuredCosts`.
private struct WinogradCosts {
  /// Share of the peak that products reach.
  let share: Double
  /// Transforms of a vector of tiles of one plane, for F(4×4) and F(2×2).
  let input: [Double]
  let output: [Double]
  /// A vector of transformed weights that is read from memory.
  let weight: Double

  static let measured = MeasuredCosts(
    baseline: WinogradCosts(share: 1, input: [166, 52], output: [177, 59], weight: 2),
    avx2: WinogradCosts(share: 0.92, input: [485, 212], output: [430, 151], weight: 7),
    avx512: WinogradCosts(share: 0.9, input: [530, 570], output: [350, 205], weight: 14))
}

extension Method {
  /// F(outputs × outputs, 3 × 3), for 4 or 2 outputs.
  package static func winograd(outputs: Int) -> Method { Method(.winograd, tile: Tile(outputs)) }
}
