// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// A correlation by Fourier tiles: spectra of a block of tiles, products point by point, inverse transforms.
///
/// A block has as many tiles as a vector has lanes. A thread computes whole blocks and shares nothing with the others,
/// so the number of threads changes no bit. The spectra of all planes of a block stay in the thread's workspace. If
/// they would exceed its limit, channels are processed in chunks and products are added up.
///
/// Per block: C|X| + O|Y| transforms of about 5 n² log₂ n² / 2 vector operations, (n² / 2 + 2) · 3 · C|X| · O|Y| multiply-adds.
struct FourierPass<S: EngineScalar>: PlannedPass {
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
  let layout: Workspace.Layout

  private struct Pieces {
    let twiddles: Piece<S>
    /// [target][panel width, from the widest][e].
    let reads: Piece<equiconv_read>
    /// Where the one vector of a product lies, and what outputs without a bias begin with.
    let noOffset: Piece<Int>
    let zero: Piece<S>
    let threads: PerThread<BlockPieces>
  }

  /// The pieces of one thread for a block of tiles.
  private struct BlockPieces {
    /// [point][channel][element][re, im][lane], and the same for outputs.
    let spectra: Piece<S>
    let products: Piece<S>
    let band: Piece<S>
    let transform: Piece<S>
    /// Where each lane's tile begins in its first plane, and how much of it is stored.
    let sourceLanes: Piece<UnsafeMutableRawPointer>
    let targetLanes: Piece<UnsafeMutableRawPointer>
    let laneRows: Piece<Int>
    let laneColumns: Piece<Int>
  }

  private var own: BlockPieces { pieces.threads.each }

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
    // Memory needed beside spectra.
    let rest =
      MemoryLayout<S>.stride * (band.volume + (plan.scratchVectors + FourierPlan.parts * points) * lanes)
      + Self.tableBytes
    (channelChunk, outputChunk) = Self.chunks(
      plan, channels: channels, outputs: outputs, kernels: kernels, limit: options.workspaceLimit - rest)
    var layout = Workspace.Layout()
    let (spectra, products) = (
      FourierPlan.pointStride(planes: channelChunk * plan.correlation.sourceElements, lanes: lanes),
      FourierPlan.pointStride(planes: outputChunk * plan.correlation.targetElements, lanes: lanes)
    )
    pieces = Pieces(
      twiddles: try layout.reserve(S.self, plan.twiddles.count),
      reads: try layout.reserve(
        equiconv_read.self, plan.correlation.targetElements, plan.correlation.sourceElements, kernels.panelWidths),
      noOffset: try layout.reserve(Int.self, 1), zero: try layout.reserve(S.self, 1),
      threads: try layout.reserve(threads: threads) { [band] each throws(ConvolutionError) in
        BlockPieces(
          spectra: try each.reserve(S.self, points, spectra), products: try each.reserve(S.self, points, products),
          band: try each.reserve(S.self, band.volume), transform: try each.reserve(S.self, plan.scratchVectors, lanes),
          sourceLanes: try each.reserve(UnsafeMutableRawPointer.self, lanes),
          targetLanes: try each.reserve(UnsafeMutableRawPointer.self, lanes),
          laneRows: try each.reserve(Int.self, lanes), laneColumns: try each.reserve(Int.self, lanes))
      })
    self.layout = layout
  }

  /// The most that tables of lanes and the ends of pieces need.
  private static var tableBytes: Int { 64 << 10 }

  /// The largest chunks whose spectra fit the limit: all channels if that leaves room for some outputs, else as many.
  private static func chunks(
    _ plan: FourierPlan, channels: Int, outputs: Int, kernels: Microkernels, limit: Int
  ) -> (channels: Int, outputs: Int) {
    let bytes = plan.points * FourierPlan.parts * kernels.lanes * MemoryLayout<S>.stride
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

  func run(_ arrays: SignalPassArrays<S>, in workspace: borrowing Workspace) throws(ConvolutionError) {
    plan.writeTwiddles(workspace[pieces.twiddles])
    writeReads(workspace[pieces.reads])
    workspace[pieces.noOffset].pointee = 0
    workspace[pieces.zero].pointee = 0
    let (tiles, lanes) = (plan.tileCount(batch: batch), kernels.lanes)
    ThreadPool.run((tiles + lanes - 1) / lanes, threads: threads) { worker, block in
      let task = Task(
        block: block * lanes..<min(tiles, (block + 1) * lanes), arrays: arrays,
        twiddles: workspace[pieces.twiddles], reads: workspace[pieces.reads], noOffset: workspace[pieces.noOffset],
        zero: workspace[pieces.zero], memory: workspace[pieces.threads, worker])
      process(task)
    }
  }

  /// A block of tiles, with what its thread reads and writes.
  private struct Task {
    let block: Range<Int>
    let arrays: SignalPassArrays<S>
    let twiddles: UnsafePointer<S>
    let reads: UnsafePointer<equiconv_read>
    let noOffset: UnsafePointer<Int>
    let zero: UnsafePointer<S>
    let memory: Workspace.Share
  }

  /// [target][panel width, from the widest][e]: weight (c, e) of the representative reads plane (c, l·e).
  private func writeReads(_ reads: UnsafeMutablePointer<equiconv_read>) {
    for turn in plan.correlation.banks.lazy.flatMap(\.turns) {
      var read = reads + turn.target * kernels.panelWidths * turn.sources.count
      var width = kernels.widestComplexPanel
      while width > 0 {
        for (element, source) in turn.sources.enumerated() {
          read.pointee = equiconv_read(
            source: source * FourierPlan.parts * kernels.lanes, weight: element * FourierPlan.weightPlanes * width)
          read += 1
        }
        width /= 2
      }
    }
  }

  private func process(_ task: Task) {
    band.writeLanes(task.block, scratch: task.memory[own.band], into: task.memory[own.sourceLanes])
    for output in stride(from: 0, to: outputs, by: outputChunk) {
      let outputRange = output..<min(outputs, output + outputChunk)
      for channel in stride(from: 0, to: channels, by: channelChunk) {
        let channelRange = channel..<min(channels, channel + channelChunk)
        // One chunk of channels stays transformed for all chunks of outputs.
        if output == 0 || channelChunk < channels { transformSource(channelRange, task) }
        multiply(Chunk(channels: channelRange, outputs: outputRange), task)
      }
      transformBack(outputRange, task)
    }
  }

  private func transformSource(_ channels: Range<Int>, _ task: Task) {
    let memory = task.memory
    let elements = plan.correlation.sourceElements
    let plane = plan.correlation.source.volume
    let imageStride = self.channels * elements * plane
    var call = plan.call(
      plan.wholeTile, lanes: memory[own.sourceLanes], rowStride: band.rowStride, spectrum: memory[own.spectra],
      pointStride: sourceStride, twiddles: task.twiddles, scratch: memory[own.transform],
      laneRows: memory[own.laneRows], laneColumns: memory[own.laneColumns], bias: task.zero)
    for index in 0..<channels.count * elements {
      if Call.isEnded { return }
      band.fill(
        task.block, from: task.arrays.source + (channels.lowerBound * elements + index) * plane,
        imageStride: imageStride, into: memory[own.band])
      call.spectrum = UnsafeMutableRawPointer(memory[own.spectra] + index * FourierPlan.parts * kernels.lanes)
      kernels.fourierForward(&call)
    }
  }

  /// Channels and outputs that are multiplied in one go.
  private struct Chunk {
    var channels: Range<Int>
    var outputs: Range<Int>
  }

  /// Products at all points, orbit by orbit of the points under turns: the weights that they share are then still in
  /// the caches.
  private func multiply(_ chunk: Chunk, _ task: Task) {
    for point in plan.order {
      if Call.isEnded { return }
      for bank in plan.correlation.banks.indices {
        for turn in plan.correlation.banks[bank].turns.indices {
          multiply(chunk, point: point, bank: bank, turn: turn, task)
        }
      }
    }
  }

  /// The outputs of one target element at one point, panel by panel.
  private func multiply(_ chunk: Chunk, point: Int, bank: Int, turn: Int, _ task: Task) {
    let (sources, targets) = (plan.correlation.sourceElements, plan.correlation.targetElements)
    let (lanes, inputs, planes) = (kernels.lanes, channels * sources, FourierPlan.weightPlanes)
    let vector = FourierPlan.parts * lanes
    let target = plan.correlation.banks[bank].turns[turn].target
    let read = plan.reads[bank][turn][point]
    // Conjugated weights are those that act on swapped parts.
    let (part, apart) = read.isConjugate ? (lanes, -lanes) : (0, lanes)
    let source = task.memory[own.spectra] + (point * sourceStride + part)
    let destination = task.memory[own.products] + (point * targetStride + target * vector + part)
    let weights = task.arrays.weights + (bank * plan.points + Int(read.point)) * outputs * inputs * planes
    PanelSplit(outputs: outputs, widest: kernels.widestComplexPanel).forEach { panel in
      if !chunk.outputs.contains(panel.first) { return }
      var call = equiconv_complex_multiply_call(
        source: source,
        weights: weights + (panel.first * inputs + chunk.channels.lowerBound * sources * panel.width) * planes,
        destination: destination + (panel.first - chunk.outputs.lowerBound) * targets * vector,
        reads: task.reads + (target * kernels.panelWidths + kernels.panelIndex(panel.width)) * sources,
        read_count: sources, channel_count: chunk.channels.count, source_channel_stride: sources * vector,
        source_imaginary: apart, weight_channel_stride: sources * planes * panel.width,
        weight_plane_stride: panel.width, destination_row_stride: targets * vector, destination_imaginary: apart,
        source_offsets: task.noOffset, destination_offsets: task.noOffset, vector_count: 1,
        accumulates: chunk.channels.lowerBound == 0 ? 0 : 1, conjugates_source: 0)
      kernels.complexMultiply(&call, panel.width)
    }
  }

  private func transformBack(_ outputs: Range<Int>, _ task: Task) {
    let (memory, bias) = (task.memory, task.arrays.bias)
    let (targets, target) = (plan.correlation.targetElements, plan.correlation.target)
    let lanes = memory[own.targetLanes]
    writeTargets(task, task.arrays.destination + outputs.lowerBound * targets * target.volume)
    var call = plan.call(
      plan.outputsOfTile, lanes: lanes, rowStride: target.x, spectrum: memory[own.products], pointStride: targetStride,
      twiddles: task.twiddles, scratch: memory[own.transform], laneRows: memory[own.laneRows],
      laneColumns: memory[own.laneColumns], bias: task.zero)
    for index in 0..<outputs.count * targets {
      if Call.isEnded { return }
      call.spectrum = UnsafeMutableRawPointer(memory[own.products] + index * FourierPlan.parts * kernels.lanes)
      if let bias { call.bias = UnsafeRawPointer(bias + outputs.lowerBound + index / targets) }
      kernels.fourierInverse(&call)
      for lane in 0..<task.block.count { lanes[lane] += target.volume * MemoryLayout<S>.stride }
    }
  }

  /// Where each lane's tile is stored in its first plane, and how much of it.
  private func writeTargets(_ task: Task, _ base: UnsafeMutablePointer<S>) {
    let target = plan.correlation.target
    let imageStride = outputs * plan.correlation.targetElements * target.volume
    let (lanes, rows, columns) = (
      task.memory[own.targetLanes], task.memory[own.laneRows], task.memory[own.laneColumns]
    )
    plan.grid.forEachPiece(task.block) { piece in
      let y = piece.row * plan.outputs.y
      for tile in 0..<piece.count {
        let lane = piece.first + tile
        let x = (piece.column + tile) * plan.outputs.x
        lanes[lane] = UnsafeMutableRawPointer(base + piece.image * imageStride + y * target.x + x)
        checkInvariant(piece.image < batch && y < target.y && x < target.x, "tiles are stored in planes of the target")
        rows[lane] = min(plan.outputs.y, target.y - y)
        columns[lane] = min(plan.outputs.x, target.x - x)
      }
    }
    for lane in task.block.count..<kernels.lanes {
      lanes[lane] = UnsafeMutableRawPointer(base)
      rows[lane] = 0
      columns[lane] = 0
    }
  }
}

extension Microkernels {
  /// How many widths of panels `complexMultiply` takes.
  var panelWidths: Int { widestComplexPanel.trailingZeroBitCount + 1 }
  /// The place of a width among them, from the widest.
  func panelIndex(_ width: Int) -> Int { widestComplexPanel.trailingZeroBitCount - width.trailingZeroBitCount }
}
