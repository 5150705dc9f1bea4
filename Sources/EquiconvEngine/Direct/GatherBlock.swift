// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// One block of vectors of one output element of one image, or of one stack of images: all outputs, panel by panel.
struct GatherBlock<S: EngineScalar> {
  /// What is the same for all blocks of a pass.
  struct Shared {
    let plan: GatherPlan
    let kernels: Microkernels
    let split: PanelSplit
    let channels: Int
    let channelChunk: Int
    /// Vectors of a full block, which the orbit panel is laid out for.
    let blockVectors: Int
    /// Whether sums start from the bias as changed by the terms that are left out.
    let startsApart: Bool
    let epilogue: Epilogue<S>
    let pieces: Pieces
  }

  /// The pieces of one thread for one block.
  struct Pieces {
    /// Outputs of vectors that cannot be stored as they are: [output of the panel][vector][lane].
    let tile: Piece<S>
    /// Orbit sums: [channel][coefficient][vector][lane].
    let orbitPanel: Piece<S>
    /// The start of the sums of all outputs, if it is not the bias.
    let starts: Piece<S>
  }

  let shared: Shared
  let grid: Int
  let element: Int
  let cover: VectorCover
  /// Whether tiles go straight to the destination. Partial sums may be kept there only if no two vectors share an
  /// output, and an epilogue run there only if this holds for its first vector and the last of another block.
  let isDirect: Bool
  let offsets: VectorOffsets
  let first: Int
  let count: Int
  /// Images of the stack, and how far apart their destinations lie.
  let images: Int
  let imageStride: Int
  let memory: Workspace.Share

  private var plan: GatherPlan { shared.plan }
  private var kernels: Microkernels { shared.kernels }

  func run(
    source: UnsafePointer<S>, weights: UnsafePointer<S>, bias: UnsafePointer<S>?, zeros: UnsafePointer<S>,
    panelReads: UnsafePointer<equiconv_read>, destination: UnsafeMutablePointer<S>
  ) {
    let stencil = plan.stencil
    var bias = bias
    if shared.startsApart, let leftOut = plan.leftOut {
      let starts = memory[shared.pieces.starts]
      leftOut.starts(
        starts, bias: bias, grid: grid, stencil.terms[element], weights: weights, shared.split,
        channels: shared.channels,
        coefficients: stencil.coefficients)
      bias = UnsafePointer(starts)
    }
    if !stencil.isOrbit {
      plan.reads.withReads(grid: grid, element: element) { reads in
        // An empty stencil (a phase nothing contributes to) still stores the bias.
        let base = reads.baseAddress ?? panelReads
        multiply(
          source, offsets.sources + first, base, reads.count,
          channelStride: stencil.inputElements * plan.layout.volume, weights, bias, zeros, destination)
      }
    } else {
      sumOrbits(source)
      let lanes = kernels.lanes
      let bank = stencil.banks[stencil.bankOfPoint[element]].coefficients
      multiply(
        memory[shared.pieces.orbitPanel], offsets.packed, panelReads + bank.lowerBound, bank.count,
        channelStride: bank.count * shared.blockVectors * lanes,
        weights, bias, zeros, destination)
    }
  }

  private func multiply(
    _ source: UnsafePointer<S>, _ sourceOffsets: UnsafePointer<Int>, _ reads: UnsafePointer<equiconv_read>,
    _ readCount: Int, channelStride: Int,
    _ weights: UnsafePointer<S>, _ bias: UnsafePointer<S>?, _ zeros: UnsafePointer<S>,
    _ destination: UnsafeMutablePointer<S>
  ) {
    let coefficients = plan.stencil.coefficients
    let outputStride = plan.stencil.outputElements * plan.destination.volume
    shared.split.forEach { panel in
      if panel.first > 0 && Call.isEnded { return }
      let target = destination + panel.first * outputStride
      var call = equiconv_multiply_call(
        source: source, weights: weights + panel.first * shared.channels * coefficients,
        bias: bias.map { $0 + panel.first } ?? zeros, destination: isDirect ? target : memory[shared.pieces.tile],
        reads: reads, read_count: readCount, channel_count: shared.channelChunk, source_channel_stride: channelStride,
        weight_channel_stride: coefficients * panel.width,
        destination_row_stride: isDirect ? outputStride : count * kernels.lanes,
        source_offsets: sourceOffsets, destination_offsets: isDirect ? offsets.destinations + first : offsets.packed,
        vector_count: count,
        accumulates: 0)
      multiplyChunks(&call, source, weights: weights + panel.first * shared.channels * coefficients, panel.width)
      finish(panel.width, target, outputStride: outputStride)
    }
  }

  /// Runs the epilogue on a panel of outputs, and stores those in the tile.
  private func finish(_ width: Int, _ target: UnsafeMutablePointer<S>, outputStride: Int) {
    if !isDirect {
      shared.epilogue.run(memory[shared.pieces.tile], count: width * count * kernels.lanes)
      scatter(width, to: target, outputStride: outputStride)
    } else if !shared.epilogue.isEmpty {
      cover.forEachRectangle(first: first, count: count) { rectangle in
        for m in 0..<width { shared.epilogue.run(target + m * outputStride, rectangle) }
      }
    }
  }

  private func multiplyChunks(
    _ call: inout equiconv_multiply_call, _ source: UnsafePointer<S>, weights: UnsafePointer<S>, _ width: Int
  ) {
    var channel = 0
    while channel < shared.channels {
      // The first chunk starts like the block.
      if channel > 0 && Call.isEnded { return }
      call.source = UnsafeRawPointer(source + channel * call.source_channel_stride)
      call.weights = UnsafeRawPointer(weights + channel * call.weight_channel_stride)
      call.channel_count = min(shared.channelChunk, shared.channels - channel)
      call.accumulates = channel == 0 ? 0 : 1
      kernels.multiply(&call, width)
      channel += shared.channelChunk
    }
  }

  /// Copies the lanes that hold outputs from the tile to where they belong.
  private func scatter(_ width: Int, to target: UnsafeMutablePointer<S>, outputStride: Int) {
    if cover.isDense { return scatterDense(width, to: target, outputStride: outputStride) }
    let (lanes, tile) = (kernels.lanes, memory[shared.pieces.tile])
    let (step, depth) = (cover.grid.step.x, cover.depth)
    // What the block before has finished in the destination it must find there.
    let known = shared.epilogue.isEmpty || !cover.isDirect ? 0 : cover.sharedLanes(first)
    cover.forEach(first: first, count: count) { index, _, run, start in
      cover.forEachPiece(run: run, start: start) { piece in
        let piece = index == 0 ? piece.without(known) : piece
        for m in 0..<width {
          let values = tile + (m * count + index) * lanes + piece.lane
          let place = target + m * outputStride + piece.destination
          if step == 1 && depth == 1 {
            place.copy(from: values, count: piece.outputs)
          } else if depth == 1 {
            for i in 0..<piece.outputs { place[i * step] = values[i] }
          } else {
            for image in 0..<images {
              for i in 0..<piece.outputs { place[image * imageStride + i * step] = values[i * depth + image] }
            }
          }
        }
      }
    }
  }

  /// Vectors that hold neighboring outputs and nothing else: (output, image) → (image, output).
  private func scatterDense(_ width: Int, to target: UnsafeMutablePointer<S>, outputStride: Int) {
    let outputs = count * kernels.lanes / cover.depth
    let first = plan.grids[grid].destination(z: 0, y: 0, x: 0) + self.first * kernels.lanes / cover.depth
    for m in 0..<width {
      var call = equiconv_transpose_call(
        source: memory[shared.pieces.tile] + m * count * kernels.lanes, target: target + m * outputStride + first,
        row_count: outputs, column_count: images, source_row_stride: cover.depth, target_row_stride: imageStride)
      kernels.transpose(&call)
    }
  }

  private func sumOrbits(_ source: UnsafePointer<S>) {
    let stencil = plan.stencil
    let channelStride = stencil.inputElements * plan.layout.volume
    let number = stencil.bankOfPoint[element]
    let orbitRadices = stencil.banks[number].orbitRadices
    let (orbits, radices) = (plan.orbitOffsets[element].elements, plan.flatRadices[number].elements)
    guard let offsetBase = orbits.baseAddress, let radixBase = radices.baseAddress else { return }
    for channel in 0..<shared.channels {
      if channel > 0 && Call.isEnded { return }
      var (offset, radix) = (offsetBase, radixBase)
      for (coefficient, levels) in orbitRadices.enumerated() {
        var call = equiconv_orbit_sum_call(
          source: source + channel * channelStride,
          destination: memory[shared.pieces.orbitPanel]
            + (channel * orbitRadices.count + coefficient) * shared.blockVectors * kernels.lanes,
          offsets: offset, radices: radix, radix_count: levels.count, source_offsets: offsets.sources + first,
          vector_count: count)
        kernels.orbitSum(&call)
        offset += levels.reduce(1, *)
        radix += levels.count
      }
    }
  }
}
