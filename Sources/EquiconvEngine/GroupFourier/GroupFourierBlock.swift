// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// One block of vectors of one image: all outputs.
struct GroupFourierBlock<S: EngineScalar> {
  /// What is the same for all blocks of a pass.
  struct Shared {
    let plan: GroupFourierPlan
    let kernels: Microkernels
    let blocking: GroupFourierBlocking
    let cover: VectorCover
    let channels: Int
    let outputs: Int
    let weightStarts: [Int]
    let weights: UnsafePointer<S>
    let starts: UnsafePointer<S>
    let sources: UnsafePointer<Int>
    let destinations: UnsafePointer<Int>
    let packed: UnsafePointer<Int>
    let epilogue: Epilogue<S>
    let pieces: Pieces
  }

  /// The pieces of one thread for one block.
  struct Pieces {
    let slots: Piece<equiconv_transform_slot>
    /// ẑ of a chunk: [representation][channel][column][row][vector][lane].
    let panel: Piece<S>
    /// ŷ: [representation][output, column][row][vector][lane].
    let sums: Piece<S>
    let scratch: Piece<S>
    /// Outputs of vectors that cannot be stored as they are: [point][vector][lane].
    let tile: Piece<S>
    /// Column i of a panel.
    let reads: Piece<equiconv_read>

    init(
      _ layout: inout Workspace.Layout, _ plan: GroupFourierPlan, _ blocking: GroupFourierBlocking,
      _ kernels: Microkernels
    ) throws(ConvolutionError) {
      let (vectors, lanes) = (blocking.vectors, kernels.lanes)
      slots = try layout.reserve(equiconv_transform_slot.self, BlockTransforms<S>.slots(plan))
      panel = try layout.reserve(S.self, GroupFourierBlocking.panelNumbers(plan, blocking.chunks), vectors, lanes)
      sums = try layout.reserve(S.self, blocking.outputs, plan.outputNumbers, vectors, lanes)
      scratch = try layout.reserve(S.self, BlockTransforms<S>.scratch(plan), vectors, lanes)
      tile = try layout.reserve(S.self, plan.mostPoints, vectors, lanes)
      reads = try layout.reserve(equiconv_read.self, plan.mostColumns)
    }
  }

  let shared: Shared
  /// Vectors of the image.
  let first: Int
  let count: Int
  let source: UnsafePointer<S>
  let destination: UnsafeMutablePointer<S>
  let memory: Workspace.Share

  private var plan: GroupFourierPlan { shared.plan }
  private var kernels: Microkernels { shared.kernels }
  /// Scalars of one number of all pixels.
  private var row: Int { transforms.row }
  private var transforms: BlockTransforms<S> {
    BlockTransforms(
      plan: plan, kernels: kernels, count: count, slots: memory[shared.pieces.slots],
      scratch: memory[shared.pieces.scratch])
  }

  /// Lanes of the first vector that the block before finishes in the destination.
  private var known: Int {
    shared.epilogue.isEmpty || !shared.cover.isDirect ? 0 : shared.cover.sharedLanes(first)
  }
  /// Whether outputs go straight to the destination, which lets an epilogue run there.
  private var isDirect: Bool { shared.cover.isDirect && known == 0 }

  func run() {
    let blocking = shared.blocking
    for firstOutput in stride(from: 0, to: shared.outputs, by: blocking.outputs) {
      let outputs = firstOutput..<min(shared.outputs, firstOutput + blocking.outputs)
      for (number, chunk) in blocking.chunks.enumerated() {
        if Call.isEnded { return }
        // One panel of everything serves all outputs.
        if firstOutput == 0 || blocking.chunks.count > 1 {
          transforms.transformReads(
            chunk, from: source, at: shared.sources + first, into: memory[shared.pieces.panel])
        }
        multiply(chunk, outputs, isFirst: number == 0)
      }
      transformOutputs(outputs)
    }
  }

  // MARK: - Products

  private func multiply(_ chunk: GroupFourierBlocking.Chunk, _ outputs: Range<Int>, isFirst: Bool) {
    let reads = memory[shared.pieces.reads]
    var panel = memory[shared.pieces.panel]
    var sums = memory[shared.pieces.sums]
    var starts = shared.starts
    for (number, part) in plan.parts.enumerated() {
      let columns = GroupFourierBlocking.columns(part, chunk)
      let numbers = part.rows.count * row
      for index in 0..<columns.count { reads[index] = equiconv_read(source: index * numbers, weight: index) }
      let weights = shared.weights + shared.weightStarts[number]
      let width = part.outputs.count
      PanelSplit(outputs: outputs.count * width, widest: kernels.widestPanel).forEach { each in
        if Call.isEnded { return }
        let output = outputs.lowerBound * width + each.first
        let matrix =
          weights + output * shared.channels * part.columns
          + (chunk.channels.lowerBound * part.columns + columns.lowerBound) * each.width
        var call = equiconv_multiply_call(
          source: panel, weights: matrix, bias: starts + output, destination: sums + each.first * numbers,
          reads: reads, read_count: columns.count, channel_count: chunk.channels.count,
          source_channel_stride: columns.count * numbers, weight_channel_stride: part.columns * each.width,
          destination_row_stride: numbers, source_offsets: shared.packed, destination_offsets: shared.packed,
          vector_count: part.rows.count * count, accumulates: isFirst ? 0 : 1)
        kernels.multiply(&call, each.width)
      }
      panel += chunk.channels.count * columns.count * numbers
      sums += shared.blocking.outputs * width * numbers
      starts += shared.outputs * width
    }
  }

  // MARK: - Inverse transform

  private func transformOutputs(_ outputs: Range<Int>) {
    let elements = plan.gather.stencil.outputElements
    let plane = plan.gather.destination.volume
    let isDirect = isDirect
    for output in outputs {
      if Call.isEnded { return }
      for inverse in plan.inverses {
        let target = destination + output * elements * plane
        transforms.transformSums(
          of: output - outputs.lowerBound, outputs: shared.blocking.outputs, inverse, from: memory[shared.pieces.sums]
        ) { number in
          isDirect
            ? transforms.slot(target + inverse.points[number] * plane, shared.destinations + first)
            : transforms.slot(memory[shared.pieces.tile] + number * row)
        }
        finish(inverse.points, target, plane: plane, isDirect: isDirect)
      }
    }
  }

  /// Runs the epilogue on the outputs of an orbit of points, and stores those in the tile.
  private func finish(_ points: [Int], _ target: UnsafeMutablePointer<S>, plane: Int, isDirect: Bool) {
    if !isDirect {
      shared.epilogue.run(memory[shared.pieces.tile], count: points.count * row)
      store(points, target, plane: plane)
    } else if !shared.epilogue.isEmpty {
      shared.cover.forEachRectangle(first: first, count: count) { rectangle in
        for point in points { shared.epilogue.run(target + point * plane, rectangle) }
      }
    }
  }

  /// Copies the lanes that hold outputs from the tile to where they belong.
  private func store(_ points: [Int], _ target: UnsafeMutablePointer<S>, plane: Int) {
    let (tile, step) = (memory[shared.pieces.tile], shared.cover.grid.step.x)
    let known = known
    shared.cover.forEach(first: first, count: count) { index, _, run, start in
      shared.cover.forEachPiece(run: run, start: start) { piece in
        let piece = index == 0 ? piece.without(known) : piece
        for (number, point) in points.enumerated() {
          let values = tile + number * row + index * kernels.lanes + piece.lane
          let place = target + point * plane + piece.destination
          if step == 1 {
            place.copy(from: values, count: piece.outputs)
          } else {
            for i in 0..<piece.outputs { place[i * step] = values[i] }
          }
        }
      }
    }
  }
}
