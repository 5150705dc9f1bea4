// SPDX-License-Identifier: Apache-2.0

/// What a method would cost a pass.
struct MethodCost {
  /// In vector multiply-adds of the busiest thread.
  var time: Double
  /// Floating-point operations, two for each multiply-add.
  var operations: Double
  var weightBytes: Int
}

/// Counts the arithmetic and the memory of each method, and weighs them with `MeasuredCosts`.
struct CostModel {
  let plan: ConvolutionPlan
  private let gather: GatherPlan
  let pass: Pass
  let batch: Int
  let scalarBytes: Int
  let lanes: Int
  let widestPanel: Int
  let widestComplexPanel: Int
  let options: PassOptions
  /// Whether weights come transformed already.
  let isPrepared: Bool
  private let costs: MeasuredCosts

  init<S: EngineScalar>(
    _ plan: ConvolutionPlan, _ pass: Pass, batch: Int, _: S.Type, _ options: PassOptions, isPrepared: Bool
  ) throws(ConvolutionError) {
    let kernels = S.microkernels(options.instructions)
    self.plan = plan
    gather = try plan.gatherPlan(pass)
    self.pass = pass
    self.batch = batch
    scalarBytes = MemoryLayout<S>.stride
    lanes = kernels.lanes
    widestPanel = kernels.widestPanel
    widestComplexPanel = kernels.widestComplexPanel
    self.options = options
    self.isPrepared = isPrepared
    costs = MeasuredCosts.of(options.instructions)
  }

  private var threads: Double { Double(options.threads) }

  /// The busiest thread's share of so many items of one size.
  private func shared(_ items: Int) -> Double { Double((items + options.threads - 1) / options.threads) }

  // MARK: - Direct

  func direct() -> MethodCost {
    let pairs = Double(batch) * Double(plan.descriptor.outChannels) * Double(plan.moduleInputs)
    let outputs = Double(plan.geometry.output.volume)
    // Layers of orbits add up what shares a coefficient before they multiply.
    let isSummed = plan.stencil.isOrbit && pass == .forward
    let products =
      gather.reads.isPartial
      ? pairs * partialProducts()
      : pairs * Double(isSummed ? plan.stencil.coefficients : plan.stencil.termCount) * outputs
    let sums = isSummed ? Double(batch) * Double(plan.moduleInputs) * Double(plan.stencil.termCount) * outputs : 0
    let vectors =
      pairs * (pass == .weightGradient ? reducedVectors() : gatheredVectors()) + 2 * sums / Double(lanes)
    let grids = gather.reads.isPartial ? Double(batch * gather.grids.count * gather.stencil.outputElements) : 0
    return MethodCost(
      time: costs.pass / 8 + (vectors + grids * costs.grid) / threads, operations: 2 * products + sums, weightBytes: 0)
  }

  /// Products for a pair of channels where reads of nothing but zeros are left out.
  private func partialProducts() -> Double {
    gather.grids.enumerated().reduce(0) { sum, grid in
      sum + Double(gather.reads.count(grid: grid.offset)) * Double(grid.element.size.volume)
    }
  }

  /// Multiply-adds of vectors for a pair of channels: all that cover the outputs, the padding between rows too.
  private func gatheredVectors() -> Double {
    let isSummed = plan.stencil.isOrbit && pass == .forward
    var vectors = 0.0
    for (number, grid) in gather.grids.enumerated() {
      let products = isSummed ? plan.stencil.coefficients : gather.reads.count(grid: number)
      vectors += Double(VectorCover(grid: grid, layout: gather.layout, lanes: lanes).vectorCount) * Double(products)
    }
    // A pixel that is loaded for a panel of few outputs serves few multiply-adds.
    let panel = Double(min(widestPanel, plan.channels(pass).computed))
    return vectors * (1 + 1 / panel - 1 / Double(widestPanel)) / costs.directShare
  }

  /// Multiply-adds of vectors for a pair of channels: lanes run along one side's channels, some of them idle, and each
  /// image loads and stores the sums.
  private func reducedVectors() -> Double {
    let alongInput = ReduceOrientation.alongInput(
      inChannels: plan.moduleInputs, outChannels: plan.moduleOutputs, lanes: lanes)
    let channels = alongInput ? plan.moduleInputs : plan.moduleOutputs
    let width = Double((channels + lanes - 1) / lanes * lanes)
    let pairs = gather.grids.enumerated().reduce(0.0) { sum, grid in
      let pixels = Double(grid.element.size.volume) + costs.directGradientStart
      return sum + Double(gather.reads.count(grid: grid.offset)) * pixels
    }
    return pairs * width / Double(channels) / Double(lanes) / costs.directGradientShare
  }

  // MARK: - Fourier

  /// - Parameter number: of the length in `FourierPlan.lengths`.
  func fourier(_ correlation: PlaneCorrelation, number: Int) -> MethodCost? {
    let n = FourierPlan.lengths[number]
    guard let grid = TileGrid(correlation, inputs: n) else { return nil }
    let tiles = batch * grid.tiles.volume
    let points = Double(FourierPlan.points(length: n))
    return pass == .weightGradient
      ? fourierGradient(correlation, number: number, tiles: tiles, points: points)
      : fourierCorrelation(correlation, number: number, tiles: tiles, points: points)
  }

  private func fourierCorrelation(
    _ correlation: PlaneCorrelation, number: Int, tiles: Int, points: Double
  ) -> MethodCost {
    let channels = plan.channels(pass)
    let (reads, writes) = (
      Double(channels.read * correlation.sourceElements), Double(channels.computed * correlation.targetElements)
    )
    let blocks = (tiles + lanes - 1) / lanes
    let transforms = reads * costs.fourierForward[number] + writes * costs.fourierInverse[number]
    // Three real products, and a sum for each panel of outputs.
    let additions = 1 / Double(min(widestComplexPanel, channels.computed))
    let products = points * (3 + additions) * reads * writes / costs.fourierShare
    let kernels =
      correlation.banks.count * channels.read * correlation.sourceElements
      * ((channels.computed + lanes - 1) / lanes)
    let weights = isPrepared ? 0 : Double(kernels) * 1.5 * costs.fourierForward[number] / threads
    return MethodCost(
      time: costs.pass + weights + shared(blocks) * (transforms + products),
      operations: Double(tiles)
        * ((reads + writes) * Self.transformOperations(number) + 6 * points * reads * writes),
      weightBytes: correlation.banks.count * Int(points) * channels.read * correlation.sourceElements
        * channels.computed * 3 * scalarBytes)
  }

  private func fourierGradient(
    _ correlation: PlaneCorrelation, number: Int, tiles: Int, points: Double
  ) -> MethodCost {
    let (inputs, outputs) = (plan.moduleInputs, plan.moduleOutputs)
    let (inGroups, outGroups) = ((inputs + lanes - 1) / lanes, (outputs + lanes - 1) / lanes)
    let (reads, writes) = (inGroups * correlation.sourceElements, outGroups * correlation.targetElements)
    let transforms = Double(tiles * (reads + writes)) * costs.fourierForward[number]
    let targets = Double(outputs * correlation.targetElements)
    let sums = targets * Double(reads)
    let chunks = Double((tiles - 1) / FourierPlan.tilesPerChunk + 1)
    // Each chunk loads and stores the real and imaginary part of every sum.
    let products = points * sums * (3.125 * Double(tiles) / costs.fourierShare + 14 * chunks)
    let inverse = Double(correlation.banks.count * outputs * reads) * costs.fourierInverse[number]
    return MethodCost(
      time: costs.pass * (1 + chunks / 4) + (transforms + products + inverse) / threads,
      operations: Double(tiles)
        * (Double(inputs * correlation.sourceElements + outputs * correlation.targetElements)
          * Self.transformOperations(number) + 6 * points * targets * Double(inputs * correlation.sourceElements)),
      weightBytes: 0)
  }

  /// 5 N log₂ N / 2 operations for N = n² real numbers.
  private static func transformOperations(_ number: Int) -> Double {
    let n = FourierPlan.lengths[number]
    var (bits, power) = (0.0, 1)
    while power < n {
      power *= 2
      bits += 1
    }
    return 5 * Double(n * n) * bits
  }

  // MARK: - Winograd

  /// - Parameter outputs: 4 or 2.
  func winograd(_ correlation: PlaneCorrelation, outputs: Int) -> MethodCost {
    let channels = plan.channels(pass)
    let (reads, writes) = (
      Double(channels.read * correlation.sourceElements), Double(channels.computed * correlation.targetElements)
    )
    let grid = TileGrid(correlation, outputs: Box(z: 1, y: outputs, x: outputs))
    let tiles = batch * grid.tiles.volume
    let vectors = (tiles + lanes - 1) / lanes
    let points = Double((outputs + 2) * (outputs + 2))
    let place = outputs == 4 ? 0 : 1
    let vector =
      reads * costs.winogradInput[place] + writes * costs.winogradOutput[place]
      + points * reads * writes / costs.winogradShare
    let weights = isPrepared ? 0 : reads * writes * points / threads
    let weightBytes = Int(points * reads * writes) * scalarBytes
    return MethodCost(
      time: costs.pass + weights + shared(vectors) * vector,
      operations: 2 * Double(tiles) * (points * reads * writes + (reads + writes) * points * 5),
      weightBytes: weightBytes)
  }
}
