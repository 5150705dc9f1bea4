// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvShims

/// Tiles in the frequency domain: layers of stride 1 in the plane whose taps reach over 32 × 32 at most, in every pass.
struct FourierAlgorithm<S: EngineScalar>: WeightTransformingAlgorithm {
  static var name: Algorithm { .fourier }
  let task: PassTask<S>

  private static var longest: Int { FourierPlan.lengths.max() ?? 0 }

  static func checkLayer(_ layer: Layer, reach: Box) throws(ConvolutionError) {
    try PlaneCorrelation.checkLayer(layer, reach: reach, atMost: longest, for: name)
  }

  func check() throws(ConvolutionError) {
    try Self.checkLayer(task.plan.descriptor.layer, reach: task.plan.geometry.reach)
    try PlaneCorrelation.check(task.pass, of: task.plan, for: Self.name)
  }

  /// The lengths of tiles that have outputs, and for signal passes whose orientations are one another turned, tiles that
  /// are turned.
  var tiles: [Tile] {
    get throws(ConvolutionError) {
      let lengths = FourierPlan.lengths.filter { $0 >= task.plan.reach }
      let plain = lengths.map { Tile($0) }
      if task.pass == .weightGradient || !task.plan.hasTurns { return plain }
      return try correlation().orbits.isEmpty ? plain : plain + lengths.map { Tile($0, isTurned: true) }
    }
  }

  func isExact(tile: Tile) -> Bool { tile.isTurned }

  // MARK: - Passes

  private func correlation() throws(ConvolutionError) -> PlaneCorrelation {
    try task.plan.correlation(task.pass, for: Self.name)
  }

  private func fourierPlan(_ tile: Tile) throws(ConvolutionError) -> FourierPlan {
    let key = FourierPlan.Key(pass: task.pass.tableKey, tile: tile)
    return try task.plan.tables.fourierPlans.value(key) { () throws(ConvolutionError) in
      let correlation = try correlation()
      if tile.isTurned && correlation.orbits.isEmpty { throw Self.notTurned }
      guard let made = FourierPlan(correlation, tile) else { throw tooFar(correlation, tile.size) }
      return made
    }
  }

  private static var notTurned: ConvolutionError {
    .unsupported(name, "turned tiles of outputs that turns leave in place", expected: "outputs that turns exchange")
  }

  private func tooFar(_ correlation: PlaneCorrelation, _ length: Int) -> ConvolutionError {
    PlaneCorrelation.tooFar(correlation.reach, atMost: length, for: Self.name)
  }

  func signalPass(tile: Tile) throws(ConvolutionError) -> FourierPass<S> {
    try FourierPass(
      plan: fourierPlan(tile), batch: task.batch, channels: task.channels.read, outputs: task.channels.computed,
      task.options)
  }

  func weightGradient(tile: Tile) throws(ConvolutionError) -> FourierGradientPass<S> {
    let plan = task.plan
    return try FourierGradientPass(
      plan: fourierPlan(tile), sampling: plan.stencil.sampling, batch: task.batch, inChannels: plan.moduleInputs,
      outChannels: plan.moduleOutputs, task.options)
  }

  func transform(_ core: CoreWeights<S>, tile: Tile) throws(ConvolutionError) -> TransformedWeights<S> {
    let transform = FourierWeights<S>(
      plan: try fourierPlan(tile), channels: task.channels.read, outputs: task.channels.computed,
      kernels: task.kernels, threads: task.options.threads)
    return try transform.transform(core)
  }

  // MARK: - Costs

  private var costs: FourierCosts { FourierCosts.measured[task.options.instructions] }

  func cost(tile: Tile) throws(ConvolutionError) -> MethodCost {
    let correlation = try correlation()
    guard let grid = TileGrid(correlation, inputs: tile.size) else { throw tooFar(correlation, tile.size) }
    let tiles = Tiles(correlation, length: tile.size, count: task.batch * grid.tiles.volume, costs)
    let frames = tile.isTurned ? task.plan.descriptor.layer.group.latticeSubgroup.count : 1
    return task.pass == .weightGradient ? gradientCost(tiles) : signalCost(tiles, frames: frames)
  }

  /// The tiles of a task, and what transforms of a vector of them cost.
  private struct Tiles {
    let correlation: PlaneCorrelation
    let count: Int
    let points: Double
    let forward: Double
    let inverse: Double
    /// 5 N log₂ N / 2 operations for N = n² real numbers.
    let operations: Double

    init(_ correlation: PlaneCorrelation, length n: Int, count: Int, _ costs: FourierCosts) {
      let place = FourierPlan.lengths.firstIndex(of: n) ?? 0
      self.correlation = correlation
      self.count = count
      points = Double(FourierPlan.points(length: n))
      (forward, inverse) = (costs.forward[place], costs.inverse[place])
      operations = 5 * Double(n * n) * Double((n - 1).bitWidth - (n - 1).leadingZeroBitCount)
    }
  }

  /// - Parameter frames: How often all that is read is transformed.
  private func signalCost(_ tiles: Tiles, frames: Int) -> MethodCost {
    let (channels, kernels, correlation) = (task.channels, task.kernels, tiles.correlation)
    let (reads, writes) = (
      Double(channels.read * correlation.sourceElements), Double(channels.computed * correlation.targetElements)
    )
    let lanes = kernels.lanes
    let blocks = (tiles.count + lanes - 1) / lanes
    let turned = frames == 1 ? 1 : FourierCosts.turned
    let transforms = turned * (Double(frames) * reads * tiles.forward + writes * tiles.inverse)
    // Three real products, and a sum for each panel of outputs.
    let additions = 1 / Double(min(kernels.widestComplexPanel, channels.computed))
    let products = tiles.points * (3 + additions) * reads * writes / costs.share
    let banks = frames == 1 ? correlation.banks.count : correlation.orbits.count
    let sourcePlanes = banks * channels.read * correlation.sourceElements
    let transformed = sourcePlanes * ((channels.computed + lanes - 1) / lanes)
    let weights = task.isPrepared ? 0 : Double(transformed) * 1.5 * tiles.forward / task.threads
    return MethodCost(
      time: MethodCost.pass + weights + task.share(of: blocks * frames) * (transforms + products) / Double(frames),
      operations: Double(tiles.count)
        * ((Double(frames) * reads + writes) * tiles.operations + 6 * tiles.points * reads * writes),
      weightBytes: banks * Int(tiles.points) * channels.read * correlation.sourceElements
        * channels.computed * 3 * MemoryLayout<S>.stride)
  }

  private func gradientCost(_ tiles: Tiles) -> MethodCost {
    let (inputs, outputs, lanes) = (task.plan.moduleInputs, task.plan.moduleOutputs, task.kernels.lanes)
    let (sources, targets) = (tiles.correlation.sourceElements, tiles.correlation.targetElements)
    let (inGroups, outGroups) = ((inputs + lanes - 1) / lanes, (outputs + lanes - 1) / lanes)
    let (reads, writes) = (inGroups * sources, outGroups * targets)
    let transforms = Double(tiles.count * (reads + writes)) * tiles.forward
    let computed = Double(outputs * targets)
    let sums = computed * Double(reads)
    let chunks = Double((tiles.count - 1) / FourierPlan.tilesPerChunk + 1)
    // Each chunk loads and stores the real and imaginary part of every sum.
    let products = tiles.points * sums * (3.125 * Double(tiles.count) / costs.share + 14 * chunks)
    let inverse = Double(tiles.correlation.banks.count * outputs * reads) * tiles.inverse
    let planes = Double(inputs * sources + outputs * targets)
    return MethodCost(
      time: MethodCost.pass * (1 + chunks / 4) + (transforms + products + inverse) / task.threads,
      operations: Double(tiles.count)
        * (planes * tiles.operations + 6 * tiles.points * computed * Double(inputs * sources)),
      weightBytes: 0)
  }
}

/// The measured costs of Fourier tiles; see `MeasuredCosts`.
private struct FourierCosts {
  /// Share of the peak that products reach.
  let share: Double
  /// Transforms of a vector of tiles of one plane, for each length in `FourierPlan.lengths`.
  let forward: [Double]
  let inverse: [Double]

  /// How much longer transforms of turned planes take: most of them are copied in another order.
  static let turned = 1.15

  static let measured = MeasuredCosts(
    baseline: FourierCosts(
      share: 0.81, forward: [860, 2170, 3900, 7700, 10200, 18200], inverse: [1070, 2630, 4950, 8900, 12200, 24900]),
    avx2: FourierCosts(
      share: 0.73, forward: [2540, 5580, 9930, 20500, 28500, 51000],
      inverse: [3210, 6490, 12900, 21200, 32300, 63400]),
    avx512: FourierCosts(
      share: 0.8, forward: [3700, 7700, 13800, 27300, 37300, 67400],
      inverse: [2545, 5800, 10150, 21300, 31900, 58000]))
}

extension Method {
  /// Tiles of length × length points.
  package static func fourier(length: Int, isTurned: Bool = false) -> Method {
    Method(.fourier, tile: Tile(length, isTurned: isTurned))
  }
}

extension ConvolutionPlan {
  /// Kernels with a transform of their own; turned kernels, and kernels of turned planes, share one.
  package func fourierBanks(_ pass: Pass, isTurned: Bool = false) throws(ConvolutionError) -> Int {
    let correlation = try correlation(pass, for: .fourier)
    return isTurned ? correlation.orbits.count : correlation.banks.count
  }
}
