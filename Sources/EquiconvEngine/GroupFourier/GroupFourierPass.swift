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
  private let share: BatchShare
  private let pieces: Pieces
  let layout: Workspace.Layout

  private struct Pieces {
    let planes: PaddedPlanes<S>
    let fold: FoldedPlanes<S>?
    /// What the sums of each representation's outputs begin with.
    let starts: Piece<S>
    /// Where the vectors of an image read and are stored, and where those of a block lie in scratch.
    let sources: Piece<Int>
    let destinations: Piece<Int>
    let packed: Piece<Int>
    let threads: PerThread<GroupFourierBlock<S>.Pieces>
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
    share = BatchShare(stacks: batch, stackBytes: planeBytes, threads: threads)
    blocking = GroupFourierBlocking(
      plan, channels: channels, outputs: outputs, kernels: kernels, scalarBytes: MemoryLayout<S>.stride,
      vectors: cover.vectorCount, images: share.owned > 0 ? batch : share.chunk, options: options)
    var layout = Workspace.Layout()
    pieces = try Self.reserve(
      &layout, plan, images: share.inMemory, channels: channels, outputs: outputs,
      vectors: cover.vectorCount, blocking, kernels, threads: threads)
    self.layout = layout
  }

  private static func reserve(
    _ layout: inout Workspace.Layout, _ plan: GroupFourierPlan, images: Int, channels: Int, outputs: Int,
    vectors: Int, _ blocking: GroupFourierBlocking, _ kernels: Microkernels, threads: Int
  ) throws(ConvolutionError) -> Pieces {
    let gather = plan.gather
    return Pieces(
      planes: try PaddedPlanes(
        &layout, gather.layout, planesPerImage: channels * gather.stencil.inputElements, stacks: images,
        threads: threads, kernels),
      fold: try .reserve(&layout, gather, images: images, outputs: outputs),
      starts: try layout.reserve(S.self, outputs, plan.parts.reduce(0) { $0 + $1.outputs.count }),
      sources: try layout.reserve(Int.self, vectors), destinations: try layout.reserve(Int.self, vectors),
      packed: try layout.reserve(Int.self, plan.mostRows, blocking.vectors),
      threads: try layout.reserve(threads: threads) { each throws(ConvolutionError) in
        try GroupFourierBlock<S>.Pieces(&each, plan, blocking, kernels)
      })
  }

  /// - Throws: `cancelled`.
  func run(_ arrays: SignalPassArrays<S>, in workspace: borrowing Workspace) throws(ConvolutionError) {
    // What is folded gets its bias afterwards, once.
    writeStarts(pieces.fold == nil ? arrays.bias : nil, workspace[pieces.starts])
    cover.writeOffsets(sources: workspace[pieces.sources], destinations: workspace[pieces.destinations])
    let packed = workspace[pieces.packed]
    for index in 0..<pieces.packed.count { packed[index] = index * kernels.lanes }
    pieces.planes.zeroBeyond(workspace)
    pieces.fold?.writeRuns(workspace)
    try share.forEachChunk { crew, images in process(crew, images, arrays, workspace) }
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

  private func process(
    _ crew: BatchShare.Crew, _ images: Range<Int>, _ arrays: SignalPassArrays<S>, _ workspace: borrowing Workspace
  ) {
    let place = crew.first * share.chunk
    let planes = pieces.planes.pad(
      images.count, from: arrays.source + images.lowerBound * sourceImage, imageStride: sourceImage, stack: place, crew,
      workspace)
    let resultImage = outputs * gather.stencil.outputElements * (gather.fold?.signal ?? gather.destination).volume
    let result = arrays.destination + images.lowerBound * resultImage
    let epilogue = Epilogue<S>(arrays.pointwise, kernels)
    guard let fold = pieces.fold else {
      return compute(images.count, arrays.weights, epilogue, planes, result, crew, workspace)
    }
    fold.run(images.count, at: place, into: result, crew, workspace) { folded in
      compute(images.count, arrays.weights, Epilogue(nil, kernels), planes, folded, crew, workspace)
    } finish: { _, plane, numbers in
      let bias = arrays.bias?[plane / gather.stencil.outputElements]
      epilogue.run(numbers, count: fold.signalVolume, adding: bias)
    }
  }

  private func compute(
    _ images: Int, _ weights: UnsafePointer<S>, _ epilogue: Epilogue<S>, _ planes: UnsafePointer<S>,
    _ destination: UnsafeMutablePointer<S>, _ crew: BatchShare.Crew, _ workspace: borrowing Workspace
  ) {
    let shared = GroupFourierBlock<S>.Shared(
      plan: plan, kernels: kernels, blocking: blocking, cover: cover, channels: channels, outputs: outputs,
      weightStarts: GroupFourierWeights<S>.starts(plan, channels: channels, outputs: outputs), weights: weights,
      starts: workspace[pieces.starts], sources: workspace[pieces.sources],
      destinations: workspace[pieces.destinations], packed: workspace[pieces.packed], epilogue: epilogue,
      pieces: pieces.threads.each)
    let blocks = (cover.vectorCount + blocking.vectors - 1) / blocking.vectors
    ThreadPool.run(images * blocks, threads: crew.count) { worker, item in
      let (image, block) = item.quotientAndRemainder(dividingBy: blocks)
      let first = block * blocking.vectors
      let task = GroupFourierBlock<S>(
        shared: shared, first: first, count: min(blocking.vectors, cover.vectorCount - first),
        source: planes + image * pieces.planes.stackVolume, destination: destination + image * destinationImage,
        memory: workspace[pieces.threads, crew.first + worker])
      task.run()
    }
  }
}
