// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// The definition, output by output: covers every pass of every layer, and is equivariant to the last bit.
struct DirectAlgorithm<S: EngineScalar>: ConvolutionAlgorithm {
  static var name: Algorithm { .direct }
  let task: PassTask<S>

  static func checkLayer(_ layer: Layer, reach: Box) throws(ConvolutionError) {}
  func check() throws(ConvolutionError) {}
  var tiles: [Tile] { [Method.direct.tile] }

  /// A forward sum is one chain, or one of orbit sums, for all elements. So is that of an input gradient, unless terms share
  /// a coefficient, or padding is folded back.
  func isExact(tile: Tile) -> Bool {
    let plan = task.plan
    switch task.pass {
    case .forward: return true
    case .inputGradient: return plan.descriptor.layer.paddingMode != .circular && plan.turnsAllInputs
    case .weightGradient: return false
    }
  }

  // MARK: - Passes

  private func gatherPlan() throws(ConvolutionError) -> GatherPlan {
    try task.plan.tables.gathers.plan(task.pass, of: task.plan)
  }

  /// Images that lie side by side in padded planes. Those of layers with modules have different weights.
  private func depth(_ gather: GatherPlan) -> Int {
    if task.plan.modules > 1 { return 1 }
    let planes = task.channels.read * gather.stencil.inputElements
    return gather.bestDepth(
      images: task.batch, planeBytes: planes * gather.layout.volume * MemoryLayout<S>.stride, lanes: task.kernels.lanes)
  }

  func signalPass(tile: Tile) throws(ConvolutionError) -> GatherPass<S> {
    let (plan, channels) = (task.plan, task.channels)
    let depth = try depth(gatherPlan())
    return try GatherPass(
      plan: plan.tables.gathers.plan(task.pass, of: plan, depth: depth), batch: task.batch * plan.modules,
      channels: channels.read, outputs: channels.computed, modules: plan.modules, weightStrides: task.coreStrides,
      task.options)
  }

  func weightGradient(tile: Tile) throws(ConvolutionError) -> WeightGradientPass<S> {
    let plan = task.plan
    return try WeightGradientPass(
      plan: gatherPlan(), geometry: plan.geometry, batch: task.batch, inChannels: plan.moduleInputs,
      outChannels: plan.moduleOutputs, modules: plan.modules, task.options)
  }

  // MARK: - Costs

  private var costs: DirectCosts { DirectCosts.measured[task.options.instructions] }

  /// Whether numbers that share a coefficient are added up before they are multiplied, as in orbit layers.
  private var isSummed: Bool { task.plan.stencil.isOrbit && task.pass == .forward }

  func cost(tile: Tile) throws(ConvolutionError) -> MethodCost {
    let plan = task.plan
    let gather = try gatherPlan()
    let pairs = Double(task.batch) * Double(plan.descriptor.outChannels) * Double(plan.moduleInputs)
    let outputs = Double(plan.geometry.output.volume)
    let terms = isSummed ? plan.stencil.coefficients : plan.stencil.termCount
    let products = gather.reads.isPartial ? pairs * partialProducts(gather) : pairs * Double(terms) * outputs
    let sums =
      isSummed ? Double(task.batch) * Double(plan.moduleInputs) * Double(plan.stencil.termCount) * outputs : 0
    let work = task.pass == .weightGradient ? reducedVectors(gather) : gatheredVectors(gather)
    let vectors = pairs * work + 2 * sums / Double(task.kernels.lanes)
    let grids =
      gather.reads.isPartial ? Double(task.batch * gather.grids.count * gather.stencil.outputElements) : 0
    return MethodCost(
      time: MethodCost.pass / 8 + (vectors + grids * DirectCosts.grid) / task.threads,
      operations: 2 * products + sums, weightBytes: 0)
  }

  /// Products for a pair of channels where reads of nothing but zeros are left out.
  private func partialProducts(_ gather: GatherPlan) -> Double {
    gather.grids.enumerated().reduce(0) { sum, grid in
      sum + Double(gather.reads.count(grid: grid.offset)) * Double(grid.element.size.volume)
    }
  }

  /// Multiply-adds of vectors for a pair of channels and an image: all that cover the outputs, the padding between rows too.
  private func gatheredVectors(_ gather: GatherPlan) -> Double {
    let (kernels, depth) = (task.kernels, depth(gather))
    let layout = gather.layout.with(depth: depth)
    var vectors = 0.0
    for (number, grid) in gather.grids.enumerated() {
      let products = isSummed ? task.plan.stencil.coefficients : gather.reads.count(grid: number)
      let cover = VectorCover(grid: grid, layout: layout, lanes: kernels.lanes)
      vectors += Double(cover.vectorCount) * Double(products)
    }
    // The last of the stacks that lie side by side may not be full.
    vectors *= Double((task.batch + depth - 1) / depth) / Double(max(task.batch, 1))
    // A pixel that is loaded for a panel of few outputs serves few multiply-adds.
    let panel = Double(min(kernels.widestPanel, task.channels.computed))
    return vectors * (1 + 1 / panel - 1 / Double(kernels.widestPanel)) / costs.share
  }

  /// Multiply-adds of vectors for a pair of channels: lanes run along one side's channels, some of them idle, and each
  /// image loads and stores the sums.
  private func reducedVectors(_ gather: GatherPlan) -> Double {
    let (plan, lanes) = (task.plan, task.kernels.lanes)
    let orientation = ReduceOrientation(
      inChannels: plan.moduleInputs, outChannels: plan.moduleOutputs, lanes: lanes)
    let pairs = gather.grids.enumerated().reduce(0.0) { sum, grid in
      let pixels = Double(grid.element.size.volume) + DirectCosts.gradientStart
      return sum + Double(gather.reads.count(grid: grid.offset)) * pixels
    }
    return pairs * Double(orientation.width) / Double(orientation.channels) / Double(lanes) / costs.gradientShare
  }
}

/// The measured costs of the direct algorithm; see `MeasuredCosts`.
private struct DirectCosts {
  /// Share of the peak that whole passes reach: forward or input gradient, and weight gradient.
  let share: Double
  let gradientShare: Double

  /// Loading and storing a sum of the weight gradient once an image.
  static let gradientStart = 12.0
  /// Starting and ending one grid of one plane, if outputs are split into many.
  static let grid = 1e3

  static let measured = MeasuredCosts(
    baseline: DirectCosts(share: 1, gradientShare: 1),
    avx2: DirectCosts(share: 0.95, gradientShare: 0.94),
    avx512: DirectCosts(share: 0.97, gradientShare: 0.92))
}

extension Method {
  package static let direct = Method(.direct, tile: 0)
}

extension ConvolutionPlan {
  /// Multiply-adds of vectors for a pair of channels that the direct algorithm makes, by counting.
  package func directWork(_ pass: Pass, lanes: Int) throws(ConvolutionError) -> Int {
    let gather = try tables.gathers.plan(pass, of: self)
    return gather.grids.indices.reduce(0) { sum, grid in
      let vectors = VectorCover(grid: gather.grids[grid], layout: gather.layout, lanes: lanes).vectorCount
      return sum + vectors * gather.reads.count(grid: grid)
    }
  }

  /// Whether the direct algorithm leaves out reads of nothing but zeros.
  package func leavesOutReads(_ pass: Pass) throws(ConvolutionError) -> Bool {
    try tables.gathers.plan(pass, of: self).reads.isPartial
  }
}
