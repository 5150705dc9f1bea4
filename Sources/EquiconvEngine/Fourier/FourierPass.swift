// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// A correlation by Fourier tiles: spectra of a block of tiles, products point by point, inverse transforms.
///
/// A block is as many tiles as a vector has lanes. A thread takes whole blocks and shares nothing with the others, so the
/// number of threads does not change a bit. Spectra of all its planes rest in the thread's workspace; where they would not
/// fit its limit, channels are taken in chunks and products are added up.
///
/// Per block: C|X| + O|Y| transforms of about 5 n² log₂ n² / 2 vector operations, (n² / 2 + 2) · 3 · C|X| · O|Y| multiply-adds.
struct FourierPass<S: EngineScalar>: TilePass {
  let plan: FourierPlan
  let batch: Int
  let channels: Int
  let outputs: Int
  let kernels: Microkernels
  let threads: Int
  /// Channels read, and computed, at a time.
  private let channelChunk: Int
  private let outputChunk: Int
  private let band: TileBand
  private let pieces: Pieces
  private let memory: Workspace.Plan

  private struct Pieces {
    var spectra = 0
    var products = 0
    var band = 0
    var transform = 0
    var sourceLanes = 0
    var targetLanes = 0
    var laneRows = 0
    var laneColumns = 0
    var noOffset = 0
    var zero = 0
    var bytes = 0
    var twiddles = 0
    var reads = 0
    var threads = 0
  }

  var workspaceBytes: Int { memory.bytes }

  init(
    plan: FourierPlan, batch: Int, channels: Int, outputs: Int, _ options: PassOptions
  ) throws(ConvolutionError) {
    let kernels = S.microkernels(options.instructions)
    self.plan = plan
    self.batch = batch
    self.channels = channels
    self.outputs = outputs
    self.kernels = kernels
    let lanes = kernels.lanes
    let blocks = (plan.tileCount(batch: batch) + lanes - 1) / lanes
    self.threads = min(options.threads, max(blocks, 1))
    band = plan.band(lanes: lanes)
    let points = plan.points
    // What is needed beside spectra.
    let rest = MemoryLayout<S>.stride * (band.volume + (plan.scratchVectors + 2 * points) * lanes) + (64 << 10)
    let chunks = Self.chunks(
      plan, channels: channels, outputs: outputs, kernels: kernels, limit: options.workspaceLimit - rest)
    (channelChunk, outputChunk) = chunks
    var (pieces, perThread) = (Pieces(), Workspace.Plan())
    pieces.spectra = try perThread.reserve(
      S.self, points, FourierPlan.pointStride(planes: channelChunk * plan.correlation.sourceElements, lanes: lanes))
    pieces.products = try perThread.reserve(
      S.self, points, FourierPlan.pointStride(planes: outputChunk * plan.correlation.targetElements, lanes: lanes))
    pieces.band = try perThread.reserve(S.self, band.volume)
    pieces.transform = try perThread.reserve(S.self, plan.scratchVectors, lanes)
    pieces.sourceLanes = try perThread.reserve(UnsafeMutableRawPointer.self, lanes)
    pieces.targetLanes = try perThread.reserve(UnsafeMutableRawPointer.self, lanes)
    pieces.laneRows = try perThread.reserve(Int.self, lanes)
    pieces.laneColumns = try perThread.reserve(Int.self, lanes)
    pieces.noOffset = try perThread.reserve(Int.self, 1)
    pieces.zero = try perThread.reserve(S.self, 1)
    pieces.bytes = perThread.bytes
    var memory = Workspace.Plan()
    pieces.twiddles = try memory.reserve(S.self, plan.twiddles.count)
    pieces.reads = try memory.reserve(
      equiconv_read.self, plan.correlation.targetElements, plan.correlation.sourceElements, kernels.panelWidths)
    pieces.threads = try memory.reserve(UInt8.self, self.threads, perThread.bytes)
    self.pieces = pieces
    self.memory = memory
  }

  /// The largest chunks whose spectra fit the limit: all channels if that leaves room for some outputs, else as many.
  private static func chunks(
    _ plan: FourierPlan, channels: Int, outputs: Int, kernels: Microkernels, limit: Int
  ) -> (channels: Int, outputs: Int) {
    let bytes = plan.points * 2 * kernels.lanes * MemoryLayout<S>.stride
    let (channelBytes, outputBytes) = (
      bytes * plan.correlation.sourceElements, bytes * plan.correlation.targetElements
    )
    let panel = min(outputs, kernels.widestComplexPanel)
    var channelChunk = channels
    while channelChunk > 1 && channelChunk * channelBytes + panel * outputBytes > limit {
      channelChunk = (channelChunk + 1) / 2
    }
    let room = max(limit - channelChunk * channelBytes, 0) / outputBytes
    let outputChunk = room >= outputs ? outputs : max(room / panel * panel, panel)
    return (channelChunk, outputChunk)
  }

  /// Scalars from one point of the spectra, and of the products, to the next.
  private var sourceStride: Int {
    FourierPlan.pointStride(planes: channelChunk * plan.correlation.sourceElements, lanes: kernels.lanes)
  }
  private var targetStride: Int {
    FourierPlan.pointStride(planes: outputChunk * plan.correlation.targetElements, lanes: kernels.lanes)
  }

  // MARK: - Running

  func run(_ arrays: TilePassArrays<S>) throws(ConvolutionError) {
    let workspace = try Workspace(memory)
    plan.writeTwiddles(workspace.pointer(pieces.twiddles, S.self))
    writeReads(workspace)
    let (tiles, lanes) = (plan.tileCount(batch: batch), kernels.lanes)
    ThreadPool.run((tiles + lanes - 1) / lanes, threads: threads) { worker, block in
      let thread = Thread(workspace, pieces, worker: worker)
      process(block * lanes..<min(tiles, (block + 1) * lanes), arrays, thread)
    }
  }

  /// Memory of one thread.
  private struct Thread {
    let spectra, products, band, transform, zero: UnsafeMutablePointer<S>
    let sourceLanes, targetLanes: UnsafeMutablePointer<UnsafeMutableRawPointer>
    let laneRows, laneColumns, noOffset: UnsafeMutablePointer<Int>
    let twiddles: UnsafePointer<S>
    let reads: UnsafePointer<equiconv_read>

    init(_ workspace: borrowing Workspace, _ pieces: Pieces, worker: Int) {
      let first = pieces.threads + worker * pieces.bytes
      spectra = workspace.pointer(first + pieces.spectra, S.self)
      products = workspace.pointer(first + pieces.products, S.self)
      band = workspace.pointer(first + pieces.band, S.self)
      transform = workspace.pointer(first + pieces.transform, S.self)
      zero = workspace.pointer(first + pieces.zero, S.self)
      sourceLanes = workspace.pointer(first + pieces.sourceLanes, UnsafeMutableRawPointer.self)
      targetLanes = workspace.pointer(first + pieces.targetLanes, UnsafeMutableRawPointer.self)
      laneRows = workspace.pointer(first + pieces.laneRows, Int.self)
      laneColumns = workspace.pointer(first + pieces.laneColumns, Int.self)
      noOffset = workspace.pointer(first + pieces.noOffset, Int.self)
      twiddles = UnsafePointer(workspace.pointer(pieces.twiddles, S.self))
      reads = UnsafePointer(workspace.pointer(pieces.reads, equiconv_read.self))
    }
  }

  /// [target][panel width, from the widest][e]: weight (c, e) of the representative reads plane (c, l·e).
  private func writeReads(_ workspace: borrowing Workspace) {
    for turn in plan.correlation.banks.lazy.flatMap(\.turns) {
      var read =
        workspace.pointer(pieces.reads, equiconv_read.self) + turn.target * kernels.panelWidths * turn.sources.count
      var width = kernels.widestComplexPanel
      while width > 0 {
        for (element, source) in turn.sources.enumerated() {
          read.pointee = equiconv_read(source: source * 2 * kernels.lanes, weight: element * 3 * width)
          read += 1
        }
        width /= 2
      }
    }
  }

  private func process(_ block: Range<Int>, _ arrays: TilePassArrays<S>, _ thread: Thread) {
    band.writeLanes(block, scratch: thread.band, into: thread.sourceLanes)
    thread.zero.pointee = 0
    thread.noOffset.pointee = 0
    for output in stride(from: 0, to: outputs, by: outputChunk) {
      let outputRange = output..<min(outputs, output + outputChunk)
      for channel in stride(from: 0, to: channels, by: channelChunk) {
        let channelRange = channel..<min(channels, channel + channelChunk)
        // One chunk of channels stays transformed for all chunks of outputs.
        if output == 0 || channelChunk < channels {
          transformSource(block, channelRange, arrays.source, thread)
        }
        multiply(Chunk(channels: channelRange, outputs: outputRange), arrays.weights, thread)
      }
      transformBack(block, outputRange, arrays, thread)
    }
  }

  private func transformSource(
    _ block: Range<Int>, _ channels: Range<Int>, _ source: UnsafePointer<S>, _ thread: Thread
  ) {
    let elements = plan.correlation.sourceElements
    let plane = plan.correlation.source.volume
    let imageStride = self.channels * elements * plane
    let n = plan.length
    var call = equiconv_fourier_call(
      length: n, twiddles: thread.twiddles, scratch: thread.transform, spectrum: thread.spectra,
      point_stride: sourceStride,
      lanes: UnsafePointer(thread.sourceLanes), row_stride: band.rowStride, first_row: 0, row_count: n,
      first_column: 0, column_count: n, lane_rows: thread.laneRows, lane_columns: thread.laneColumns,
      bias: thread.zero)
    for index in 0..<channels.count * elements {
      if Call.isEnded { return }
      band.fill(
        block, from: source + (channels.lowerBound * elements + index) * plane,
        imageStride: imageStride, into: thread.band)
      call.spectrum = UnsafeMutableRawPointer(thread.spectra + index * 2 * kernels.lanes)
      kernels.fourierForward(&call)
    }
  }

  /// Channels and outputs that are multiplied in one go.
  private struct Chunk {
    var channels: Range<Int>
    var outputs: Range<Int>
  }

  /// Products at all points, orbit by orbit of the points under turns: what they share of the weights is then still near.
  private func multiply(_ chunk: Chunk, _ weights: UnsafePointer<S>, _ thread: Thread) {
    for point in plan.order {
      if Call.isEnded { return }
      for bank in plan.correlation.banks.indices {
        for turn in plan.correlation.banks[bank].turns.indices {
          multiply(chunk, point: point, bank: bank, turn: turn, weights, thread)
        }
      }
    }
  }

  /// The outputs of one target element at one point, panel by panel.
  private func multiply(
    _ chunk: Chunk, point: Int, bank: Int, turn: Int, _ weights: UnsafePointer<S>, _ thread: Thread
  ) {
    let (sources, targets) = (plan.correlation.sourceElements, plan.correlation.targetElements)
    let (lanes, inputs) = (kernels.lanes, channels * sources)
    let target = plan.correlation.banks[bank].turns[turn].target
    let read = plan.reads[bank][turn][point]
    // Conjugated weights are those that act on swapped parts.
    let (part, apart) = read.isConjugate ? (lanes, -lanes) : (0, lanes)
    let source = thread.spectra + (point * sourceStride + part)
    let destination =
      thread.products + (point * targetStride + target * 2 * lanes + part)
    let weights = weights + (bank * plan.points + Int(read.point)) * outputs * inputs * 3
    PanelSplit(outputs: outputs, widest: kernels.widestComplexPanel).forEach { panel in
      if !chunk.outputs.contains(panel.first) { return }
      var call = equiconv_complex_multiply_call(
        source: source,
        weights: weights + (panel.first * inputs + chunk.channels.lowerBound * sources * panel.width) * 3,
        destination: destination + (panel.first - chunk.outputs.lowerBound) * targets * 2 * lanes,
        reads: thread.reads + (target * kernels.panelWidths + kernels.panelIndex(panel.width)) * sources,
        read_count: sources, channel_count: chunk.channels.count, source_channel_stride: sources * 2 * lanes,
        source_imaginary: apart, weight_channel_stride: sources * 3 * panel.width, weight_plane_stride: panel.width,
        destination_row_stride: targets * 2 * lanes, destination_imaginary: apart, source_offsets: thread.noOffset,
        destination_offsets: thread.noOffset, vector_count: 1,
        accumulates: chunk.channels.lowerBound == 0 ? 0 : 1, conjugates_source: 0)
      kernels.complexMultiply(&call, panel.width)
    }
  }

  private func transformBack(
    _ block: Range<Int>, _ outputs: Range<Int>, _ arrays: TilePassArrays<S>, _ thread: Thread
  ) {
    let (targets, target) = (plan.correlation.targetElements, plan.correlation.target)
    let base = arrays.destination + outputs.lowerBound * targets * target.volume
    writeTargets(block, base, thread)
    var call = equiconv_fourier_call(
      length: plan.length, twiddles: thread.twiddles, scratch: thread.transform, spectrum: thread.products,
      point_stride: targetStride,
      lanes: UnsafePointer(thread.targetLanes), row_stride: target.x, first_row: plan.center.y,
      row_count: plan.outputs.y, first_column: plan.center.x, column_count: plan.outputs.x,
      lane_rows: thread.laneRows, lane_columns: thread.laneColumns, bias: thread.zero)
    for index in 0..<outputs.count * targets {
      if Call.isEnded { return }
      call.spectrum = UnsafeMutableRawPointer(thread.products + index * 2 * kernels.lanes)
      if let bias = arrays.bias { call.bias = UnsafeRawPointer(bias + outputs.lowerBound + index / targets) }
      kernels.fourierInverse(&call)
      for lane in 0..<block.count { thread.targetLanes[lane] += target.volume * MemoryLayout<S>.stride }
    }
  }

  /// Where each lane's tile is stored in its first plane, and how much of it.
  private func writeTargets(_ block: Range<Int>, _ base: UnsafeMutablePointer<S>, _ thread: Thread) {
    let target = plan.correlation.target
    let imageStride = outputs * plan.correlation.targetElements * target.volume
    plan.grid.forEachPiece(block) { piece in
      let y = piece.row * plan.outputs.y
      for tile in 0..<piece.count {
        let lane = piece.first + tile
        let x = (piece.column + tile) * plan.outputs.x
        thread.targetLanes[lane] = UnsafeMutableRawPointer(
          base + piece.image * imageStride + y * target.x + x)
        thread.laneRows[lane] = min(plan.outputs.y, target.y - y)
        thread.laneColumns[lane] = min(plan.outputs.x, target.x - x)
      }
    }
    for lane in block.count..<kernels.lanes {
      thread.targetLanes[lane] = UnsafeMutableRawPointer(base)
      thread.laneRows[lane] = 0
      thread.laneColumns[lane] = 0
    }
  }
}

extension FourierPlan {
  /// The windows of source planes that tiles read.
  func band(lanes: Int) -> TileBand {
    TileBand(
      grid: grid, window: Box(z: 1, y: length, x: length), source: correlation.source,
      origin: correlation.origin, isCircular: correlation.isCircular, lanes: lanes)
  }
}

extension Microkernels {
  /// How many widths of panels `complexMultiply` takes.
  var panelWidths: Int { widestComplexPanel.trailingZeroBitCount + 1 }
  /// The place of a width among them, from the widest.
  func panelIndex(_ width: Int) -> Int { widestComplexPanel.trailingZeroBitCount - width.trailingZeroBitCount }
}
