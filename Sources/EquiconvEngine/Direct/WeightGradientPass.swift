// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// `∂ŵ[o,c,j] = Σ_{b,y,x} g[b,o,y,x] · f[b,c,e,x+t]` over the terms (j, e, t) of each output element y.
///
/// For each image the signal is padded and one side is transposed so that lanes run along its channels: the gradient's
/// (lanes along O) or the signal's (lanes along C), whichever leaves fewer lanes idle. Threads split the sums, never the
/// pixels, and each sum adds up blocks of pixels in a fixed order: the thread count does not change a bit.
struct WeightGradientPass<S: EngineScalar> {
  let plan: GatherPlan
  let geometry: Geometry
  let batch: Int
  let inChannels: Int
  let outChannels: Int
  /// Layers whose channels lie between those of one image and of the next.
  let modules: Int
  let kernels: Microkernels
  let threads: Int
  /// Whether lanes run along the input channels.
  private let alongInput: Bool
  /// Channels along the lanes, rounded up to whole vectors.
  private let width: Int
  /// Images padded and transposed at a time: threads wait for each other once a chunk.
  private let chunk: Int
  private let memory: Workspace.Plan
  private let pieces: Pieces

  private struct Pieces {
    var planes = 0
    var transposed = 0
    var sums = 0
    var core = 0
    var threads = 0
    var bytesPerThread = 0
  }

  /// Memory of a run, for all threads.
  var workspaceBytes: Int { memory.bytes }

  init(
    plan: GatherPlan, geometry: Geometry, batch: Int, inChannels: Int, outChannels: Int, modules: Int,
    instructions: InstructionSet, threads: Int
  ) throws(ConvolutionError) {
    let kernels = S.microkernels(instructions)
    self.plan = plan
    self.geometry = geometry
    self.batch = batch
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.modules = modules
    self.kernels = kernels
    self.threads = threads
    alongInput = ReduceOrientation.alongInput(inChannels: inChannels, outChannels: outChannels, lanes: kernels.lanes)
    let channels = alongInput ? inChannels : outChannels
    width = (channels + kernels.lanes - 1) / kernels.lanes * kernels.lanes
    var memory = Workspace.Plan()
    let slots = plan.stencil.mostTerms
    let layout = plan.layout
    var pieces = Pieces()
    let imageBytes = MemoryLayout<S>.stride * inChannels * plan.stencil.inputElements * layout.volume
    chunk = threads == 1 ? 1 : max(1, min(batch, Blocking.chunkBytes / max(imageBytes, 1)))
    pieces.planes = try memory.reserve(S.self, chunk, inChannels, plan.stencil.inputElements, layout.volume)
    _ = try memory.reserve(S.self, 2 * kernels.lanes)
    pieces.transposed =
      alongInput
      ? try memory.reserve(S.self, chunk, plan.stencil.inputElements, layout.volume, width)
      : try memory.reserve(S.self, chunk, plan.stencil.outputElements, geometry.output.volume, width)
    pieces.sums = try memory.reserve(
      S.self, alongInput ? outChannels : inChannels, Self.allSlots(plan.stencil), width)
    pieces.core = try memory.reserve(S.self, outChannels, inChannels, plan.stencil.coefficients)
    var perThread = Workspace.Plan()
    _ = try perThread.reserve(Int.self, alongInput ? outChannels : inChannels, alongInput ? 1 : slots)
    _ = try perThread.reserve(Int.self, slots, width / kernels.lanes)
    _ = try perThread.reserve(S.self, 32, kernels.lanes)
    let partial = plan.reads.isPartial ? plan.reads.most : 0
    _ = try perThread.reserve(S.self, alongInput ? outChannels : inChannels, partial, width)
    pieces.bytesPerThread = perThread.bytes
    pieces.threads = try memory.reserve(UInt8.self, threads, perThread.bytes)
    self.pieces = pieces
    self.memory = memory
  }

  func run(
    gradient: UnsafePointer<S>, input: UnsafePointer<S>, weightGradient: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    let banks = try bankSums()
    let workspace = try Workspace(memory)
    let sums = workspace.pointer(pieces.sums, S.self)
    sums.update(repeating: 0, count: sumRows * Self.allSlots(plan.stencil) * width)
    for first in stride(from: 0, to: batch, by: chunk) {
      try Call.checkNotEnded()
      let images = min(chunk, batch - first)
      pad(images, input + first * modules * inputImage, workspace)
      transpose(images, gradient + first * modules * gradientImage, workspace)
      reduce(images, banks, gradient + first * modules * gradientImage, workspace)
    }
    try collect(workspace, banks, into: weightGradient)
  }

  /// Terms of the first point of each bank: what is summed apart before it is added up by coefficient.
  private static func allSlots(_ stencil: Stencil) -> Int {
    stencil.banks.reduce(0) { $0 + stencil.terms[$1.points[0]].count }
  }

  /// The channels that lanes do not run along.
  private var sumRows: Int { alongInput ? outChannels : inChannels }

  /// The sums of one bank: [row][slot][lane of the width], from `first` on.
  private struct BankSums {
    let points: [Int]
    let slots: Int
    let first: Int
    let firstCoefficient: Int
  }

  private func bankSums() throws(ConvolutionError) -> FixedArray<BankSums> {
    var first = 0
    var sums = try Table<BankSums>(capacity: plan.stencil.banks.count)
    for bank in plan.stencil.banks {
      let slots = plan.stencil.terms[bank.points[0]].count
      try sums.append(
        BankSums(points: bank.points, slots: slots, first: first, firstCoefficient: bank.coefficients.lowerBound))
      first += sumRows * slots * width
    }
    return sums.frozen()
  }

  private var inputImage: Int { inChannels * plan.stencil.inputElements * plan.layout.signal.volume }
  private var gradientImage: Int { outChannels * plan.stencil.outputElements * geometry.output.volume }
  private var paddedImage: Int { inChannels * plan.stencil.inputElements * plan.layout.volume }
  private var transposedImage: Int {
    width
      * (alongInput
        ? plan.stencil.inputElements * plan.layout.volume : plan.stencil.outputElements * geometry.output.volume)
  }

  private func pad(_ images: Int, _ input: UnsafePointer<S>, _ workspace: borrowing Workspace) {
    let planes = workspace.pointer(pieces.planes, S.self)
    let layout = plan.layout
    let planesPerImage = inChannels * plan.stencil.inputElements
    ThreadPool.run(images * planesPerImage, threads: threads) { _, plane in
      let source = plane / planesPerImage * modules * planesPerImage + plane % planesPerImage
      layout.fill(planes + plane * layout.volume, from: input + source * layout.signal.volume)
    }
  }

  /// (channels, elements, positions) → (elements, positions, width), idle lanes zero.
  private func transpose(_ images: Int, _ gradient: UnsafePointer<S>, _ workspace: borrowing Workspace) {
    let target = workspace.pointer(pieces.transposed, S.self)
    let planes = UnsafePointer(workspace.pointer(pieces.planes, S.self))
    let source = alongInput ? planes : gradient
    let channels = alongInput ? inChannels : outChannels
    let elements = alongInput ? plan.stencil.inputElements : plan.stencil.outputElements
    let positions = alongInput ? plan.layout.volume : geometry.output.volume
    let blockLength = 256
    let blocks = (positions + blockLength - 1) / blockLength
    let width = self.width
    // Padded planes are this module's alone; gradients of all modules lie between one image and the next.
    let imageStride = alongInput ? channels * elements * positions : modules * gradientImage
    ThreadPool.run(images * elements * blocks, threads: threads) { _, item in
      let (image, element, block) = (item / blocks / elements, item / blocks % elements, item % blocks)
      let first = block * blockLength
      let count = min(blockLength, positions - first)
      let to = target + ((image * elements + element) * positions + first) * width
      Transposition.run(
        source + image * imageStride + element * positions + first, sourceStride: elements * positions,
        channels: channels, count: count,
        into: to, width: width)
    }
  }

  private func reduce(
    _ images: Int, _ banks: FixedArray<BankSums>, _ gradient: UnsafePointer<S>, _ workspace: borrowing Workspace
  ) {
    let planes = UnsafePointer(workspace.pointer(pieces.planes, S.self))
    let transposed = UnsafePointer(workspace.pointer(pieces.transposed, S.self))
    let sums = workspace.pointer(pieces.sums, S.self)
    let scratch = workspace.pointer(pieces.threads, UInt8.self)
    let parts = threads == 1 ? 1 : max(1, 2 * threads / banks.count)
    ThreadPool.run(banks.count * parts, threads: threads) { worker, item in
      let bank = banks[item / parts]
      let range = range(ofPart: item % parts, of: parts, bank)
      if range.isEmpty { return }
      let memory = scratch + worker * pieces.bytesPerThread
      for image in 0..<images {
        let transposed = transposed + image * transposedImage
        if alongInput {
          reduceAlongInput(
            bank, range, gradient: gradient + image * modules * gradientImage, transposed: transposed,
            sums: sums + bank.first,
            memory)
        } else {
          reduceAlongOutput(
            bank, range, planes: planes + image * paddedImage, transposed: transposed, sums: sums + bank.first, memory)
        }
      }
    }
  }

  /// Along input channels, the parts are ranges of slots; along output channels, ranges of (channel, slot). They are cut
  /// at whole register tiles, two for each thread: a slow core keeps the others waiting less, and each part streams the
  /// whole image, so more of them cost more than they give.
  private func range(ofPart part: Int, of parts: Int, _ bank: BankSums) -> Range<Int> {
    let total = alongInput ? bank.slots : inChannels * bank.slots
    let unit = alongInput ? 3 : 24
    let units = (total + unit - 1) / unit
    return min(total, units * part / parts * unit)..<min(total, units * (part + 1) / parts * unit)
  }

  /// Lanes along O: the transposed gradient is loaded, pixels of each (channel, slot) are broadcast.
  private func reduceAlongOutput(
    _ bank: BankSums, _ range: Range<Int>, planes: UnsafePointer<S>, transposed: UnsafePointer<S>,
    sums: UnsafeMutablePointer<S>,
    _ memory: UnsafeMutablePointer<UInt8>
  ) {
    let scratch = ReduceScratch<S>(
      memory, scalars: inChannels * bank.slots, vectors: bank.slots * (width / kernels.lanes), lanes: kernels.lanes)
    for vector in 0..<width / kernels.lanes { scratch.vectorOffsets[vector] = vector * kernels.lanes }
    let channelStride = plan.stencil.inputElements * plan.layout.volume
    let output = geometry.output
    let isPartial = plan.reads.isPartial
    forEachList(bank) { grid, element, reads in
      var count = 0
      for channel in range.lowerBound / bank.slots...(range.upperBound - 1) / bank.slots {
        let first = channel * bank.slots
        for read in reads[slots: range.lowerBound - first..<range.upperBound - first] {
          scratch.scalarOffsets[count] = channel * channelStride + reads.reads[read].source
          count += 1
        }
      }
      if count == 0 { return }
      let target = isPartial ? scratch.sums : sums + range.lowerBound * width
      if isPartial { target.update(repeating: 0, count: count * width) }
      forEachBlock(of: grid) { z, y, rows in
        let sourceOffset = z * plan.layout.sliceStride + y * plan.layout.rowStride
        let gradientOffset = (element * output.volume + grid.destination(z: z, y: y, x: 0)) * width
        var call = equiconv_reduce_call(
          vectors: transposed + gradientOffset, vector_offsets: scratch.vectorOffsets,
          vector_count: width / kernels.lanes, vector_column_stride: width, vector_row_stride: output.x * width,
          scalars: planes + sourceOffset, scalar_offsets: scratch.scalarOffsets, scalar_count: count,
          scalar_row_stride: plan.layout.rowStride, row_count: rows, column_count: grid.size.x,
          sums: target, sum_scalar_stride: width, sum_vector_stride: kernels.lanes, scratch: scratch.tile)
        kernels.reduce(&call)
      }
      if !isPartial { return }
      var row = UnsafePointer(target)
      for channel in range.lowerBound / bank.slots...(range.upperBound - 1) / bank.slots {
        let first = channel * bank.slots
        for read in reads[slots: range.lowerBound - first..<range.upperBound - first] {
          add(row, to: sums + (first + reads.slot(read)) * width)
          row += width
        }
      }
    }
  }

  /// Lanes along C: the transposed signal is loaded at each slot, the gradient of each output channel is broadcast.
  private func reduceAlongInput(
    _ bank: BankSums, _ range: Range<Int>, gradient: UnsafePointer<S>, transposed: UnsafePointer<S>,
    sums: UnsafeMutablePointer<S>,
    _ memory: UnsafeMutablePointer<UInt8>
  ) {
    let vectorsPerSlot = width / kernels.lanes
    let scratch = ReduceScratch<S>(
      memory, scalars: outChannels, vectors: bank.slots * vectorsPerSlot, lanes: kernels.lanes)
    let output = geometry.output
    for channel in 0..<outChannels {
      scratch.scalarOffsets[channel] = channel * plan.stencil.outputElements * output.volume
    }
    let isPartial = plan.reads.isPartial
    forEachList(bank) { grid, element, reads in
      let list = reads[slots: range]
      if list.isEmpty { return }
      for (index, read) in list.enumerated() {
        for v in 0..<vectorsPerSlot {
          scratch.vectorOffsets[index * vectorsPerSlot + v] = reads.reads[read].source * width + v * kernels.lanes
        }
      }
      let target = isPartial ? scratch.sums : sums + range.lowerBound * width
      if isPartial { target.update(repeating: 0, count: outChannels * list.count * width) }
      let stride = isPartial ? list.count * width : bank.slots * width
      forEachBlock(of: grid) { z, y, rows in
        let sourceOffset = z * plan.layout.sliceStride + y * plan.layout.rowStride
        var call = equiconv_reduce_call(
          vectors: transposed + sourceOffset * width, vector_offsets: scratch.vectorOffsets,
          vector_count: list.count * vectorsPerSlot, vector_column_stride: width,
          vector_row_stride: plan.layout.rowStride * width,
          scalars: gradient + element * output.volume + grid.destination(z: z, y: y, x: 0),
          scalar_offsets: scratch.scalarOffsets, scalar_count: outChannels, scalar_row_stride: output.x,
          row_count: rows, column_count: grid.size.x, sums: target,
          sum_scalar_stride: stride, sum_vector_stride: kernels.lanes, scratch: scratch.tile)
        kernels.reduce(&call)
      }
      if !isPartial { return }
      for channel in 0..<outChannels {
        for (index, read) in list.enumerated() {
          add(target + channel * stride + index * width, to: sums + (channel * bank.slots + reads.slot(read)) * width)
        }
      }
    }
  }

  /// The sums over one grid, to those over all.
  private func add(_ row: UnsafePointer<S>, to sums: UnsafeMutablePointer<S>) {
    for lane in 0..<width { sums[lane] += row[lane] }
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
        reads.isEmpty || slot(0) >= bound ? 0 : reads.indices.last { slot($0) < bound } + 1
      }
      return first(slots.lowerBound)..<first(slots.upperBound)
    }
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

  /// Blocks of rows of one slice of a grid, about 512 pixels each: what a tile streams then stays in the caches.
  private func forEachBlock(of grid: OutputGrid, _ body: (_ z: Int, _ y: Int, _ rows: Int) -> Void) {
    let rowsPerBlock = max(1, 512 / grid.size.x)
    for z in 0..<grid.size.z {
      var y = 0
      while y < grid.size.y {
        if Call.isEnded { return }
        let rows = min(rowsPerBlock, grid.size.y - y)
        body(z, y, rows)
        y += rows
      }
    }
  }

  /// Adds the slots of each coefficient, in order, and takes the gradient of ŵ back to the user's weights.
  private func collect(
    _ workspace: borrowing Workspace, _ banks: FixedArray<BankSums>, into weightGradient: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    let sums = workspace.pointer(pieces.sums, S.self)
    let coefficients = plan.stencil.coefficients
    let core = plan.stencil.sampling == nil ? weightGradient : workspace.pointer(pieces.core, S.self)
    core.update(repeating: 0, count: outChannels * inChannels * coefficients)
    for bank in banks {
      let terms = plan.stencil.terms[bank.points[0]]
      for output in 0..<outChannels {
        for channel in 0..<inChannels {
          let target = core + (output * inChannels + channel) * coefficients
          let (row, lane) = alongInput ? (output, channel) : (channel, output)
          for slot in 0..<bank.slots {
            target[terms[slot].coefficient] += sums[bank.first + (row * bank.slots + slot) * width + lane]
          }
        }
      }
    }
    try plan.stencil.sampling?.applyAdjoint(core, into: weightGradient, channelPairs: outChannels * inChannels)
  }
}

/// Memory of one thread of a weight gradient.
private struct ReduceScratch<S: EngineScalar> {
  let scalarOffsets: UnsafeMutablePointer<Int>
  let vectorOffsets: UnsafeMutablePointer<Int>
  let tile: UnsafeMutablePointer<S>
  /// Sums over one grid of a plan that leaves out reads.
  let sums: UnsafeMutablePointer<S>

  init(_ base: UnsafeMutablePointer<UInt8>, scalars: Int, vectors: Int, lanes: Int) {
    scalarOffsets = UnsafeMutableRawPointer(base).assumingMemoryBound(to: Int.self)
    vectorOffsets = scalarOffsets + scalars
    let end = UnsafeMutableRawPointer(vectorOffsets + vectors)
    tile = (end + (64 - Int(bitPattern: end) & 63) & 63).assumingMemoryBound(to: S.self)
    sums = tile + 32 * lanes
  }
}

/// Which side of the weight gradient its lanes run along.
enum ReduceOrientation {
  /// Estimated share of the multiply-add peak: idle lanes, and broadcasts that serve one vector only.
  static func alongInput(inChannels: Int, outChannels: Int, lanes: Int) -> Bool {
    efficiency(inChannels, lanes, vectors: 3)
      > efficiency(outChannels, lanes, vectors: (outChannels + lanes - 1) / lanes)
  }

  private static func efficiency(_ channels: Int, _ lanes: Int, vectors: Int) -> Double {
    let used = Double(channels) / Double((channels + lanes - 1) / lanes * lanes)
    return vectors == 1 ? 0.55 * used : used
  }
}
