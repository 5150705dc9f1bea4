// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// Runs a gather plan: pads a chunk of images into the workspace, then computes its outputs block by block.
///
/// Threads split outputs only, and each output is one chain of multiply-adds in canonical order, so neither the
/// thread count nor the blocking changes a bit.
struct GatherPass<S: EngineScalar>: PlannedPass {
  let plan: GatherPlan
  let batch: Int
  /// Channels summed over, and channels computed.
  let channels: Int
  let outputs: Int
  /// Layers of equal shape, each with weights of its own: image i is one of module i mod `modules`.
  let modules: Int
  /// From one output, and from one channel, to the next in ŵ, which is passed module by module; coefficients are
  /// contiguous.
  let weightStrides: (output: Int, channel: Int)
  let kernels: Microkernels
  let threads: Int
  private let split: PanelSplit
  /// Whether padded planes are those of the signal, which are then read where they are.
  private let readsInPlace: Bool
  private let share: BatchShare
  private let grids: FixedArray<GridWork>
  /// Vectors in one block of any grid.
  private let blockVectors: Int
  /// Channels summed at a time.
  private let channelChunk: Int
  private let pieces: Pieces
  let layout: Workspace.Layout

  /// The part of one grid in the work on an image.
  private struct GridWork {
    let cover: VectorCover
    /// Its vectors and blocks follow those of the grids before it.
    let firstVector: Int
    let firstBlock: Int
    let isDirect: Bool
  }

  private struct Pieces {
    /// ŵ in panels, module by module.
    let weights: Piece<S>
    /// The start of a panel that has no bias.
    let zeros: Piece<S>
    let planes: PaddedPlanes<S>
    let fold: FoldedPlanes<S>?
    /// In a panel of orbit sums, where each coefficient lies.
    let panelReads: Piece<equiconv_read>
    /// Where the vectors of all grids read and are stored, and where those of one block lie in scratch.
    let sources: Piece<Int>
    let destinations: Piece<Int>
    let packed: Piece<Int>
    let threads: PerThread<GatherBlock<S>.Pieces>
  }

  init(
    plan: GatherPlan, batch: Int, channels: Int, outputs: Int, modules: Int,
    weightStrides: (output: Int, channel: Int), _ options: PassOptions
  ) throws(ConvolutionError) {
    let (kernels, threads) = (S.microkernels(options.instructions), options.threads)
    self.plan = plan
    self.batch = batch
    self.channels = channels
    self.outputs = outputs
    self.modules = modules
    self.weightStrides = weightStrides
    self.kernels = kernels
    self.threads = threads
    split = PanelSplit(outputs: outputs, widest: kernels.widestPanel)
    let covers = try PlanTable<VectorCover>(count: plan.grids.count) {
      VectorCover(grid: plan.grids[$0], layout: plan.layout, lanes: kernels.lanes)
    }.frozen()
    let planeBytes = MemoryLayout<S>.stride * channels * plan.stencil.inputElements * plan.layout.volume
    let depth = plan.layout.depth
    let blocking = Blocking(
      plan: plan, channels: channels, outputs: outputs, lanes: kernels.lanes, scalarBytes: MemoryLayout<S>.stride,
      vectors: covers.map { $0.vectorCount }.max() ?? 1)
    readsInPlace =
      plan.layout.isSignal && covers.allSatisfy { $0.staysInside } && blocking.favorsReadingInPlace
    share = BatchShare(stacks: (batch + depth - 1) / depth, stackBytes: planeBytes, threads: threads)
    blockVectors = blocking.vectors(stacks: share.chunk, threads: threads)
    let overlap = covers.contains { $0.isDirect && !$0.isDisjoint }
    channelChunk = min(channels, blocking.channelChunk(widestPanel: kernels.widestPanel, overlap: overlap))
    grids = try Self.works(covers, blockVectors: blockVectors, isWhole: channelChunk == channels)
    var layout = Workspace.Layout()
    pieces = try Self.reserve(
      &layout, plan: plan, stacks: share.inMemory, pads: !readsInPlace, channels: channels,
      outputs: outputs, modules: modules, kernels: kernels, threads: threads,
      vectors: covers.reduce(0) { $0 + $1.vectorCount }, blockVectors: blockVectors)
    self.layout = layout
  }

  /// - Parameter isWhole: Whether all channels are summed in one go, and no partial sums rest in the destination.
  private static func works(
    _ covers: FixedArray<VectorCover>, blockVectors: Int, isWhole: Bool
  ) throws(ConvolutionError) -> FixedArray<GridWork> {
    var (vectors, blocks) = (0, 0)
    var works = try PlanTable<GridWork>(capacity: covers.count)
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
    _ layout: inout Workspace.Layout, plan: GatherPlan, stacks: Int, pads: Bool, channels: Int, outputs: Int,
    modules: Int, kernels: Microkernels, threads: Int, vectors: Int, blockVectors: Int
  ) throws(ConvolutionError) -> Pieces {
    let stencil = plan.stencil
    return Pieces(
      weights: try layout.reserve(S.self, modules, outputs, channels, stencil.coefficients),
      zeros: try layout.reserve(S.self, kernels.widestPanel),
      planes: try PaddedPlanes(
        &layout, plan.layout, planesPerImage: channels * stencil.inputElements, stacks: pads ? stacks : 0,
        threads: threads, kernels),
      fold: try .reserve(&layout, plan, images: stacks * plan.layout.depth, outputs: outputs),
      panelReads: try layout.reserve(equiconv_read.self, stencil.isOrbit ? stencil.coefficients : 0),
      sources: try layout.reserve(Int.self, vectors), destinations: try layout.reserve(Int.self, vectors),
      packed: try layout.reserve(Int.self, blockVectors),
      threads: try layout.reserve(threads: threads) { each throws(ConvolutionError) in
        GatherBlock<S>.Pieces(
          tile: try each.reserve(S.self, kernels.widestPanel, blockVectors, kernels.lanes),
          orbitPanel: try each.reserve(
            S.self, stencil.isOrbit ? channels : 0, stencil.largestBank, blockVectors, kernels.lanes),
          starts: try each.reserve(S.self, plan.leftOut == nil ? 0 : outputs))
      })
  }

  /// - Throws: `outOfMemory` before any array is touched.
  func run(_ arrays: SignalPassArrays<S>, in workspace: borrowing Workspace) throws(ConvolutionError) {
    let weights = workspace[pieces.weights]
    for module in 0..<modules {
      split.pack(
        arrays.weights + module * moduleWeights, into: weights + module * moduleWeights,
        outputStride: weightStrides.output, channels: channels, channelStride: weightStrides.channel,
        coefficients: plan.stencil.coefficients)
    }
    workspace[pieces.zeros].update(repeating: 0, count: pieces.zeros.count)
    writePanelReads(workspace)
    writeOffsets(workspace)
    pieces.planes.zeroBeyond(workspace)
    pieces.fold?.writeRuns(workspace)
    let startsApart = plan.leftOut != nil && !areFinite(weights, count: pieces.weights.count)
    try share.forEachChunk { crew, stacks in process(crew, images(stacks), arrays, workspace, startsApart) }
  }

  /// The images of so many stacks.
  private func images(_ stacks: Range<Int>) -> Range<Int> {
    stacks.lowerBound * plan.layout.depth..<min(batch, stacks.upperBound * plan.layout.depth)
  }

  /// 0 · x is NaN for what is not finite, and 0 for what is.
  private func areFinite(_ weights: UnsafePointer<S>, count: Int) -> Bool {
    var sum = S.zero
    for index in 0..<count { sum += 0 * weights[index] }
    return sum == 0
  }

  /// - Parameter startsApart: Whether terms that were left out decide what sums begin with.
  private func process(
    _ crew: BatchShare.Crew, _ images: Range<Int>, _ arrays: SignalPassArrays<S>, _ workspace: borrowing Workspace,
    _ startsApart: Bool
  ) {
    let source = arrays.source + images.lowerBound * sourceImage
    let stack = crew.first * share.chunk
    let planes =
      readsInPlace
      ? source
      : pieces.planes.pad(images.count, from: source, imageStride: sourceImage, stack: stack, crew, workspace)
    let resultImage = outputs * plan.stencil.outputElements * (plan.fold?.signal ?? plan.destination).volume
    let result = arrays.destination + images.lowerBound * resultImage
    let epilogue = Epilogue<S>(arrays.pointwise, kernels)
    guard let fold = pieces.fold else {
      return compute(images, arrays.bias, epilogue, planes, result, crew, workspace, startsApart)
    }
    fold.run(images.count, at: stack * plan.layout.depth, into: result, crew, workspace) { folded in
      compute(images, nil, Epilogue(nil, kernels), planes, folded, crew, workspace, startsApart)
    } finish: { image, plane, numbers in
      let output = (images.lowerBound + image) % modules * outputs + plane / plan.stencil.outputElements
      epilogue.run(numbers, count: fold.signalVolume, adding: arrays.bias?[output])
    }
  }

  private var moduleWeights: Int { outputs * channels * plan.stencil.coefficients }
  private var sourceImage: Int { channels * plan.stencil.inputElements * plan.layout.signal.volume }
  private var destinationImage: Int { outputs * plan.stencil.outputElements * plan.destination.volume }

  /// In a panel of orbit sums, coefficient j of a bank is the j-th group of a channel's vectors.
  private func writePanelReads(_ workspace: borrowing Workspace) {
    guard plan.stencil.isOrbit else { return }
    let reads = workspace[pieces.panelReads]
    for bank in plan.stencil.banks {
      for (number, coefficient) in bank.coefficients.enumerated() {
        reads[coefficient] = equiconv_read(source: number * blockVectors * kernels.lanes, weight: coefficient)
      }
    }
  }

  private func writeOffsets(_ workspace: borrowing Workspace) {
    let (sources, destinations) = (workspace[pieces.sources], workspace[pieces.destinations])
    for grid in grids {
      grid.cover.writeOffsets(sources: sources + grid.firstVector, destinations: destinations + grid.firstVector)
    }
    let packed = workspace[pieces.packed]
    for index in 0..<pieces.packed.count { packed[index] = index * kernels.lanes }
  }

  /// Outputs that no grid has.
  private func fillGaps(
    _ images: Range<Int>, _ bias: UnsafePointer<S>?, _ epilogue: Epilogue<S>, _ destination: UnsafeMutablePointer<S>
  ) {
    let numbers = plan.stencil.outputElements * plan.destination.volume
    for image in images.indices {
      for output in 0..<outputs {
        let value = epilogue.value(ofBias: bias?[image % modules * outputs + output])
        let place = destination + ((image - images.lowerBound) * outputs + output) * numbers
        place.update(repeating: value, count: numbers)
      }
    }
  }

  private func compute(
    _ images: Range<Int>, _ bias: UnsafePointer<S>?, _ epilogue: Epilogue<S>, _ planes: UnsafePointer<S>,
    _ destination: UnsafeMutablePointer<S>, _ crew: BatchShare.Crew, _ workspace: borrowing Workspace,
    _ startsApart: Bool
  ) {
    if plan.leavesGaps { fillGaps(images, bias, epilogue, destination) }
    let elements = plan.stencil.outputElements
    let (weights, zeros) = (workspace[pieces.weights], workspace[pieces.zeros])
    let panelReads = workspace[pieces.panelReads]
    let (sources, destinations) = (workspace[pieces.sources], workspace[pieces.destinations])
    let packed = workspace[pieces.packed]
    let shared = GatherBlock<S>.Shared(
      plan: plan, kernels: kernels, split: split, channels: channels, channelChunk: channelChunk,
      blockVectors: blockVectors, startsApart: startsApart, epilogue: epilogue, pieces: pieces.threads.each)
    let blocks = grids.last.map { $0.firstBlock + ($0.cover.vectorCount + blockVectors - 1) / blockVectors } ?? 0
    let depth = plan.layout.depth
    let stacks = (images.count + depth - 1) / depth
    ThreadPool.run(stacks * blocks * elements, threads: crew.count) { worker, item in
      let (stack, block, element) = (item / elements / blocks, item / elements % blocks, item % elements)
      let image = stack * depth
      let number = grids.indices.lastOfPrefix { grids[$0].firstBlock <= block }
      let grid = grids[number]
      let first = (block - grid.firstBlock) * blockVectors
      let offsets = VectorOffsets(
        sources: sources + grid.firstVector, destinations: destinations + grid.firstVector, packed: packed)
      let task = GatherBlock<S>(
        shared: shared, grid: number, element: element, cover: grid.cover,
        isDirect: grid.isDirect && (epilogue.isEmpty || grid.cover.sharedLanes(first) == 0), offsets: offsets,
        first: first, count: min(blockVectors, grid.cover.vectorCount - first),
        images: min(depth, images.count - image), imageStride: destinationImage,
        memory: workspace[pieces.threads, crew.first + worker])
      let module = (images.lowerBound + image) % modules
      task.run(
        source: planes + stack * pieces.planes.stackVolume, weights: weights + module * moduleWeights,
        bias: bias.map { $0 + module * outputs }, zeros: zeros, panelReads: panelReads,
        destination: destination + image * destinationImage + element * plan.destination.volume)
    }
  }
}
