// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// The weight gradient by Fourier on L: `∂κ̂_{o,c,ω}(R) = Σ_x ẑ_{c,ω}(R, x)ᵀ ĝ_o(R, x)`, and from κ̂ back to ŵ.
///
/// ĝ is what the adjoint of the inverse transform makes of the output's gradient. For each representation that is a
/// product of two matrices along their rows of (row of R, pixel), by the microkernel `inner`. The gradient of a chunk of
/// images is transformed once; then threads share the (channel, orbit) pairs, and each transforms its own, block by block
/// of pixels. A sum adds up blocks of one size in one order, so the number of threads changes no bit.
struct GroupFourierGradientPass<S: EngineScalar>: PlannedPass {
  let plan: GroupFourierPlan
  /// From the user's weights to ŵ, unless they are the same.
  let sampling: SamplingOperator?
  let batch: Int
  let channels: Int
  let outputs: Int
  let kernels: Microkernels
  let threads: Int
  private let cover: VectorCover
  private let blocking: GroupFourierGradientBlocking
  /// Images padded and transformed at a time.
  private let chunk: Int
  private let pieces: Pieces
  let layout: Workspace.Layout

  private struct Pieces {
    /// ∂κ̂: [representation][output, column][channel, column]; see `GroupFourierWeights.starts`.
    let sums: Piece<S>
    /// ∂ŵ, where it is not the result.
    let core: Piece<S>
    /// Of the last step, in the place of what those before had.
    let sampling: SamplingOperator.Scratch?
    let planes: PaddedPlanes<S>
    /// ĝ: [image][block][representation][output, column][row][vector][lane].
    let gradients: Piece<S>
    /// Where the vectors of an image read.
    let sources: Piece<Int>
    let threads: PerThread<ThreadPieces>
  }

  private struct ThreadPieces {
    let slots: Piece<equiconv_transform_slot>
    let scratch: Piece<S>
    /// ẑ of a chunk of pairs; see `BlockTransforms`.
    let panel: Piece<S>
    /// The gradient at the points of an orbit, zero where a lane is no output of its own: [point][vector][lane].
    let tile: Piece<S>
    /// ∂ŵ of one pair of channels.
    let weights: Piece<Double>
  }

  init(
    _ plan: GroupFourierPlan, batch: Int, channels: Int, outputs: Int, _ options: PassOptions
  ) throws(ConvolutionError) {
    let kernels = S.microkernels(options.instructions)
    let (gather, stencil, lanes) = (plan.gather, plan.gather.stencil, kernels.lanes)
    self.plan = plan
    sampling = stencil.sampling
    self.batch = batch
    self.channels = channels
    self.outputs = outputs
    self.kernels = kernels
    threads = options.threads
    cover = VectorCover(grid: gather.grids[0], layout: gather.layout, lanes: lanes)
    blocking = GroupFourierGradientBlocking(
      plan, channels: channels, outputs: outputs, vectors: cover.vectorCount,
      vectorBytes: lanes * MemoryLayout<S>.stride, threads: options.threads)
    let planeBytes = MemoryLayout<S>.stride * channels * stencil.inputElements * gather.layout.volume
    chunk = options.threads == 1 ? 1 : max(1, min(batch, BatchShare.chunkBytes / max(planeBytes, 1)))
    var layout = Workspace.Layout()
    let sums = try layout.reserve(S.self, outputs, channels, plan.weightNumbers)
    let core = try layout.reserve(S.self, outputs, channels, stencil.coefficients)
    var lastStep = layout
    let scratch = try sampling?.reserve(&lastStep, channelPairs: outputs * channels)
    pieces = Pieces(
      sums: sums, core: core, sampling: scratch,
      planes: try PaddedPlanes(
        &layout, gather.layout, planesPerImage: channels * stencil.inputElements, stacks: chunk,
        threads: options.threads, kernels),
      gradients: try layout.reserve(S.self, chunk, cover.vectorCount, outputs, plan.outputNumbers, lanes),
      sources: try layout.reserve(Int.self, cover.vectorCount),
      threads: try Self.reserve(&layout, plan, blocking, lanes: lanes, threads: options.threads))
    layout.share(with: lastStep)
    self.layout = layout
  }

  private static func reserve(
    _ layout: inout Workspace.Layout, _ plan: GroupFourierPlan, _ blocking: GroupFourierGradientBlocking, lanes: Int,
    threads: Int
  ) throws(ConvolutionError) -> PerThread<ThreadPieces> {
    try layout.reserve(threads: threads) { each throws(ConvolutionError) in
      ThreadPieces(
        slots: try each.reserve(equiconv_transform_slot.self, BlockTransforms<S>.slots(plan)),
        scratch: try each.reserve(S.self, BlockTransforms<S>.scratch(plan), blocking.vectors, lanes),
        panel: try each.reserve(
          S.self, GroupFourierBlocking.panelNumbers(plan, blocking.chunks), blocking.vectors, lanes),
        tile: try each.reserve(
          S.self, plan.mostPoints, blocking.vectors, lanes),
        weights: try each.reserve(Double.self, plan.gather.stencil.coefficients))
    }
  }

  // MARK: - Running

  func run(_ arrays: WeightGradientArrays<S>, in workspace: borrowing Workspace) throws(ConvolutionError) {
    workspace[pieces.sums].update(repeating: 0, count: pieces.sums.count)
    let sources = workspace[pieces.sources]
    cover.forEach(first: 0, count: cover.vectorCount) { index, source, _, _ in sources[index] = source }
    pieces.planes.zeroBeyond(workspace)
    for first in stride(from: 0, to: batch, by: chunk) {
      try Call.checkNotEnded()
      let images = min(chunk, batch - first)
      let planes = pieces.planes.pad(
        images, from: arrays.input + first * inputImage, imageStride: inputImage, stack: 0,
        BatchShare.Crew(first: 0, count: threads), workspace)
      transformGradients(images, arrays.gradient + first * gradientImage, workspace)
      multiply(images, planes, workspace)
    }
    try Call.checkNotEnded()
    collect(workspace, into: sampling == nil ? arrays.weightGradient : workspace[pieces.core])
    if let sampling, let scratch = pieces.sampling {
      sampling.applyAdjoint(
        workspace[pieces.core], into: arrays.weightGradient, channelPairs: outputs * channels, scratch, workspace)
    }
  }

  private var gather: GatherPlan { plan.gather }
  private var inputImage: Int { channels * gather.stencil.inputElements * gather.layout.signal.volume }
  private var gradientImage: Int { outputs * gather.stencil.outputElements * gather.destination.volume }
  /// Numbers of ĝ for one vector.
  private var gradientVector: Int { outputs * plan.outputNumbers * kernels.lanes }

  // MARK: - The gradient's transform

  /// Vectors of one block of an image.
  private func block(_ number: Int) -> Range<Int> {
    number * blocking.vectors..<min(cover.vectorCount, (number + 1) * blocking.vectors)
  }
  private var blocks: Int { (cover.vectorCount + blocking.vectors - 1) / blocking.vectors }

  private func transforms(_ vectors: Range<Int>, _ memory: Workspace.Share) -> BlockTransforms<S> {
    let own = pieces.threads.each
    return BlockTransforms(
      plan: plan, kernels: kernels, count: vectors.count, slots: memory[own.slots], scratch: memory[own.scratch])
  }

  private func transformGradients(_ images: Int, _ gradient: UnsafePointer<S>, _ workspace: borrowing Workspace) {
    ThreadPool.run(images * blocks, threads: threads) { worker, item in
      let (image, block) = item.quotientAndRemainder(dividingBy: blocks)
      let (vectors, memory) = (self.block(block), workspace[pieces.threads, worker])
      transforms(vectors, memory).transformGradients(
        outputs: outputs, cover, first: vectors.lowerBound, from: gradient + image * gradientImage,
        into: gradients(image, vectors, workspace), tile: memory[pieces.threads.each.tile])
    }
  }

  private func gradients(
    _ image: Int, _ vectors: Range<Int>, _ workspace: borrowing Workspace
  ) -> UnsafeMutablePointer<S> {
    workspace[pieces.gradients] + (image * cover.vectorCount + vectors.lowerBound) * gradientVector
  }

  // MARK: - Products

  private func multiply(_ images: Int, _ planes: UnsafePointer<S>, _ workspace: borrowing Workspace) {
    let (sources, sums) = (workspace[pieces.sources], workspace[pieces.sums])
    let starts = GroupFourierWeights<S>.starts(plan, channels: channels, outputs: outputs)
    let (parts, ranges) = (blocking.parts, blocking.outputs)
    ThreadPool.run(parts.count * ranges.count, threads: threads) { worker, item in
      let (part, range) = (parts[item / ranges.count], ranges[item % ranges.count])
      let memory = workspace[pieces.threads, worker]
      let panel = memory[pieces.threads.each.panel]
      for image in 0..<images {
        let planes = planes + image * pieces.planes.stackVolume
        for block in 0..<blocks {
          let vectors = self.block(block)
          let (transforms, gradients) = (transforms(vectors, memory), gradients(image, vectors, workspace))
          for chunk in blocking.chunks[part] {
            if Call.isEnded { return }
            transforms.transformReads(chunk, from: planes, at: sources + vectors.lowerBound, into: panel)
            multiply(chunk, range, gradients, panel, row: transforms.row, sums, starts)
          }
        }
      }
    }
  }

  /// Adds the products of one block to the sums of a chunk of pairs and a range of outputs.
  private func multiply(
    _ chunk: GroupFourierBlocking.Chunk, _ range: Range<Int>, _ gradients: UnsafePointer<S>,
    _ panel: UnsafePointer<S>, row: Int, _ sums: UnsafeMutablePointer<S>, _ starts: [Int]
  ) {
    var (left, right) = (gradients, panel)
    for (part, start) in zip(plan.parts, starts) {
      let columns = GroupFourierBlocking.columns(part, chunk)
      let numbers = part.rows.count * row
      let width = part.outputs.count
      let sumStride = channels * part.columns
      let target = sums + start + range.lowerBound * width * sumStride
      var call = equiconv_inner_call(
        left: left + range.lowerBound * width * numbers, left_count: range.count * width, left_stride: numbers,
        right: right, right_count: chunk.channels.count * columns.count, right_stride: numbers,
        vector_count: numbers / kernels.lanes,
        sums: target + chunk.channels.lowerBound * part.columns + columns.lowerBound, sum_stride: sumStride)
      kernels.inner(&call)
      left += outputs * width * numbers
      right += chunk.channels.count * columns.count * numbers
    }
  }

  // MARK: - Back to weights

  /// The adjoint of the weights' transform, in Double and rounded once.
  private func collect(_ workspace: borrowing Workspace, into core: UnsafeMutablePointer<S>) {
    let sums = workspace[pieces.sums]
    let starts = GroupFourierWeights<S>.starts(plan, channels: channels, outputs: outputs)
    let coefficients = gather.stencil.coefficients
    ThreadPool.run(outputs * channels, threads: threads) { worker, item in
      let (output, channel) = item.quotientAndRemainder(dividingBy: channels)
      let weights = workspace[pieces.threads, worker][pieces.threads.each.weights]
      weights.update(repeating: 0, count: coefficients)
      for (part, start) in zip(plan.parts, starts) {
        let (entries, entryStarts) = (part.entries.elements, part.entryStarts.elements)
        for number in 0..<part.outputs.count {
          let row = sums + start + ((output * part.outputs.count + number) * channels + channel) * part.columns
          for column in 0..<part.columns {
            let sum = Double(row[column])
            let first = number * part.columns + column
            for entry in entries[entryStarts[first]..<entryStarts[first + 1]] {
              weights[Int(entry.coefficient)] += entry.value * sum
            }
          }
        }
        withExtendedLifetime(part) {}
      }
      for index in 0..<coefficients { core[item * coefficients + index] = S(weights[index]) }
    }
  }
}

/// Sizes of blocks and chunks of a weight gradient.
struct GroupFourierGradientBlocking {
  /// ẑ of a chunk and ĝ of a block stay in a second-level cache of 1 to 2 MiB.
  private static let panelBytes = 192 << 10
  private static let gradientBytes = 384 << 10
  private static let sizes = [24, 12, 6]

  /// Vectors of a block: they decide how sums are rounded, and so depend on the layer and the processor alone.
  let vectors: Int
  let chunks: [GroupFourierBlocking.Chunk]
  /// Chunks that a thread transforms and multiplies for a block of ĝ while that is in its caches: two parts for each
  /// thread, so that a slow core delays the others less. Each part streams all of ĝ, so that more would cost more than they
  /// gain.
  let parts: [Range<Int>]
  /// Where there are fewer chunks than threads could use, each is multiplied by several ranges of outputs.
  let outputs: [Range<Int>]

  init(
    _ plan: GroupFourierPlan, channels: Int, outputs: Int, vectors: Int, vectorBytes: Int, threads: Int
  ) {
    let bytes = outputs * plan.outputNumbers * vectorBytes
    let size = Self.sizes.first { $0 * bytes <= Self.gradientBytes } ?? Self.sizes[Self.sizes.count - 1]
    self.vectors = max(1, min(size, vectors))
    let items = threads == 1 ? 1 : 2 * threads
    let numbers = channels * plan.readNumbers
    chunks = GroupFourierBlocking.chunks(
      plan, channels: channels,
      most: min(Self.panelBytes / (self.vectors * vectorBytes), (numbers + items - 1) / items))
    parts = Self.split(chunks.count, into: min(items, chunks.count))
    self.outputs = Self.split(outputs, into: min(outputs, max(1, threads / max(1, chunks.count))))
  }

  private static func split(_ count: Int, into parts: Int) -> [Range<Int>] {
    (0..<parts).map { count * $0 / parts..<count * ($0 + 1) / parts }
  }
}
