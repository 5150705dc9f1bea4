// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvErrors
import _EquiconvMemory
import _EquiconvShims

/// Fourier on the lattice subgroup L of H: for each tap, the sum over the fiber is a convolution on L.
///
/// Covers all passes of all layers that sum over channels. With representations by signed permutations it needs
/// Σ D² · columns products in place of |L|², and signal passes are equivariant to the last bit.
struct GroupFourierAlgorithm<S: EngineScalar>: WeightTransformingAlgorithm {
  static var name: Algorithm { .groupFourier }
  let task: PassTask<S>

  static func checkLayer(_ layer: Layer, reach: Box) throws(ConvolutionError) {
    try layer.checkSumsOverAllChannels(for: name)
    // All of a closed group carries one tap to itself.
    let isCarried = layer.group.latticeSubgroup.count > 1 || reach.volume == 1 && layer.group.isClosed
    if !isCarried || layer.group.order == 1 {
      throw .unsupported(name, "\(layer.group.name)", expected: "a group with elements that map the grid to itself")
    }
  }

  func check() throws(ConvolutionError) {
    try Self.checkLayer(task.plan.descriptor.layer, reach: task.plan.geometry.reach)
  }

  /// Whether places are added to by the adjoint of the forward pass, and not gathered.
  private var isScatter: Bool {
    task.pass == .inputGradient && task.plan.descriptor.layer.stride.values.contains { $0 != 1 }
  }

  var tiles: [Tile] { [Method.groupFourier.tile] }

  func isExact(tile: Tile) throws(ConvolutionError) -> Bool {
    if task.pass == .weightGradient { return false }
    if !isScatter { return try groupPlan().isExact }
    // Places of a circular signal are added up in an order that turning changes.
    return task.plan.descriptor.layer.paddingMode != .circular ? try adjoint().isExact : false
  }

  // MARK: - Passes

  private func groupPlan() throws(ConvolutionError) -> GroupFourierPlan {
    try task.plan.groupFourierPlan(task.pass == .inputGradient && !isScatter ? .inputGradient : .forward)
  }

  private func adjoint() throws(ConvolutionError) -> GroupFourierAdjoint { try task.plan.groupFourierAdjoint() }

  func signalPass(tile: Tile) throws(ConvolutionError) -> GroupFourierSignalPass<S> {
    let (plan, channels) = (try groupPlan(), task.channels)
    if isScatter {
      return .scatter(
        try GroupFourierAdjointPass(
          adjoint(), batch: task.batch, channels: channels.computed, outputs: channels.read, unit: unit(plan),
          task.options))
    }
    return .gather(
      try GroupFourierPass(
        plan, batch: task.batch, channels: channels.read, outputs: channels.computed, task.options))
  }

  /// Channels that a pass in scatter form computes at a time.
  private func unit(_ plan: GroupFourierPlan) -> Int {
    GroupFourierAdjointBlocking.unit(plan, channels: task.channels.computed, scalarBytes: MemoryLayout<S>.stride)
  }

  func weightGradient(tile: Tile) throws(ConvolutionError) -> GroupFourierGradientPass<S> {
    try GroupFourierGradientPass(
      groupPlan(), batch: task.batch, channels: task.channels.read, outputs: task.channels.computed, task.options)
  }

  func transform(_ core: CoreWeights<S>, tile: Tile) throws(ConvolutionError) -> TransformedWeights<S> {
    let (plan, channels, options) = (try groupPlan(), task.channels, task.options)
    if isScatter {
      let weights = GroupFourierAdjointWeights<S>(
        plan, channels: channels.computed, outputs: channels.read, unit: unit(plan),
        instructions: options.instructions)
      return try weights.transform(core, threads: options.threads)
    }
    let weights = GroupFourierWeights<S>(
      plan, channels: channels.read, outputs: channels.computed, instructions: options.instructions)
    return try weights.transform(core, threads: options.threads)
  }

  // MARK: - Costs

  func cost(tile: Tile) throws(ConvolutionError) -> MethodCost {
    let plan = try groupPlan()
    let costs = GroupFourierCosts.measured[task.options.instructions]
    let (kernels, channels) = (task.kernels, task.channels)
    let (reads, writes) = (Double(channels.read), Double(channels.computed))
    let cover = VectorCover(grid: plan.gather.grids[0], layout: plan.gather.layout, lanes: kernels.lanes)
    let isGradient = task.pass == .weightGradient
    let panel = min(Double(kernels.widestPanel), writes)
    let share = isGradient ? costs.gradientShare : costs.share / (1 + 1 / panel - 1 / Double(kernels.widestPanel))
    let products = Double(plan.products) * reads * writes
    let work = try work(plan)
    let additions = Double(work.read.additions) * reads + Double(work.computed.additions) * writes
    let accesses = Double(work.read.accesses) * reads + Double(work.computed.accesses) * writes
    let vector = products / share + costs.plane * planes(plan)
    let blocking = GroupFourierBlocking(
      plan, channels: channels.read, outputs: channels.computed, kernels: kernels, scalarBytes: MemoryLayout<S>.stride,
      vectors: cover.vectorCount, images: task.batch, options: task.options)
    let blocks = Double((cover.vectorCount + blocking.vectors - 1) / blocking.vectors)
    let vectors = Double(cover.vectorCount)
    let image = vectors * vector + (vectors + GroupFourierCosts.block * blocks) * costs.access * accesses
    let weights = task.isPrepared ? 0 : costs.weight * reads * writes * Double(plan.weightWork)
    let pixels = Double(task.batch) * Double(plan.gather.grids[0].size.volume)
    return MethodCost(
      time: MethodCost.pass / 2 + (weights + Double(task.batch) * image) / task.threads,
      operations: pixels * (2 * products + additions),
      weightBytes: isGradient
        ? 0 : plan.weightNumbers * channels.read * channels.computed * MemoryLayout<S>.stride)
  }

  /// The work of the transforms of one channel that is read, and of one that is computed.
  private func work(
    _ plan: GroupFourierPlan
  ) throws(ConvolutionError) -> (read: TransformWork, computed: TransformWork) {
    if isScatter { return (plan.gradientWork, try adjoint().scatterWork) }
    return (plan.readWork, task.pass == .weightGradient ? plan.gradientWork : plan.pointWork)
  }

  /// Vectors of planes that are padded or stored, for each vector of outputs.
  private func planes(_ plan: GroupFourierPlan) -> Double {
    let (stencil, channels) = (plan.gather.stencil, task.channels)
    if isScatter {
      let phases = Double(plan.gather.layout.volume) / Double(max(plan.gather.grids[0].size.volume, 1))
      return Double(stencil.outputElements * channels.read) + phases * Double(stencil.inputElements * channels.computed)
    }
    return Double(stencil.inputElements * channels.read) + Double(stencil.outputElements * channels.computed)
  }
}

/// A forward pass or an input gradient, in one of two forms.
enum GroupFourierSignalPass<S: EngineScalar>: PlannedPass {
  case gather(GroupFourierPass<S>)
  case scatter(GroupFourierAdjointPass<S>)

  var layout: Workspace.Layout {
    switch self {
    case .gather(let pass): pass.layout
    case .scatter(let pass): pass.layout
    }
  }

  func run(_ arrays: SignalPassArrays<S>, in workspace: borrowing Workspace) throws(ConvolutionError) {
    switch self {
    case .gather(let pass): try pass.run(arrays, in: workspace)
    case .scatter(let pass): try pass.run(arrays, in: workspace)
    }
  }
}

/// The measured costs of transforms on L; see `MeasuredCosts`.
private struct GroupFourierCosts {
  /// Share of the peak that products reach: forward or input gradient, and weight gradient.
  let share: Double
  let gradientShare: Double
  /// A vector that a transform loads or stores, and a vector of a plane that is padded or stored.
  let access: Double
  let plane: Double
  /// A multiply-add of the weights' transform, either way.
  let weight: Double

  /// Beginning the steps of a block, in its vectors.
  static let block = 4.0

  static let measured = MeasuredCosts(
    baseline: GroupFourierCosts(share: 1, gradientShare: 0.9, access: 1, plane: 6, weight: 2),
    avx2: GroupFourierCosts(share: 0.95, gradientShare: 0.85, access: 2, plane: 12, weight: 4),
    avx512: GroupFourierCosts(share: 0.9, gradientShare: 0.8, access: 3.5, plane: 20, weight: 7))
}

extension Method {
  package static let groupFourier = Method(.groupFourier, tile: 0)
}

extension ConvolutionPlan {
  /// The plan of a forward pass, or of an input gradient of stride 1.
  func groupFourierPlan(_ pass: Pass) throws(ConvolutionError) -> GroupFourierPlan {
    try tables.groupFourierPlans.value(pass) { () throws(ConvolutionError) in
      let layer = descriptor.layer
      let isForward = pass == .forward
      let isCircular = layer.paddingMode == .circular
      let input = try layer.input.fiber(of: layer.group, .inputSpace)
      let output = try layer.output.fiber(of: layer.group, .outputSpace)
      let stencil = isForward ? self.stencil : try self.stencil.adjoint()
      let gather =
        isForward
        ? try GatherPlan(forward: stencil, geometry: geometry, isCircular: isCircular, leavesOutZeros: false)
        : try GatherPlan(adjoint: stencil, geometry: geometry, isCircular: isCircular, leavesOutZeros: false)
      let orbits = try TapOrbits(
        stencil, group: layer.group, geometry: geometry, from: isForward ? input : output,
        to: isForward ? output : input)
      return try GroupFourierPlan(stencil, gather, orbits: orbits, group: layer.group, geometry: geometry)
    }
  }
}

extension ConvolutionPlan {
  /// The adjoint of the forward pass, for input gradients of other strides.
  func groupFourierAdjoint() throws(ConvolutionError) -> GroupFourierAdjoint {
    try tables.groupFourierAdjoints.value(.inputGradient) { () throws(ConvolutionError) in
      try GroupFourierAdjoint(groupFourierPlan(.forward))
    }
  }
}
