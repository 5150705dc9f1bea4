// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// A correlation by Fourier tiles: spectra of a block of tiles, products point by point, inverse transforms.
///
/// A block has as many tiles of one frame as a vector has lanes. A thread computes whole blocks and shares nothing with the
/// others, so the number of threads changes no bit. The spectra of all planes of a block stay in the thread's workspace. If
/// they would exceed its limit, channels are processed in chunks and products are added up.
///
/// Per block: C|X| + O|Y|/F transforms of about 5 n² log₂ n² / 2 vector operations, (n² / 2 + 2) · 3 · C|X| · O|Y|/F
/// multiply-adds, for F frames. Blocks of several frames together would share weights, but their spectra leave the caches:
/// half as fast (measured).
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
  /// Of each frame.
  private let sourceBands: [TileBand]
  private let targetBands: [TileBand]
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
    /// [point][channel][element][re, im][lane], and for outputs [point][output][product of the frame][re, im][lane].
    let spectra: Piece<S>
    let products: Piece<S>
    /// Windows of planes.
    let band: Piece<S>
    let targetBand: Piece<S>
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
    let lanes = kernels.lanes
    self.plan = plan
    self.batch = batch
    self.channels = channels
    self.outputs = outputs
    self.kernels = kernels
    sourceBands = plan.frames.map { plan.sourceBand($0, lanes: lanes) }
    targetBands = plan.frames.map { plan.targetBand($0, lanes: lanes) }
    let band = sourceBands.lazy.map { $0.volume }.max() ?? 0
    // Rows of the plane are stored where they belong.
    let targetBand = targetBands.lazy.map { $0.plane.hasStoredRows ? 0 : $0.volume }.max() ?? 0
    let blocks = (plan.tileCount(batch: batch) + lanes - 1) / lanes
    self.threads = min(options.threads, max(blocks * plan.frames.count, 1))
    let points = plan.points
    // Memory needed beside spectra.
    let rest =
      MemoryLayout<S>.stride
      * (band + targetBand + (plan.scratchVectors + FourierPlan.parts * points) * lanes) + Self.tableBytes
    (channelChunk, outputChunk) = Self.chunks(
      plan, channels: channels, outputs: outputs, kernels: kernels, limit: options.workspaceLimit - rest)
    let (spectra, products) = (
      FourierPlan.pointStride(planes: channelChunk * plan.correlation.sourceElements, lanes: lanes),
      FourierPlan.pointStride(planes: outputChunk * plan.productCount, lanes: lanes)
    )
    var layout = Workspace.Layout()
    pieces = Pieces(
      twiddles: try layout.reserve(S.self, plan.twiddles.count),
      reads: try layout.reserve(
        equiconv_read.self, plan.correlation.targetElements, plan.correlation.sourceElements, kernels.panelWidths),
      noOffset: try layout.reserve(Int.self, 1), zero: try layout.reserve(S.self, 1),
      threads: try layout.reserve(threads: threads) { each throws(ConvolutionError) in
        BlockPieces(
          spectra: try each.reserve(S.self, points, spectra), products: try each.reserve(S.self, points, products),
          band: try each.reserve(S.self, band), targetBand: try each.reserve(S.self, targetBand),
          transform: try each.reserve(S.self, plan.scratchVectors, lanes),
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
    let (channelBytes, outputBytes) = (bytes * plan.correlation.sourceElements, bytes * plan.productCount)
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
    FourierPlan.pointStride(planes: outputChunk * plan.productCount, lanes: kernels.lanes)
  }

  // MARK: - Running

  func run(_ arrays: SignalPassArrays<S>, in workspace: borrowing Workspace) throws(ConvolutionError) {
    plan.writeTwiddles(workspace[pieces.twiddles])
    writeReads(workspace[pieces.reads])
    workspace[pieces.noOffset].pointee = 0
    workspace[pieces.zero].pointee = 0
    let (tiles, lanes, frames) = (plan.tileCount(batch: batch), kernels.lanes, plan.frames.count)
    ThreadPool.run((tiles + lanes - 1) / lanes * frames, threads: threads) { worker, item in
      let block = item / frames
      let task = Task(
        block: block * lanes..<min(tiles, (block + 1) * lanes), frame: item % frames, arrays: arrays,
        twiddles: workspace[pieces.twiddles], reads: workspace[pieces.reads], noOffset: workspace[pieces.noOffset],
        zero: workspace[pieces.zero], memory: workspace[pieces.threads, worker])
      process(task)
    }
  }

  /// A block of tiles of a frame, with what its thread reads and writes.
  private struct Task {
    let block: Range<Int>
    let frame: Int
    let arrays: SignalPassArrays<S>
    let twiddles: UnsafePointer<S>
    let reads: UnsafePointer<equiconv_read>
    let noOffset: UnsafePointer<Int>
    let zero: UnsafePointer<S>
    let memory: Workspace.Share
  }

  /// [target][panel width, from the widest][e]: weight (c, e) of the representative reads plane (c, l·e).
  private func writeReads(_ reads: UnsafeMutablePointer<equiconv_read>) {
    for turn in plan.frames.lazy.flatMap({ $0.products }).map({ $0.turn }) {
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
    let band = sourceBands[task.frame]
    band.writeLanes(task.block, scratch: task.memory[own.band], into: task.memory[own.sourceLanes])
    for output in stride(from: 0, to: outputs, by: outputChunk) {
      let outputRange = output..<min(outputs, output + outputChunk)
      for channel in stride(from: 0, to: channels, by: channelChunk) {
        let channelRange = channel..<min(channels, channel + channelChunk)
        // One chunk of channels stays transformed for all chunks of outputs.
        if output == 0 || channelChunk < channels { transformSource(channelRange, band, task) }
        multiply(Chunk(channels: channelRange, outputs: outputRange), task)
      }
      transformBack(outputRange, task)
    }
  }

  private func transformSource(_ channels: Range<Int>, _ band: TileBand, _ task: Task) {
    let memory = task.memory
    let elements = plan.correlation.sourceElements
    let plane = plan.correlation.source.volume
    let imageStride = self.channels * elements * plane
    let spectra = memory[own.spectra]
    var call = plan.call(
      plan.wholeTile, lanes: memory[own.sourceLanes], rowStride: band.rowStride, spectrum: spectra,
      pointStride: sourceStride, twiddles: task.twiddles, scratch: memory[own.transform],
      laneRows: memory[own.laneRows], laneColumns: memory[own.laneColumns], bias: task.zero)
    for index in 0..<channels.count * elements {
      if Call.isEnded { return }
      band.fill(
        task.block, from: task.arrays.source + (channels.lowerBound * elements + index) * plane,
        imageStride: imageStride, into: memory[own.band])
      call.spectrum = UnsafeMutableRawPointer(spectra + index * FourierPlan.parts * kernels.lanes)
      kernels.fourierForward(&call)
    }
  }

  // MARK: - Products

  /// Channels and outputs that are multiplied in one go.
  private struct Chunk {
    var channels: Range<Int>
    var outputs: Range<Int>
  }

  /// Products at all points, orbit by orbit of the points under turns: the weights that they share are then still in
  /// the caches.
  private func multiply(_ chunk: Chunk, _ task: Task) {
    let products = plan.frames[task.frame].products
    for point in plan.order {
      if Call.isEnded { return }
      for number in products.indices { multiply(chunk, point: point, products[number], number, task) }
    }
  }

  /// The outputs of one target element at one point, panel by panel.
  private func multiply(
    _ chunk: Chunk, point: Int, _ product: FourierPlan.Product, _ number: Int, _ task: Task
  ) {
    let (sources, targets) = (plan.correlation.sourceElements, plan.productCount)
    let (lanes, inputs, planes) = (kernels.lanes, channels * sources, FourierPlan.weightPlanes)
    let vector = FourierPlan.parts * lanes
    let target = product.turn.target
    let read = product.reads[point]
    // Conjugated weights are those that act on swapped parts.
    let (part, apart) = read.isConjugate ? (lanes, -lanes) : (0, lanes)
    let source = task.memory[own.spectra] + (point * sourceStride + part)
    let destination = task.memory[own.products] + (point * targetStride + number * vector + part)
    let weights = task.arrays.weights + (product.bank * plan.points + Int(read.point)) * outputs * inputs * planes
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

  // MARK: - Outputs

  /// Stores the tiles: in the plane, or in windows that are turned back.
  private func transformBack(_ outputs: Range<Int>, _ task: Task) {
    let (memory, band) = (task.memory, targetBands[task.frame])
    let products = plan.frames[task.frame].products
    let (elements, volume) = (plan.correlation.targetElements, plan.correlation.target.volume)
    let (isStored, imageStride) = (band.plane.hasStoredRows, self.outputs * elements * volume)
    let (lanes, windows) = (memory[own.targetLanes], memory[own.targetBand])
    let spectra = memory[own.products]
    let epilogue = Epilogue<S>(task.arrays.pointwise, kernels)
    writeTargets(band, task)
    var call = plan.call(
      plan.outputsOfTile, lanes: lanes, rowStride: isStored ? band.plane.rowStep : band.rowStride, spectrum: spectra,
      pointStride: targetStride, twiddles: task.twiddles, scratch: memory[own.transform],
      laneRows: memory[own.laneRows], laneColumns: memory[own.laneColumns], bias: task.zero)
    var stored = 0
    for index in 0..<outputs.count * products.count {
      if Call.isEnded { return }
      let output = outputs.lowerBound + index / products.count
      let plane = (output * elements + products[index % products.count].turn.target) * volume
      call.spectrum = UnsafeMutableRawPointer(spectra + index * FourierPlan.parts * kernels.lanes)
      if let bias = task.arrays.bias { call.bias = UnsafeRawPointer(bias + output) }
      if isStored {
        for lane in 0..<task.block.count { lanes[lane] += (plane - stored) * MemoryLayout<S>.stride }
        stored = plane
      }
      kernels.fourierInverse(&call)
      let target = task.arrays.destination + plane
      if isStored {
        finish(task.block, band, target, imageStride: imageStride, epilogue)
      } else {
        finish(task.block, band, windows: windows, epilogue)
        band.store(task.block, from: windows, into: target, imageStride: imageStride)
      }
    }
  }

  /// Runs the epilogue on the tiles of a block in a plane.
  private func finish(
    _ block: Range<Int>, _ band: TileBand, _ target: UnsafeMutablePointer<S>, imageStride: Int,
    _ epilogue: Epilogue<S>
  ) {
    if epilogue.isEmpty { return }
    let (size, tile) = (band.plane.size, plan.outputs)
    band.grid.forEachPiece(block) { piece in
      let (y, x) = (piece.row * tile.y, piece.column * tile.x)
      epilogue.run(
        target,
        OutputRectangle(
          place: piece.image * imageStride + band.plane.place(y, x), rows: min(tile.y, size.y - y),
          columns: min(piece.count * tile.x, size.x - x), stride: band.plane.rowStep))
    }
  }

  /// The same in the windows of a block, before they are turned back.
  private func finish(
    _ block: Range<Int>, _ band: TileBand, windows: UnsafeMutablePointer<S>, _ epilogue: Epilogue<S>
  ) {
    if epilogue.isEmpty { return }
    let (size, tile) = (band.plane.size, plan.outputs)
    var place = 0
    band.grid.forEachPiece(block) { piece in
      epilogue.run(
        windows,
        OutputRectangle(
          place: place, rows: min(tile.y, size.y - piece.row * tile.y),
          columns: min(piece.count * tile.x, size.x - piece.column * tile.x), stride: band.rowStride))
      place += band.windowVolume
    }
  }

  /// Where each lane's tile is stored, in the first plane of its image or in its window, and how much of it.
  private func writeTargets(_ band: TileBand, _ task: Task) {
    let (size, tile) = (band.plane.size, plan.outputs)
    let imageStride = outputs * plan.correlation.targetElements * plan.correlation.target.volume
    let (lanes, rows, columns) = (
      task.memory[own.targetLanes], task.memory[own.laneRows], task.memory[own.laneColumns]
    )
    if !band.plane.hasStoredRows { band.writeLanes(task.block, scratch: task.memory[own.targetBand], into: lanes) }
    band.grid.forEachPiece(task.block) { piece in
      let y = piece.row * tile.y
      for lane in piece.first..<piece.first + piece.count {
        let x = (piece.column + lane - piece.first) * tile.x
        checkInvariant(piece.image < batch && y < size.y && x < size.x, "tiles are stored in planes of the target")
        rows[lane] = min(tile.y, size.y - y)
        columns[lane] = min(tile.x, size.x - x)
        if band.plane.hasStoredRows {
          lanes[lane] = UnsafeMutableRawPointer(
            task.arrays.destination + (piece.image * imageStride + band.plane.place(y, x)))
        }
      }
    }
    for lane in task.block.count..<kernels.lanes {
      lanes[lane] = lanes[0]
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
