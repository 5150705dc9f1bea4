// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// The input gradient of a strided layer by the adjoint of a group Fourier plan: transforms the gradients of a chunk of
/// images, then adds what each orbit of reads contributes to padded planes, orbit by orbit.
///
/// A strided layer reads the phases of its input alike, but a phase is not carried to itself by L. So places cannot be
/// gathered, as they are for stride 1. Threads split images and channels, and each place adds up the orbits in order: neither
/// the thread count nor the blocking changes a bit.
struct GroupFourierAdjointPass<S: EngineScalar>: PlannedPass {
  let adjoint: GroupFourierAdjoint
  let batch: Int
  /// Channels of the layer's input, which are computed, and of its output.
  let channels: Int
  let outputs: Int
  let unit: Int
  let kernels: Microkernels
  let threads: Int
  private let cover: VectorCover
  private let blocking: GroupFourierAdjointBlocking
  private let pieces: Pieces
  let layout: Workspace.Layout

  private struct Pieces {
    /// ĝ: [image][block][part][output, column][row][vector][lane].
    let gradients: Piece<S>
    /// What sums begin with.
    let zeros: Piece<S>
    /// Where the vectors of an image lie in padded planes, [block][channel of a unit][vector], and those of a block in scratch.
    let places: Piece<Int>
    let packed: Piece<Int>
    let threads: PerThread<GroupFourierAdjointBlock<S>.Pieces>
  }

  init(
    _ adjoint: GroupFourierAdjoint, batch: Int, channels: Int, outputs: Int, unit: Int, _ options: PassOptions
  ) throws(ConvolutionError) {
    let (kernels, plan) = (S.microkernels(options.instructions), adjoint.plan)
    self.adjoint = adjoint
    self.batch = batch
    self.channels = channels
    self.outputs = outputs
    self.unit = unit
    self.kernels = kernels
    threads = options.threads
    cover = VectorCover(grid: plan.gather.grids[0], layout: plan.gather.layout, lanes: kernels.lanes)
    blocking = GroupFourierAdjointBlocking(
      plan, batch: batch, outputs: outputs, unit: unit, kernels: kernels, scalarBytes: MemoryLayout<S>.stride,
      vectors: cover.vectorCount, options: options)
    var layout = Workspace.Layout()
    pieces = Pieces(
      gradients: try layout.reserve(
        S.self, blocking.images, outputs, plan.outputNumbers, cover.vectorCount, kernels.lanes),
      zeros: try layout.reserve(S.self, kernels.widestPanel),
      places: try layout.reserve(Int.self, cover.vectorCount, unit),
      packed: try layout.reserve(Int.self, plan.mostRows, blocking.vectors),
      threads: try layout.reserve(threads: options.threads) { [blocking] each throws(ConvolutionError) in
        try GroupFourierAdjointBlock<S>.Pieces(
          &each, adjoint, vectors: blocking.vectors, outputs: outputs, unit: min(unit, channels), kernels)
      })
    self.layout = layout
  }

  /// - Throws: `cancelled`.
  func run(_ arrays: SignalPassArrays<S>, in workspace: borrowing Workspace) throws(ConvolutionError) {
    workspace[pieces.zeros].update(repeating: 0, count: kernels.widestPanel)
    let (places, packed) = (workspace[pieces.places], workspace[pieces.packed])
    writePlaces(places)
    for index in 0..<pieces.packed.count { packed[index] = index * kernels.lanes }
    let shared = GroupFourierAdjointBlock<S>.Shared(
      adjoint: adjoint, kernels: kernels, cover: cover, channels: channels, outputs: outputs,
      weightStarts: GroupFourierWeights<S>.starts(adjoint.plan, channels: channels, outputs: outputs),
      weights: arrays.weights, rows: RowAdjoint(adjoint.plan.gather.layout), zeros: workspace[pieces.zeros],
      places: places, packed: packed, unit: unit, vectors: blocking.vectors, blocks: blocking.blocks,
      bias: arrays.bias, epilogue: Epilogue(arrays.pointwise, kernels), pieces: pieces.threads.each)
    for first in stride(from: 0, to: batch, by: blocking.images) {
      try Call.checkNotEnded()
      process(first..<min(batch, first + blocking.images), shared, arrays, workspace)
    }
  }

  private func writePlaces(_ places: UnsafeMutablePointer<Int>) {
    let channelStride = adjoint.plan.gather.stencil.inputElements * adjoint.plan.gather.layout.volume
    for first in stride(from: 0, to: cover.vectorCount, by: blocking.vectors) {
      let count = min(blocking.vectors, cover.vectorCount - first)
      let block = places + first * unit
      cover.forEach(first: first, count: count) { index, source, _, _ in
        for channel in 0..<unit { block[channel * count + index] = channel * channelStride + source }
      }
    }
  }

  private func process(
    _ images: Range<Int>, _ shared: GroupFourierAdjointBlock<S>.Shared, _ arrays: SignalPassArrays<S>,
    _ workspace: borrowing Workspace
  ) {
    let (plan, stencil) = (adjoint.plan, adjoint.plan.gather.stencil)
    let gradients = workspace[pieces.gradients]
    let gradientImage = outputs * plan.outputNumbers * cover.vectorCount * kernels.lanes
    let sourceImage = outputs * stencil.outputElements * plan.gather.destination.volume
    ThreadPool.run(images.count * blocking.blocks, threads: threads) { worker, item in
      let (image, block) = item.quotientAndRemainder(dividingBy: blocking.blocks)
      let task = GroupFourierAdjointBlock<S>(
        shared: shared, gradients: gradients + image * gradientImage, memory: workspace[pieces.threads, worker])
      task.transform(block, from: arrays.source + (images.lowerBound + image) * sourceImage)
    }
    let units = (channels + unit - 1) / unit
    let plane = stencil.inputElements * plan.gather.layout.signal.volume
    ThreadPool.run(images.count * units, threads: threads) { worker, item in
      let (image, index) = item.quotientAndRemainder(dividingBy: units)
      let first = index * unit
      let task = GroupFourierAdjointBlock<S>(
        shared: shared, gradients: gradients + image * gradientImage, memory: workspace[pieces.threads, worker])
      task.scatter(
        first..<min(channels, first + unit),
        into: arrays.destination + ((images.lowerBound + image) * channels + first) * plane)
    }
  }
}
