// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups

/// Fourier on the lattice subgroup L of H: for each tap, the sum over the fiber is a convolution on L.
///
/// Covers forward passes, weight gradients, and input gradients of stride 1, of all layers that sum over channels. With
/// representations by signed permutations it needs Σ D² · columns products in place of |L|², and is equivariant to the last
/// bit.
struct GroupFourierAlgorithm<S: EngineScalar>: WeightTransformingAlgorithm {
  static var name: Algorithm { .groupFourier }
  let task: PassTask<S>

  static func checkLayer(_ layer: Layer, reach: Box) throws(ConvolutionError) {
    if layer.isDepthwise { throw .unsupported(name, "a depthwise layer", expected: "sums over channels") }
    // All of a closed group carries one tap to itself.
    let isCarried = layer.group.latticeSubgroup.count > 1 || reach.volume == 1 && layer.group.isClosed
    if !isCarried || layer.group.order == 1 {
      throw .unsupported(name, "\(layer.group.name)", expected: "a group with elements that map the grid to itself")
    }
  }

  func check() throws(ConvolutionError) {
    let layer = task.plan.descriptor.layer
    try Self.checkLayer(layer, reach: task.plan.geometry.reach)
    switch task.pass {
    case .forward, .weightGradient: return
    case .inputGradient:
      if layer.stride.values.contains(where: { $0 != 1 }) {
        throw .unsupported(Self.name, "an input gradient with stride \(layer.stride)", expected: "stride 1")
      }
    }
  }

  var tiles: [Tile] { [Method.groupFourier.tile] }

  /// What falls on circular padding is folded back in the order of the rows, which turns.
  func isExact(tile: Tile) -> Bool {
    switch task.pass {
    case .forward: break
    case .inputGradient: if task.plan.descriptor.layer.paddingMode == .circular { return false }
    case .weightGradient: return false
    }
    return (try? groupPlan().isExact) ?? false
  }

  // MARK: - Passes

  private func groupPlan() throws(ConvolutionError) -> GroupFourierPlan {
    try task.plan.groupFourierPlan(task.pass == .inputGradient ? .inputGradient : .forward)
  }

  func signalPass(tile: Tile) throws(ConvolutionError) -> GroupFourierPass<S> {
    try GroupFourierPass(
      groupPlan(), batch: task.batch, channels: task.channels.read, outputs: task.channels.computed, task.options)
  }

  func weightGradient(tile: Tile) throws(ConvolutionError) -> GroupFourierGradientPass<S> {
    try GroupFourierGradientPass(
      groupPlan(), batch: task.batch, channels: task.channels.read, outputs: task.channels.computed, task.options)
  }

  func transform(_ core: CoreWeights<S>, tile: Tile) throws(ConvolutionError) -> TransformedWeights<S> {
    let weights = GroupFourierWeights<S>(
      try groupPlan(), channels: task.channels.read, outputs: task.channels.computed,
      instructions: task.options.instructions)
    return try weights.transform(core, threads: task.options.threads)
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
    let (readWork, pointWork) = (plan.readWork, isGradient ? plan.gradientWork : plan.pointWork)
    let additions = Double(readWork.additions) * reads + Double(pointWork.additions) * writes
    let accesses = Double(readWork.accesses) * reads + Double(pointWork.accesses) * writes
    let elements = plan.gather.stencil
    let planes = Double(elements.inputElements) * reads + Double(elements.outputElements) * writes
    let vector = products / share + costs.access * accesses + costs.plane * planes
    let vectors = Double(task.batch) * Double(cover.vectorCount)
    let weights = task.isPrepared ? 0 : costs.weight * reads * writes * Double(plan.weightWork)
    let pixels = Double(task.batch) * Double(plan.gather.grids[0].size.volume)
    return MethodCost(
      time: MethodCost.pass / 2 + (weights + vectors * vector) / task.threads,
      operations: pixels * (2 * products + additions),
      weightBytes: isGradient
        ? 0 : plan.weightNumbers * channels.read * channels.computed * MemoryLayout<S>.stride)
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

  static let measured = MeasuredCosts(
    baseline: GroupFourierCosts(share: 1, gradientShare: 0.9, access: 1, plane: 6, weight: 2),
    avx2: GroupFourierCosts(share: 0.95, gradientShare: 0.85, access: 2, plane: 12, weight: 4),
    avx512: GroupFourierCosts(share: 0.9, gradientShare: 0.8, access: 3.5, plane: 20, weight: 7))
}

extension Method {
  package static let groupFourier = Method(.groupFourier, tile: 0)
}

extension ConvolutionPlan {
  /// The plan of a forward pass or an input gradient of stride 1.
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
