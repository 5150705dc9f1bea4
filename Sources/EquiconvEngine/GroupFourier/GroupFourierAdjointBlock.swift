// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// What one thread does for one image of an input gradient: transform the gradients of a block of vectors, or compute a
/// unit of channels.
struct GroupFourierAdjointBlock<S: EngineScalar> {
  /// What is the same for all of a pass.
  struct Shared {
    let adjoint: GroupFourierAdjoint
    let kernels: Microkernels
    let cover: VectorCover
    let channels: Int
    let outputs: Int
    let weightStarts: [Int]
    let weights: UnsafePointer<S>
    let rows: RowAdjoint
    let zeros: UnsafePointer<S>
    /// Where vectors lie in padded planes of a unit: [block][channel][vector].
    let places: UnsafePointer<Int>
    let packed: UnsafePointer<Int>
    /// Channels of a unit, vectors of a block, and blocks of an image.
    let unit: Int
    let vectors: Int
    let blocks: Int
    let bias: UnsafePointer<S>?
    let epilogue: Epilogue<S>
    let pieces: Pieces
  }

  /// The pieces of one thread.
  struct Pieces {
    let slots: Piece<equiconv_transform_slot>
    /// Padded planes of a unit, [channel][element][padded plane], and numbers beyond the last one.
    let planes: Piece<S>
    /// d̂ of an orbit: [part][column][row][channel][vector][lane].
    let panel: Piece<S>
    let scratch: Piece<S>
    /// Gradients at the points of an orbit, [point][vector][lane], or what is added to reads: [read][channel][vector][lane].
    let tile: Piece<S>
    /// Pair i of an output channel and a column of ŷ.
    let reads: Piece<equiconv_read>
    /// Where the vectors of a column of d̂ lie, (row, vector): for whole blocks, then for the last one.
    let columns: Piece<Int>

    init(
      _ layout: inout Workspace.Layout, _ adjoint: GroupFourierAdjoint, vectors: Int, outputs: Int, unit: Int,
      _ kernels: Microkernels
    ) throws(ConvolutionError) {
      let (plan, lanes) = (adjoint.plan, kernels.lanes)
      let most = { (own: (TransformProgram) -> Int) in adjoint.scatters.reduce(0) { max($0, own($1)) } }
      slots = try layout.reserve(
        equiconv_transform_slot.self, max(BlockTransforms<S>.slots(plan), most { $0.slots + $0.outputs }))
      planes = try layout.reserve(
        S.self, unit, plan.gather.stencil.inputElements, plan.gather.layout.volume,
        beyond: PaddedPlanes<S>.beyond(kernels))
      panel = try layout.reserve(S.self, unit, plan.mostReadNumbers, vectors, lanes)
      scratch = try layout.reserve(
        S.self, max(BlockTransforms<S>.scratch(plan), most { $0.scratch }), unit, vectors, lanes)
      tile = try layout.reserve(S.self, max(plan.mostPoints, most { $0.outputs }), unit, vectors, lanes)
      reads = try layout.reserve(equiconv_read.self, plan.parts.reduce(1) { max($0, outputs * $1.outputs.count) })
      columns = try layout.reserve(Int.self, 2, plan.mostRows, vectors)
    }
  }

  let shared: Shared
  /// ĝ of the image.
  let gradients: UnsafeMutablePointer<S>
  let memory: Workspace.Share

  private var plan: GroupFourierPlan { shared.adjoint.plan }
  private var kernels: Microkernels { shared.kernels }

  private func vectors(_ block: Int) -> Range<Int> {
    block * shared.vectors..<min(shared.cover.vectorCount, (block + 1) * shared.vectors)
  }

  /// - Parameter channels: that each number is transformed for at once.
  private func transforms(_ vectors: Range<Int>, channels: Int = 1) -> BlockTransforms<S> {
    BlockTransforms(
      plan: plan, kernels: kernels, count: channels * vectors.count, slots: memory[shared.pieces.slots],
      scratch: memory[shared.pieces.scratch])
  }

  /// ĝ of a block.
  private func gradients(_ vectors: Range<Int>) -> UnsafeMutablePointer<S> {
    gradients + vectors.lowerBound * kernels.lanes * shared.outputs * plan.outputNumbers
  }

  /// Transforms the gradients of a block.
  func transform(_ block: Int, from source: UnsafePointer<S>) {
    let vectors = vectors(block)
    transforms(vectors).transformGradients(
      outputs: shared.outputs, shared.cover, first: vectors.lowerBound, from: source, into: gradients(vectors),
      tile: memory[shared.pieces.tile])
  }

  // MARK: - Channels

  /// Computes the gradients of a unit of channels.
  func scatter(_ unit: Range<Int>, into destination: UnsafeMutablePointer<S>) {
    let (stencil, layout) = (plan.gather.stencil, plan.gather.layout)
    let planes = memory[shared.pieces.planes]
    planes.update(repeating: 0, count: shared.pieces.planes.count)
    let last = shared.blocks - 1
    let columns = [0, last].enumerated().map { writeColumns($0.offset, of: vectors($0.element), unit.count) }
    for orbit in 0..<plan.orbits.count {
      for block in 0..<shared.blocks {
        if Call.isEnded { return }
        let vectors = vectors(block)
        multiply(orbit, unit, vectors, columns[block == last ? 1 : 0])
        add(orbit, channels: unit.count, to: planes, vectors)
      }
    }
    for plane in 0..<unit.count * stencil.inputElements {
      let target = destination + plane * layout.signal.volume
      layout.collect(planes + plane * layout.volume, into: target, shared.rows)
      let bias = shared.bias?[unit.lowerBound + plane / stencil.inputElements]
      shared.epilogue.run(target, count: layout.signal.volume, adding: bias)
    }
  }

  /// Where a column of d̂ has the vectors of its rows.
  private func writeColumns(_ number: Int, of vectors: Range<Int>, _ channels: Int) -> UnsafePointer<Int> {
    let rows = plan.mostRows
    let table = memory[shared.pieces.columns] + number * rows * shared.vectors
    for row in 0..<rows {
      for vector in 0..<vectors.count {
        table[row * vectors.count + vector] = (row * channels * vectors.count + vector) * kernels.lanes
      }
    }
    return UnsafePointer(table)
  }

  /// d̂ of an orbit for a block: products with the transposed weights.
  private func multiply(_ orbit: Int, _ unit: Range<Int>, _ vectors: Range<Int>, _ places: UnsafePointer<Int>) {
    let reads = memory[shared.pieces.reads]
    let row = vectors.count * kernels.lanes
    var panel = memory[shared.pieces.panel]
    var source = gradients(vectors)
    for (number, part) in plan.parts.enumerated() {
      let columns = part.columnStarts[orbit]..<part.columnStarts[orbit + 1]
      let (sums, rows) = (shared.outputs * part.outputs.count, part.rows.count)
      for index in 0..<sums { reads[index] = equiconv_read(source: index * rows * row, weight: index) }
      let before = columns.lowerBound * shared.channels + columns.count * unit.lowerBound
      var weights = shared.weights + shared.weightStarts[number] + before * sums
      for _ in columns {
        PanelSplit(outputs: unit.count, widest: kernels.widestPanel).forEach { each in
          var call = equiconv_multiply_call(
            source: source, weights: weights + each.first * sums, bias: shared.zeros,
            destination: panel + each.first * row, reads: reads, read_count: sums, channel_count: 1,
            source_channel_stride: 0, weight_channel_stride: 0, destination_row_stride: row,
            source_offsets: shared.packed, destination_offsets: places, vector_count: rows * vectors.count,
            accumulates: 0)
          kernels.multiply(&call, each.width)
        }
        weights += unit.count * sums
        panel += rows * unit.count * row
      }
      source += sums * rows * row
    }
  }

  /// Transforms d̂ of all channels of a unit and adds the reads of the orbit to where they were read.
  private func add(
    _ orbit: Int, channels: Int, to planes: UnsafeMutablePointer<S>, _ vectors: Range<Int>
  ) {
    let program = shared.adjoint.scatters[Int(plan.orbits.stabilizerOfOrbit[orbit])]
    let (transforms, panel, tile) = (
      transforms(vectors, channels: channels), memory[shared.pieces.panel], memory[shared.pieces.tile]
    )
    let (row, outputs) = (transforms.row, transforms.slots + program.inputs)
    let sums = outputs + program.outputs + program.scratch + program.copies.count
    let first = plan.sourceStarts[orbit]
    for index in 0..<program.inputs { transforms.slots[index] = transforms.slot(panel + index * row) }
    for index in 0..<program.outputs {
      outputs[index] = transforms.slot(tile + index * row)
      sums[index] = transforms.slot(
        planes + plan.sources[first + index], shared.places + vectors.lowerBound * shared.unit)
    }
    transforms.run(program, behind: outputs + program.outputs)
  }
}
