// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// Runs a gather plan: pads a chunk of images into the workspace, then computes its outputs block by block.
///
/// Threads split outputs only, and each output is one chain of multiply-adds in canonical order, so neither the
/// thread count nor the blocking changes a bit.
struct GatherPass<S: EngineScalar> {
  /// What is gathered into what.
  struct Arrays {
    var source: UnsafePointer<S>
    /// ŵ, (outputs, channels) with these strides, module by module; coefficients are contiguous.
    var weights: UnsafePointer<S>
    var weightOutputStride: Int
    var weightChannelStride: Int
    var bias: UnsafePointer<S>?
    var destination: UnsafeMutablePointer<S>
  }

  let plan: GatherPlan
  let batch: Int
  /// Channels summed over, and channels computed.
  let channels: Int
  let outputs: Int
  /// Layers of equal shape, each with weights of its own: image i is one of module i mod `modules`.
  let modules: Int
  let kernels: Microkernels
  let threads: Int
  private let split: PanelSplit
  /// Images padded at a time, by one thread for itself or by all threads together.
  private let chunk: Int
  /// Images that threads take whole chunks of, each padding and computing its own: nobody waits, and what a thread pads
  /// is still in its own cache when it computes. The rest of the batch is shared block by block.
  private let ownedImages: Int
  private let grids: FixedArray<GridWork>
  /// Vectors in one block of any grid.
  private let blockVectors: Int
  /// Channels summed at a time.
  private let channelChunk: Int
  /// Where each piece of the workspace begins, in bytes.
  private let pieces: Pieces
  private let memory: Workspace.Plan

  /// What one grid is of the work on an image.
  private struct GridWork {
    let cover: VectorCover
    /// Its vectors and blocks follow those of the grids before it.
    let firstVector: Int
    let firstBlock: Int
    let isDirect: Bool
  }

  private struct Pieces {
    var weights = 0
    var zeros = 0
    var planes = 0
    var folded = 0
    var foldRuns = 0
    var panelReads = 0
    var offsets = 0
    var packedOffsets = 0
    var threads = 0
    var bytesPerThread = 0
  }

  /// Memory of a run, for all threads.
  var workspaceBytes: Int { memory.bytes }

  init(
    plan: GatherPlan, batch: Int, channels: Int, outputs: Int, modules: Int, instructions: InstructionSet,
    threads: Int
  ) throws(ConvolutionError) {
    let kernels = S.microkernels(instructions)
    self.plan = plan
    self.batch = batch
    self.channels = channels
    self.outputs = outputs
    self.modules = modules
    self.kernels = kernels
    self.threads = threads
    split = PanelSplit(outputs: outputs, widest: kernels.widestPanel)
    let covers = try Table<VectorCover>(count: plan.grids.count) {
      VectorCover(grid: plan.grids[$0], layout: plan.layout, lanes: kernels.lanes)
    }.frozen()
    let planeBytes = MemoryLayout<S>.stride * channels * plan.stencil.inputElements * plan.layout.volume
    // Several chunks for each thread, so that a slow core does not keep the others waiting.
    let share = threads == 1 ? batch : batch / (4 * threads)
    chunk = Swift.max(1, Swift.min(share, Blocking.chunkBytes / Swift.max(planeBytes, 1)))
    ownedImages = threads == 1 ? 0 : batch / (chunk * threads) * (chunk * threads)
    let blocking = Blocking(
      plan: plan, channels: channels, outputs: outputs, lanes: kernels.lanes, scalarBytes: MemoryLayout<S>.stride,
      vectors: covers.map(\.vectorCount).max() ?? 1)
    blockVectors = blocking.vectors(images: chunk, threads: threads)
    channelChunk = min(channels, blocking.channelChunk(widestPanel: kernels.widestPanel))
    grids = try Self.works(covers, blockVectors: blockVectors, isWhole: channelChunk == channels)
    var memory = Workspace.Plan()
    pieces = try Self.reserve(
      &memory, plan: plan, images: ownedImages > 0 ? chunk * threads : chunk, channels: channels,
      outputs: outputs, modules: modules, kernels: kernels, threads: threads,
      vectors: covers.reduce(0) { $0 + $1.vectorCount }, blockVectors: blockVectors)
    self.memory = memory
  }

  /// - Parameter isWhole: Whether all channels are summed in one go, and no partial sums rest in the destination.
  private static func works(
    _ covers: FixedArray<VectorCover>, blockVectors: Int, isWhole: Bool
  ) throws(ConvolutionError) -> FixedArray<GridWork> {
    var (vectors, blocks) = (0, 0)
    var works = try Table<GridWork>(capacity: covers.count)
    for cover in covers {
      try works.append(
        GridWork(
          cover: cover, firstVector: vectors, firstBlock: blocks,
          isDirect: cover.isDirect && (isWhole || cover.isDisjoint)))
      vectors += cover.vectorCount
      blocks += (cover.vectorCount + blockVectors - 1) / blockVectors
    }
    return works.frozen()
  }

  private static func reserve(
    _ memory: inout Workspace.Plan, plan: GatherPlan, images: Int, channels: Int, outputs: Int, modules: Int,
    kernels: Microkernels, threads: Int, vectors: Int, blockVectors: Int
  ) throws(ConvolutionError) -> Pieces {
    let stencil = plan.stencil
    var pieces = Pieces()
    pieces.weights = try memory.reserve(S.self, modules, outputs, channels, stencil.coefficients)
    pieces.zeros = try memory.reserve(S.self, kernels.widestPanel)
    pieces.planes = try memory.reserve(S.self, images, channels, stencil.inputElements, plan.layout.volume)
    // Vectors that begin near the end of the last plane read past it.
    _ = try memory.reserve(S.self, 2 * kernels.lanes)
    if let fold = plan.fold {
      pieces.foldRuns = try memory.reserve(CircularFold.Run.self, fold.runCount)
      pieces.folded = try memory.reserve(S.self, images, outputs, stencil.outputElements, plan.destination.volume)
    }
    if stencil.isOrbit {
      pieces.panelReads = try memory.reserve(equiconv_read.self, stencil.coefficients)
    }
    pieces.offsets = try memory.reserve(Int.self, 2, vectors)
    pieces.packedOffsets = try memory.reserve(Int.self, blockVectors)
    var perThread = Workspace.Plan()
    try BlockScratch<S>.reserve(
      &perThread, vectors: blockVectors, lanes: kernels.lanes, panel: kernels.widestPanel,
      orbits: Self.orbits(stencil, channels),
      starts: plan.leftOut == nil ? 0 : outputs)
    pieces.bytesPerThread = perThread.bytes
    pieces.threads = try memory.reserve(UInt8.self, threads, perThread.bytes)
    return pieces
  }

  /// Sums over orbits that a block holds for each vector.
  private static func orbits(_ stencil: Stencil, _ channels: Int) -> Int {
    stencil.isOrbit ? channels * stencil.largestBank : 0
  }

  /// - Throws: `outOfMemory` before any array is touched.
  func run(_ arrays: Arrays) throws(ConvolutionError) {
    let workspace = try Workspace(memory)
    let weights = workspace.pointer(pieces.weights, S.self)
    for module in 0..<modules {
      split.pack(
        arrays.weights + module * moduleWeights, into: weights + module * moduleWeights,
        outputStride: arrays.weightOutputStride, channels: channels, channelStride: arrays.weightChannelStride,
        coefficients: plan.stencil.coefficients)
    }
    workspace.pointer(pieces.zeros, S.self).update(repeating: 0, count: kernels.widestPanel)
    writePanelReads(workspace)
    writeOffsets(workspace)
    zeroSlack(workspace)
    plan.fold?.writeRuns(workspace.pointer(pieces.foldRuns, CircularFold.Run.self))
    let startsApart = plan.leftOut != nil && !areFinite(weights, count: modules * moduleWeights)
    ThreadPool.run(ownedImages / chunk, threads: threads) { worker, item in
      process(Crew(first: worker, count: 1), images: item * chunk..<(item + 1) * chunk, arrays, workspace, startsApart)
    }
    for first in stride(from: ownedImages, to: batch, by: chunk) {
      try Call.checkNotEnded()
      process(Crew(first: 0, count: threads), images: first..<min(batch, first + chunk), arrays, workspace, startsApart)
    }
  }

  /// The threads that work on a chunk: workers `first ..< first + count`.
  private struct Crew {
    let first: Int
    let count: Int
  }

  /// 0 · x is NaN for what is not finite, and 0 for what is.
  private func areFinite(_ weights: UnsafePointer<S>, count: Int) -> Bool {
    var sum = S.zero
    for index in 0..<count { sum += 0 * weights[index] }
    return sum == 0
  }

  /// - Parameter startsApart: Whether terms that were left out decide what sums begin with.
  private func process(
    _ crew: Crew, images: Range<Int>, _ arrays: Arrays, _ workspace: borrowing Workspace, _ startsApart: Bool
  ) {
    let planes =
      workspace.pointer(pieces.planes, S.self)
      + crew.first * chunk * channels * plan.stencil.inputElements * plan.layout.volume
    pad(images.count, from: arrays.source + images.lowerBound * sourceImage, planes, crew)
    guard let fold = plan.fold else {
      let destination = arrays.destination + images.lowerBound * destinationImage
      compute(images, arrays.bias, planes, destination, crew, workspace, startsApart)
      return
    }
    let folded = workspace.pointer(pieces.folded, S.self) + crew.first * chunk * destinationImage
    compute(images, arrays.bias, planes, folded, crew, workspace, startsApart)
    let target = arrays.destination + images.lowerBound * outputs * plan.stencil.outputElements * fold.signal.volume
    let runs = workspace.pointer(pieces.foldRuns, CircularFold.Run.self)
    ThreadPool.run(images.count * outputs * plan.stencil.outputElements, threads: crew.count) { _, plane in
      fold.fold(folded + plane * fold.padded.volume, into: target + plane * fold.signal.volume, runs)
    }
  }

  private var moduleWeights: Int { outputs * channels * plan.stencil.coefficients }
  private var sourceImage: Int { channels * plan.stencil.inputElements * plan.layout.signal.volume }
  private var destinationImage: Int { outputs * plan.stencil.outputElements * plan.destination.volume }

  private func pad(_ images: Int, from source: UnsafePointer<S>, _ planes: UnsafeMutablePointer<S>, _ crew: Crew) {
    let (layout, volume, signal) = (plan.layout, plan.layout.volume, plan.layout.signal.volume)
    let total = images * channels * plan.stencil.inputElements
    // A few planes an item: claiming one costs more than padding a small plane.
    let group = max(1, min(total / (4 * crew.count), 1 + 16384 / max(volume, 1)))
    ThreadPool.run((total + group - 1) / group, threads: crew.count) { _, item in
      for plane in item * group..<min(total, (item + 1) * group) {
        layout.fill(planes + plane * volume, from: source + plane * signal)
      }
    }
  }

  /// Vectors that begin near the end of the last plane read past it; what they read is not used, but is a number.
  private func zeroSlack(_ workspace: borrowing Workspace) {
    let end = slots * channels * plan.stencil.inputElements * plan.layout.volume
    (workspace.pointer(pieces.planes, S.self) + end).update(repeating: 0, count: 2 * kernels.lanes)
  }

  /// Images the workspace has room for.
  private var slots: Int { ownedImages > 0 ? chunk * threads : chunk }

  /// In a panel of orbit sums, coefficient j of a bank is the j-th group of a channel's vectors.
  private func writePanelReads(_ workspace: borrowing Workspace) {
    guard plan.stencil.isOrbit else { return }
    let reads = workspace.pointer(pieces.panelReads, equiconv_read.self)
    for bank in plan.stencil.banks {
      for (number, coefficient) in bank.coefficients.enumerated() {
        reads[coefficient] = equiconv_read(source: number * blockVectors * kernels.lanes, weight: coefficient)
      }
    }
  }

  private var allVectors: Int { grids.last.map { $0.firstVector + $0.cover.vectorCount } ?? 0 }

  private func writeOffsets(_ workspace: borrowing Workspace) {
    let sources = workspace.pointer(pieces.offsets, Int.self)
    let destinations = sources + allVectors
    for grid in grids {
      grid.cover.writeOffsets(sources: sources + grid.firstVector, destinations: destinations + grid.firstVector)
    }
    let packed = workspace.pointer(pieces.packedOffsets, Int.self)
    for index in 0..<blockVectors { packed[index] = index * kernels.lanes }
  }

  private func compute(
    _ images: Range<Int>, _ bias: UnsafePointer<S>?, _ planes: UnsafePointer<S>,
    _ destination: UnsafeMutablePointer<S>, _ crew: Crew, _ workspace: borrowing Workspace,
    _ startsApart: Bool
  ) {
    if plan.leavesGaps { destination.update(repeating: 0, count: images.count * destinationImage) }
    let elements = plan.stencil.outputElements
    let weights = workspace.pointer(pieces.weights, S.self)
    let zeros = workspace.pointer(pieces.zeros, S.self)
    let panelReads = workspace.pointer(pieces.panelReads, equiconv_read.self)
    let scratchBase = workspace.pointer(pieces.threads, UInt8.self)
    let sourceStride = channels * plan.stencil.inputElements * plan.layout.volume
    let packed = UnsafePointer(workspace.pointer(pieces.packedOffsets, Int.self))
    let sources = UnsafePointer(workspace.pointer(pieces.offsets, Int.self))
    let allVectors = self.allVectors
    let blocks = grids.last.map { $0.firstBlock + ($0.cover.vectorCount + blockVectors - 1) / blockVectors } ?? 0
    ThreadPool.run(images.count * blocks * elements, threads: crew.count) { worker, item in
      let (image, block, element) = (item / elements / blocks, item / elements % blocks, item % elements)
      let number = grids.indices.last { grids[$0].firstBlock <= block }
      let grid = grids[number]
      let first = (block - grid.firstBlock) * blockVectors
      let offsets = VectorOffsets(
        sources: sources + grid.firstVector, destinations: sources + allVectors + grid.firstVector, packed: packed)
      let scratch = BlockScratch<S>(
        scratchBase + (crew.first + worker) * pieces.bytesPerThread, vectors: blockVectors, lanes: kernels.lanes,
        panel: kernels.widestPanel, orbits: Self.orbits(plan.stencil, channels))
      let task = GatherBlock<S>(
        plan: plan, grid: number, element: element, cover: grid.cover, isDirect: grid.isDirect,
        startsApart: startsApart, offsets: offsets,
        kernels: kernels, split: split, channels: channels, channelChunk: channelChunk, first: first,
        count: min(blockVectors, grid.cover.vectorCount - first), blockVectors: blockVectors)
      let module = (images.lowerBound + image) % modules
      task.run(
        source: planes + image * sourceStride, weights: weights + module * moduleWeights,
        bias: bias.map { $0 + module * outputs }, zeros: zeros, panelReads: panelReads,
        destination: destination + image * destinationImage + element * plan.destination.volume, scratch: scratch)
    }
  }
}
