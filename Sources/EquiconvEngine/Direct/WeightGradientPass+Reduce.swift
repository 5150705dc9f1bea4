// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

// The sums over pixels: each thread takes a part of the sums of one bank.
extension WeightGradientPass {
  func reduce(
    _ images: Int, _ gradient: UnsafePointer<S>, _ planes: UnsafePointer<S>, _ workspace: borrowing Workspace
  ) {
    let transposed = workspace[pieces.transposed]
    let sums = workspace[pieces.sums]
    let parts = threads == 1 ? 1 : max(1, 2 * threads / banks.count)
    ThreadPool.run(banks.count * parts, threads: threads) { worker, item in
      let bank = banks[item / parts]
      let range = range(ofPart: item % parts, of: parts, bank)
      if range.isEmpty { return }
      let memory = workspace[pieces.threads, worker]
      for image in 0..<images {
        let transposed = transposed + image * transposedImage
        if alongInput {
          reduceAlongInput(
            bank, range, gradient: gradient + image * modules * gradientImage, transposed: transposed,
            sums: sums + bank.first, memory)
        } else {
          reduceAlongOutput(
            bank, range, planes: planes + image * paddedImage, transposed: transposed, sums: sums + bank.first, memory)
        }
      }
    }
  }

  private var paddedImage: Int { inChannels * plan.stencil.inputElements * plan.layout.volume }
  private var transposedImage: Int {
    width
      * (alongInput
        ? plan.stencil.inputElements * plan.layout.volume : plan.stencil.outputElements * geometry.output.volume)
  }

  /// Along input channels, the parts are ranges of slots; along output channels, ranges of (channel, slot). They are cut
  /// at whole register tiles, two for each thread: a slow core then delays the others less. Each part streams the whole
  /// image, so more parts would cost more than they gain.
  private func range(ofPart part: Int, of parts: Int, _ bank: BankSums) -> Range<Int> {
    let total = alongInput ? bank.slots : inChannels * bank.slots
    let unit = alongInput ? Blocking.reduceUnitAlongInput : Blocking.reduceUnitAlongOutput
    let units = (total + unit - 1) / unit
    return min(total, units * part / parts * unit)..<min(total, units * (part + 1) / parts * unit)
  }

  // MARK: - Lanes along output channels

  /// The transposed gradient is loaded, pixels of each (channel, slot) are broadcast.
  private func reduceAlongOutput(
    _ bank: BankSums, _ range: Range<Int>, planes: UnsafePointer<S>, transposed: UnsafePointer<S>,
    sums: UnsafeMutablePointer<S>, _ memory: Workspace.Share
  ) {
    let own = pieces.threads.each
    let (scalarOffsets, vectorOffsets) = (memory[own.scalarOffsets], memory[own.vectorOffsets])
    for vector in 0..<width / kernels.lanes { vectorOffsets[vector] = vector * kernels.lanes }
    let channelStride = plan.stencil.inputElements * plan.layout.volume
    let isPartial = plan.reads.isPartial
    forEachList(bank) { grid, element, reads in
      var count = 0
      forEachRead(of: bank, range, reads) { channel, read in
        scalarOffsets[count] = channel * channelStride + reads.reads[read].source
        count += 1
      }
      if count == 0 { return }
      let target = isPartial ? memory[own.sums] : sums + range.lowerBound * width
      if isPartial { target.update(repeating: 0, count: count * width) }
      var call = call(
        memory, vectors: width / kernels.lanes, scalars: count, into: target, scalarStride: width)
      sum(&call, over: grid, element: element, vectors: transposed, scalars: planes)
      if !isPartial { return }
      var row = UnsafePointer(target)
      forEachRead(of: bank, range, reads) { channel, read in
        add(row, to: sums + (channel * bank.slots + reads.slot(read)) * width)
        row += width
      }
    }
  }

  /// Calls `body` for the reads of a range of (channel, slot).
  @inline(__always)
  private func forEachRead(
    of bank: BankSums, _ range: Range<Int>, _ reads: SlotReads, _ body: (_ channel: Int, _ read: Int) -> Void
  ) {
    for channel in range.lowerBound / bank.slots...(range.upperBound - 1) / bank.slots {
      let first = channel * bank.slots
      for read in reads[slots: range.lowerBound - first..<range.upperBound - first] { body(channel, read) }
    }
  }

  // MARK: - Lanes along input channels

  /// The transposed signal is loaded at each slot, the gradient of each output channel is broadcast.
  private func reduceAlongInput(
    _ bank: BankSums, _ range: Range<Int>, gradient: UnsafePointer<S>, transposed: UnsafePointer<S>,
    sums: UnsafeMutablePointer<S>, _ memory: Workspace.Share
  ) {
    let own = pieces.threads.each
    let (scalarOffsets, vectorOffsets) = (memory[own.scalarOffsets], memory[own.vectorOffsets])
    let vectorsPerSlot = width / kernels.lanes
    for channel in 0..<outChannels {
      scalarOffsets[channel] = channel * plan.stencil.outputElements * geometry.output.volume
    }
    let isPartial = plan.reads.isPartial
    forEachList(bank) { grid, element, reads in
      let list = reads[slots: range]
      if list.isEmpty { return }
      for (index, read) in list.enumerated() {
        for v in 0..<vectorsPerSlot {
          vectorOffsets[index * vectorsPerSlot + v] = reads.reads[read].source * width + v * kernels.lanes
        }
      }
      let target = isPartial ? memory[own.sums] : sums + range.lowerBound * width
      if isPartial { target.update(repeating: 0, count: outChannels * list.count * width) }
      let stride = isPartial ? list.count * width : bank.slots * width
      var call = call(
        memory, vectors: list.count * vectorsPerSlot, scalars: outChannels, into: target, scalarStride: stride)
      sum(&call, over: grid, element: element, vectors: transposed, scalars: gradient)
      if !isPartial { return }
      for channel in 0..<outChannels {
        for (index, read) in list.enumerated() {
          add(target + channel * stride + index * width, to: sums + (channel * bank.slots + reads.slot(read)) * width)
        }
      }
    }
  }

  // MARK: - One list of reads

  /// A call of the microkernel but for the pixels it sums over.
  private func call(
    _ memory: Workspace.Share, vectors: Int, scalars: Int, into sums: UnsafeMutablePointer<S>, scalarStride: Int
  ) -> equiconv_reduce_call {
    let own = pieces.threads.each
    let (outputRow, paddedRow) = (geometry.output.x, plan.layout.rowStride)
    return equiconv_reduce_call(
      vectors: sums, vector_offsets: memory[own.vectorOffsets], vector_count: vectors, vector_column_stride: width,
      vector_row_stride: (alongInput ? paddedRow : outputRow) * width, scalars: sums,
      scalar_offsets: memory[own.scalarOffsets], scalar_count: scalars,
      scalar_row_stride: alongInput ? outputRow : paddedRow, row_count: 0, column_count: 0, sums: sums,
      sum_scalar_stride: scalarStride, sum_vector_stride: kernels.lanes, scratch: memory[own.tile])
  }

  /// Sums over the pixels of one grid of an element, block by block: what a tile streams then stays in the caches.
  private func sum(
    _ call: inout equiconv_reduce_call, over grid: OutputGrid, element: Int, vectors: UnsafePointer<S>,
    scalars: UnsafePointer<S>
  ) {
    call.column_count = grid.size.x
    let rowsPerBlock = max(1, Blocking.reducePixels / grid.size.x)
    for z in 0..<grid.size.z {
      for y in stride(from: 0, to: grid.size.y, by: rowsPerBlock) {
        if Call.isEnded { return }
        let source = z * plan.layout.sliceStride + y * plan.layout.rowStride
        let output = element * geometry.output.volume + grid.destination(z: z, y: y, x: 0)
        call.vectors = UnsafeRawPointer(vectors + (alongInput ? source : output) * width)
        call.scalars = UnsafeRawPointer(scalars + (alongInput ? output : source))
        call.row_count = min(rowsPerBlock, grid.size.y - y)
        kernels.reduce(&call)
      }
    }
  }

  /// The sums over one grid, to those over all.
  private func add(_ row: UnsafePointer<S>, to sums: UnsafeMutablePointer<S>) {
    for lane in 0..<width { sums[lane] += row[lane] }
  }

  /// Calls `body` for each grid and each point of a bank that reads anything for it.
  private func forEachList(_ bank: BankSums, _ body: (OutputGrid, _ element: Int, SlotReads) -> Void) {
    for (number, grid) in plan.grids.enumerated() {
      for element in bank.points {
        plan.reads.withReads(grid: number, element: element) { reads in
          body(
            grid, element,
            SlotReads(reads: reads, firstCoefficient: plan.reads.isPartial ? bank.firstCoefficient : nil))
        }
      }
    }
  }
}

/// Reads of one element for one grid, by the slots of their bank, in ascending order.
private struct SlotReads {
  let reads: UnsafeBufferPointer<equiconv_read>
  /// The coefficient of slot 0 where each slot is a coefficient, and some may be missing; nil where none is.
  let firstCoefficient: Int?

  func slot(_ read: Int) -> Int { firstCoefficient.map { reads[read].weight - $0 } ?? read }

  /// The reads of a range of slots.
  subscript(slots slots: Range<Int>) -> Range<Int> {
    guard firstCoefficient != nil else { return max(slots.lowerBound, 0)..<min(slots.upperBound, reads.count) }
    func first(_ bound: Int) -> Int {
      reads.isEmpty || slot(0) >= bound ? 0 : reads.indices.lastOfPrefix { slot($0) < bound } + 1
    }
    return first(slots.lowerBound)..<first(slots.upperBound)
  }
}
