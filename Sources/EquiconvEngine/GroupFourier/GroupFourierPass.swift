// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// Runs a group Fourier plan: pads a chunk of images into the workspace, then computes its outputs block by block.
///
/// Threads split pixels only, and each sum has one order, so neither the thread count nor the blocking changes a bit.
struct GroupFourierPass<S: EngineScalar>: PlannedPass {
  let plan: GroupFourierPlan
  let batch: Int
  /// Channels summed over, and channels computed.
  let channels: Int
  let outputs: Int
  let kernels: Microkernels
  let threads: Int
  private let cover: VectorCover
  private let blocking: GroupFourierBlocking
  /// Images padded at a time, by one thread for itself or by all threads together; see `GatherPass`.
  private let chunk: Int
  private let ownedImages: Int
  private let pieces: Pieces
  let layout: Workspace.Layout

  private struct Pieces {
    /// [image][channel][element][padded plane], and numbers beyond the last one.
    let planes: Piece<S>
    let fold: FoldPieces?
    /// What the sums of each representation's outputs begin with.
    let starts: Piece<S>
    /// Where the vectors of an image read and are stored, and where those of a block lie in scratch.
    let sources: Piece<Int>
    let destinations: Piece<Int>
    let packed: Piece<Int>
    let threads: PerThread<GroupFourierBlock<S>.Pieces>
  }

  /// The pieces of a plan that folds.
  private struct FoldPieces {
    let runs: Piece<CircularFold.Run>
    /// [image][output][element][plane of the gather].
    let planes: Piece<S>
  }

  init(
    _ plan: GroupFourierPlan, batch: Int, channels: Int, outputs: Int, _ options: PassOptions
  ) throws(ConvolutionError) {
    let (kernels, threads) = (S.microkernels(options.instructions), options.threads)
    let gather = plan.gather
    self.plan = plan
    self.batch = batch
    self.channels = channels
    self.outputs = outputs
    self.kernels = kernels
    self.threads = threads
    cover = VectorCover(grid: gather.grids[0], layout: gather.layout, lanes: kernels.lanes)
    let planeBytes = MemoryLayout<S>.stride * channels * gather.stencil.inputElements * gather.layout.volume
    let share = threads == 1 ? batch : batch / (Blocking.itemsPerThread * threads)
    chunk = max(1, min(share, Blocking.chunkBytes / max(planeBytes, 1)))
    ownedImages = threads == 1 ? 0 : batch / (chunk * threads) * (chunk * threads)
    blocking = GroupFourierBlocking(
      plan, channels: channels, outputs: outputs, kernels: kernels, scalarBytes: MemoryLayout<S>.stride,
      vectors: cover.vectorCount, images: ownedImages > 0 ? batch : chunk, options: options)
    var layout = Workspace.Layout()
    pieces = try Self.reserve(
      &layout, plan, images: ownedImages > 0 ? chunk * threads : chunk, channels: channels, outputs: outputs,
      vectors: cover.vectorCount, blocking, kernels, threads: threads)
    self.layout = layout
  }

  private static func reserve(
    _ layout: inout Workspace.Layout, _ plan: GroupFourierPlan, images: Int, channels: Int, outputs: Int,
    vectors: Int, _ blocking: GroupFourierBlocking, _ kernels: Microkernels, threads: Int
  ) throws(ConvolutionError) -> Pieces {
    let (gather, stencil) = (plan.gather, plan.gather.stencil)
    let mostRows = plan.parts.reduce(1) { max($0, $1.rows.count) }
    var fold: FoldPieces?
    if let folding = gather.fold {
      fold = FoldPieces(
        runs: try layout.reserve(CircularFold.Run.self, folding.runCount),
        planes: try layout.reserve(S.self, images, outputs, stencil.outputElements, gather.destination.volume))
    }
    return Pieces(
      planes: try layout.reserve(
        S.self, images, channels, stencil.inputElements, gather.layout.volume, beyond: Blocking.beyondPlanes(kernels)),
      fold: fold,
      starts: try layout.reserve(S.self, outputs, plan.parts.reduce(0) { $0 + $1.outputs.count }),
      sources: try layout.reserve(Int.self, vectors), destinations: try layout.reserve(Int.self, vectors),
      packed: try layout.reserve(Int.self, mostRows, blocking.vectors),
      threads: try layout.reserve(threads: threads) { each throws(ConvolutionError) in
        try GroupFourierBlock<S>.Pieces(&each, plan, blocking, kernels)
      })
  }

  /// - Throws: `cancelled`.
  func run(_ arrays: SignalPassArrays<S>, in workspace: borrowing Workspace) throws(ConvolutionError) {
    writeStarts(arrays.bias, workspace[pieces.starts])
    cover.writeOffsets(sources: workspace[pieces.sources], destinations: workspace[pieces.destinations])
    let packed = workspace[pieces.packed]
    for index in 0..<pieces.packed.count { packed[index] = index * kernels.lanes }
    let beyond = Blocking.beyondPlanes(kernels)
    (workspace[pieces.planes] + (pieces.planes.count - beyond)).update(repeating: 0, count: beyond)
    if let fold = plan.gather.fold, let pieces = pieces.fold { fold.writeRuns(workspace[pieces.runs]) }
    ThreadPool.run(ownedImages / chunk, threads: threads) { worker, item in
      process(Crew(first: worker, count: 1), item * chunk..<(item + 1) * chunk, arrays, workspace)
    }
    for first in stride(from: ownedImages, to: batch, by: chunk) {
      try Call.checkNotEnded()
      process(Crew(first: 0, count: threads), first..<min(batch, first + chunk), arrays, workspace)
    }
  }

  /// The threads that work on a chunk: workers `first ..< first + count`.
  private struct Crew {
    let first: Int
    let count: Int
  }

  /// A bias begins the sums of one column for each output channel and orbit of points; the others begin with zero.
  private func writeStarts(_ bias: UnsafePointer<S>?, _ starts: UnsafeMutablePointer<S>) {
    starts.update(repeating: 0, count: pieces.starts.count)
    guard let bias else { return }
    for inverse in plan.inverses {
      let number = inverse.columns[inverse.bias].representation
      let sum = S(inverse.columns[inverse.bias].sum ?? 1)
      let before = plan.parts[..<number].reduce(0) { $0 + outputs * $1.outputs.count }
      for output in 0..<outputs {
        starts[before + output * plan.parts[number].outputs.count + inverse.outputs[inverse.bias]] = bias[output] / sum
      }
    }
  }

  private var gather: GatherPlan { plan.gather }
  private var sourceImage: Int { channels * gather.stencil.inputElements * gather.layout.signal.volume }
  private var destinationImage: Int { outputs * gather.stencil.outputElements * gather.destination.volume }
  private var paddedImage: Int { channels * gather.stencil.inputElements * gather.layout.volume }

  private func process(
    _ crew: Crew, _ images: Range<Int>, _ arrays: SignalPassArrays<S>, _ workspace: borrowing Workspace
  ) {
    let planes = workspace[pieces.planes] + crew.first * chunk * paddedImage
    pad(images.count, from: arrays.source + images.lowerBound * sourceImage, planes, crew)
    guard let fold = gather.fold, let foldPieces = pieces.fold else {
      let destination = arrays.destination + images.lowerBound * destinationImage
      compute(images.count, arrays.weights, planes, destination, crew, workspace)
      return
    }
    let folded = workspace[foldPieces.planes] + crew.first * chunk * destinationImage
    compute(images.count, arrays.weights, planes, folded, crew, workspace)
    let target = arrays.destination + images.lowerBound * outputs * gather.stencil.outputElements * fold.signal.volume
    let runs = workspace[foldPieces.runs]
    ThreadPool.run(images.count * outputs * gather.stencil.outputElements, threads: crew.count) { _, plane in
      fold.fold(folded + plane * fold.padded.volume, into: target + plane * fold.signal.volume, runs)
    }
  }

  private func pad(_ images: Int, from source: UnsafePointer<S>, _ planes: UnsafeMutablePointer<S>, _ crew: Crew) {
    let layout = gather.layout
    let total = images * channels * gather.stencil.inputElements
    let group = max(
      1, min(total / (Blocking.itemsPerThread * crew.count), 1 + Blocking.smallestPadding / max(layout.volume, 1)))
    ThreadPool.run((total + group - 1) / group, threads: crew.count) { _, item in
      for plane in item * group..<min(total, (item + 1) * group) {
        layout.fill(planes + plane * layout.volume, from: source + plane * layout.signal.volume, kernels)
      }
    }
  }

  private func compute(
    _ images: Int, _ weights: UnsafePointer<S>, _ planes: UnsafePointer<S>, _ destination: UnsafeMutablePointer<S>,
    _ crew: Crew, _ workspace: borrowing Workspace
  ) {
    let shared = GroupFourierBlock<S>.Shared(
      plan: plan, kernels: kernels, blocking: blocking, cover: cover, channels: channels, outputs: outputs,
      weightStarts: GroupFourierWeights<S>.starts(plan, channels: channels, outputs: outputs), weights: weights,
      starts: workspace[pieces.starts], sources: workspace[pieces.sources],
      destinations: workspace[pieces.destinations], packed: workspace[pieces.packed], pieces: pieces.threads.each)
    let blocks = (cover.vectorCount + blocking.vectors - 1) / blocking.vectors
    ThreadPool.run(images * blocks, threads: crew.count) { worker, item in
      let (image, block) = item.quotientAndRemainder(dividingBy: blocks)
      let first = block * blocking.vectors
      let task = GroupFourierBlock<S>(
        shared: shared, first: first, count: min(blocking.vectors, cover.vectorCount - first),
        source: planes + image * paddedImage, destination: destination + image * destinationImage,
        memory: workspace[pieces.threads, crew.first + worker])
      task.run()
    }
  }
}
