// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// The weight gradient by Fourier tiles: `∂k[o,c,e](u) = Σ_l Σ_x g[o,l·p,x] f[c,l·e, x + l·u]` for each bank.
///
/// The spectrum of that correlation is `Σ_l Σ_tiles conj(ĝ[o,l·p](lω)) f̂[c,l·e](lω)`: products over tiles, point by point,
/// with lanes along the channels c. Tiles are taken in chunks; within one, first the tiles are transformed and then the
/// points are shared between threads, each with sums of its own: neither changes a bit with their number.
struct FourierGradientPass<S: EngineScalar> {
  let plan: FourierPlan
  let batch: Int
  let inChannels: Int
  let outChannels: Int
  let kernels: Microkernels
  let threads: Int
  /// Vectors of channels.
  private let inGroups: Int
  private let outGroups: Int
  /// Tiles transformed at a time.
  private let chunk: Int
  /// Outputs whose sums are kept at a time.
  private let outputChunk: Int
  private let sourceBand: TileBand
  private let gradientBand: TileBand
  private let pieces: Pieces
  private let memory: Workspace.Plan

  private struct Pieces {
    var source = 0
    var gradient = 0
    var sums = 0
    var core = 0
    var twiddles = 0
    var zero = 0
    var reads = 0
    var sourceOffsets = 0
    var destinationOffsets = 0
    var windows = 0
    var transform = 0
    var pointers = 0
    var places = 0
    var bytes = 0
    var threads = 0
  }

  /// Memory of a run, for all threads.
  var workspaceBytes: Int { memory.bytes }

  init(
    plan: FourierPlan, batch: Int, inChannels: Int, outChannels: Int, _ options: PassOptions
  ) throws(ConvolutionError) {
    let kernels = S.microkernels(options.instructions)
    let lanes = kernels.lanes
    self.plan = plan
    self.batch = batch
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.kernels = kernels
    threads = options.threads
    inGroups = (inChannels + lanes - 1) / lanes
    outGroups = (outChannels + lanes - 1) / lanes
    let correlation = plan.correlation
    let longest = min(lanes, plan.tiles.x)
    sourceBand = plan.band(lanes: longest)
    gradientBand = plan.gradientBand(lanes: longest)
    let scalar = MemoryLayout<S>.stride
    let (sources, targets) = (inGroups * correlation.sourceElements, outGroups * correlation.targetElements)
    let tileBytes = plan.points * lanes * scalar * (2 * sources + 3 * targets)
    chunk = Self.chunk(tiles: plan.tileCount(batch: batch), tileBytes: tileBytes, limit: options.workspaceLimit / 2)
    let sumBytes = correlation.banks.count * plan.points * sources * 2 * lanes * scalar
    outputChunk = min(
      outChannels, max(kernels.widestComplexPanel, options.workspaceLimit / 2 / max(sumBytes, 1) / 8 * 8))
    var (pieces, memory) = (Pieces(), Workspace.Plan())
    pieces.source = try memory.reserve(
      S.self, plan.points, FourierPlan.pointStride(planes: chunk * sources, lanes: lanes))
    pieces.gradient = try memory.reserve(
      S.self, plan.points, FourierPlan.pointStride(planes: chunk * targets, vectors: 3, lanes: lanes))
    pieces.sums = try memory.reserve(
      S.self, correlation.banks.count, plan.points, FourierPlan.pointStride(planes: outputChunk * sources, lanes: lanes)
    )
    pieces.core = try memory.reserve(S.self, outChannels, inChannels, correlation.coefficients)
    pieces.twiddles = try memory.reserve(S.self, plan.twiddles.count)
    pieces.zero = try memory.reserve(S.self, 1)
    pieces.reads = try memory.reserve(equiconv_read.self, chunk)
    pieces.sourceOffsets = try memory.reserve(Int.self, correlation.targetElements, sources)
    pieces.destinationOffsets = try memory.reserve(Int.self, sources)
    try Self.reserve(
      &pieces, &memory, plan, lanes: lanes, window: max(sourceBand.windowVolume, gradientBand.windowVolume),
      threads: threads)
    self.pieces = pieces
    self.memory = memory
  }

  /// What each thread has for itself.
  private static func reserve(
    _ pieces: inout Pieces, _ memory: inout Workspace.Plan, _ plan: FourierPlan, lanes: Int, window: Int, threads: Int
  ) throws(ConvolutionError) {
    var perThread = Workspace.Plan()
    let dense = plan.correlation.reach.volume + lanes
    pieces.windows = try perThread.reserve(S.self, lanes, max(window, dense))
    pieces.transform = try perThread.reserve(S.self, plan.scratchVectors, lanes)
    pieces.pointers = try perThread.reserve(UnsafeMutableRawPointer.self, lanes)
    pieces.places = try perThread.reserve(Int.self, 2, lanes)
    pieces.bytes = perThread.bytes
    pieces.threads = try memory.reserve(UInt8.self, threads, perThread.bytes)
  }

  /// Tiles of a chunk: as many as the limit allows, in chunks of about one size.
  private static func chunk(tiles: Int, tileBytes: Int, limit: Int) -> Int {
    let most = max(1, min(FourierPlan.tilesPerChunk, limit / max(tileBytes, 1)))
    let chunks = (tiles + most - 1) / most
    return (tiles + chunks - 1) / chunks
  }

  // MARK: - Running

  /// Writes ∂ŵ, (O, C, coefficients).
  /// - Throws: `outOfMemory` before any array is touched.
  func run(
    gradient: UnsafePointer<S>, input: UnsafePointer<S>, sampling: SamplingOperator?,
    weightGradient: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    let workspace = try Workspace(memory)
    prepare(workspace)
    let core = sampling == nil ? weightGradient : workspace.pointer(pieces.core, S.self)
    core.update(repeating: 0, count: outChannels * inChannels * plan.correlation.coefficients)
    let tiles = plan.tileCount(batch: batch)
    for output in stride(from: 0, to: outChannels, by: outputChunk) {
      let outputs = output..<min(outChannels, output + outputChunk)
      for first in stride(from: 0, to: tiles, by: chunk) {
        try Call.checkNotEnded()
        let range = first..<min(tiles, first + chunk)
        transform(range, of: .source, input, workspace)
        transform(range, of: .gradient, gradient, workspace)
        multiply(range.count, outputs, isFirst: first == 0, workspace)
      }
      collect(outputs, into: core, workspace)
    }
    try sampling?.applyAdjoint(core, into: weightGradient, channelPairs: outChannels * inChannels)
  }

  private func prepare(_ workspace: borrowing Workspace) {
    plan.writeTwiddles(workspace.pointer(pieces.twiddles, S.self))
    workspace.pointer(pieces.zero, S.self).pointee = 0
    let vector = 2 * kernels.lanes
    let reads = workspace.pointer(pieces.reads, equiconv_read.self)
    let correlation = plan.correlation
    for tile in 0..<chunk {
      reads[tile] = equiconv_read(
        source: tile * correlation.sourceElements * inGroups * vector,
        weight: tile * correlation.targetElements * outGroups * 3 * kernels.lanes)
    }
    let offsets = workspace.pointer(pieces.sourceOffsets, Int.self)
    let vectors = correlation.sourceElements * inGroups
    for turn in correlation.banks.lazy.flatMap(\.turns) {
      for index in 0..<vectors {
        offsets[turn.target * vectors + index] = (turn.sources[index / inGroups] * inGroups + index % inGroups) * vector
      }
    }
    let destinations = workspace.pointer(pieces.destinationOffsets, Int.self)
    for index in 0..<vectors { destinations[index] = index * vector }
  }

  private enum Side { case source, gradient }

  /// Spectra of a chunk of tiles: [point][tile][element][vector of channels][re, im][lane].
  private func transform(
    _ range: Range<Int>, of side: Side, _ signal: UnsafePointer<S>, _ workspace: borrowing Workspace
  ) {
    let isSource = side == .source
    let elements = isSource ? plan.correlation.sourceElements : plan.correlation.targetElements
    let groups = isSource ? inGroups : outGroups
    let band = isSource ? sourceBand : gradientBand
    // Pieces of at most a band's length, and where their tiles begin in the chunk.
    var windows: [(first: Int, piece: TileGrid.Piece)] = []
    for first in stride(from: range.lowerBound, to: range.upperBound, by: band.lanes) {
      plan.grid.forEachPiece(first..<min(first + band.lanes, range.upperBound)) { piece in
        windows.append((first + piece.first - range.lowerBound, piece))
      }
    }
    let vectors = isSource ? 2 : 3
    let vector = vectors * kernels.lanes
    let stride = FourierPlan.pointStride(planes: chunk * elements * groups, vectors: vectors, lanes: kernels.lanes)
    let spectra = workspace.pointer(isSource ? pieces.source : pieces.gradient, S.self)
    let twiddles = UnsafePointer(workspace.pointer(pieces.twiddles, S.self))
    let zero = UnsafePointer(workspace.pointer(pieces.zero, S.self))
    let threadBase = workspace.pointer(pieces.threads, UInt8.self)
    ThreadPool.run(windows.count * elements * groups, threads: threads) { worker, item in
      let (first, piece) = windows[item / groups / elements]
      let (element, group) = (item / groups % elements, item % groups)
      let thread = Thread(threadBase + worker * pieces.bytes, pieces)
      fill(piece, side, element: element, group: group, signal, thread)
      for tile in 0..<piece.count {
        let place = ((first + tile) * elements + element) * groups + group
        var call = self.call(side, thread, twiddles: twiddles, zero: zero)
        call.spectrum = UnsafeMutableRawPointer(spectra + place * vector)
        call.point_stride = stride
        kernels.fourierForward(&call)
        if !isSource { formPlanes(spectra + place * vector, stride: stride) }
        for lane in 0..<kernels.lanes { thread.pointers[lane] += band.step.x * MemoryLayout<S>.stride }
      }
    }
  }

  /// a + ib becomes a, b − a, a + b, as `complexMultiply` wants its weights.
  private func formPlanes(_ spectrum: UnsafeMutablePointer<S>, stride: Int) {
    let lanes = kernels.lanes
    var point = spectrum
    for _ in 0..<plan.points {
      for lane in 0..<lanes {
        let (a, b) = (point[lane], point[lanes + lane])
        point[lanes + lane] = b - a
        point[2 * lanes + lane] = a + b
      }
      point += stride
    }
  }

  /// Memory of one thread.
  private struct Thread {
    let windows, transform: UnsafeMutablePointer<S>
    let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>
    let places: UnsafeMutablePointer<Int>

    init(_ base: UnsafeMutablePointer<UInt8>, _ pieces: Pieces) {
      let base = UnsafeMutableRawPointer(base)
      windows = (base + pieces.windows).assumingMemoryBound(to: S.self)
      transform = (base + pieces.transform).assumingMemoryBound(to: S.self)
      pointers = (base + pieces.pointers).assumingMemoryBound(to: UnsafeMutableRawPointer.self)
      places = (base + pieces.places).assumingMemoryBound(to: Int.self)
    }
  }

  private func call(
    _ side: Side, _ thread: Thread, twiddles: UnsafePointer<S>, zero: UnsafePointer<S>
  ) -> equiconv_fourier_call {
    let n = plan.length
    let isSource = side == .source
    return equiconv_fourier_call(
      length: n, twiddles: twiddles, scratch: thread.transform, spectrum: thread.transform, point_stride: 0,
      lanes: UnsafePointer(thread.pointers), row_stride: isSource ? sourceBand.rowStride : gradientBand.rowStride,
      first_row: isSource ? 0 : plan.center.y, row_count: isSource ? n : plan.outputs.y,
      first_column: isSource ? 0 : plan.center.x, column_count: isSource ? n : plan.outputs.x,
      lane_rows: thread.places, lane_columns: thread.places, bias: zero)
  }

  /// A window of a piece for each channel of a vector. Lanes without a channel read that of lane 0.
  private func fill(
    _ piece: TileGrid.Piece, _ side: Side, element: Int, group: Int, _ signal: UnsafePointer<S>, _ thread: Thread
  ) {
    let isSource = side == .source
    let band = isSource ? sourceBand : gradientBand
    let channels = isSource ? inChannels : outChannels
    let elements = isSource ? plan.correlation.sourceElements : plan.correlation.targetElements
    let first = group * kernels.lanes
    for lane in 0..<kernels.lanes {
      let window = thread.windows + lane * band.windowVolume
      let hasChannel = first + lane < channels
      thread.pointers[lane] = UnsafeMutableRawPointer(hasChannel ? window : thread.windows)
      if !hasChannel { continue }
      let plane = ((piece.image * channels + first + lane) * elements + element) * band.source.volume
      band.fill(piece, from: signal + plane, into: window)
    }
  }

  /// sums[bank][q][o][e][vector] += conj(ĝ[o,l·p](ω)) f̂[·,l·e](ω) over tiles and turns, with q = lᵀω, or its conjugate.
  private func multiply(_ tiles: Int, _ outputs: Range<Int>, isFirst: Bool, _ workspace: borrowing Workspace) {
    let (correlation, lanes) = (plan.correlation, kernels.lanes)
    let vectors = correlation.sourceElements * inGroups
    let gradients = correlation.targetElements * outGroups
    let sourceStride = FourierPlan.pointStride(planes: chunk * vectors, lanes: lanes)
    let gradientStride = FourierPlan.pointStride(planes: chunk * gradients, vectors: 3, lanes: lanes)
    let sumStride = FourierPlan.pointStride(planes: outputChunk * vectors, lanes: lanes)
    let source = workspace.pointer(pieces.source, S.self)
    let gradient = workspace.pointer(pieces.gradient, S.self)
    let sums = workspace.pointer(pieces.sums, S.self)
    let reads = UnsafePointer(workspace.pointer(pieces.reads, equiconv_read.self))
    let sourceOffsets = UnsafePointer(workspace.pointer(pieces.sourceOffsets, Int.self))
    let destinationOffsets = UnsafePointer(workspace.pointer(pieces.destinationOffsets, Int.self))
    let split = PanelSplit(outputs: outputs.count, widest: min(kernels.widestComplexPanel, lanes))
    ThreadPool.run(plan.points * correlation.banks.count, threads: threads) { _, item in
      let (bank, point) = (item % correlation.banks.count, plan.order[item / correlation.banks.count])
      let target = sums + (bank * plan.points + point) * sumStride
      for (number, turn) in correlation.banks[bank].turns.enumerated() {
        let read = plan.contributions[bank][number][point]
        // conj(w) x is the product of swapped parts; its conjugate w conj(x) is a product of its own.
        let (part, apart) = read.isConjugate ? (0, lanes) : (lanes, -lanes)
        split.forEach { panel in
          if Call.isEnded { return }
          let output = outputs.lowerBound + panel.first
          let group = turn.target * outGroups + output / lanes
          var call = equiconv_complex_multiply_call(
            source: source + (Int(read.point) * sourceStride + part),
            weights: gradient + (Int(read.point) * gradientStride + group * 3 * lanes + output % lanes),
            destination: target + (panel.first * vectors * 2 * lanes + part), reads: reads, read_count: tiles,
            channel_count: 1, source_channel_stride: 0, source_imaginary: apart, weight_channel_stride: 0,
            weight_plane_stride: lanes, destination_row_stride: vectors * 2 * lanes, destination_imaginary: apart,
            source_offsets: sourceOffsets + turn.target * vectors, destination_offsets: destinationOffsets,
            vector_count: vectors, accumulates: isFirst && number == 0 ? 0 : 1,
            conjugates_source: read.isConjugate ? 1 : 0)
          kernels.complexMultiply(&call, panel.width)
        }
      }
    }
  }

  // MARK: - Back to weights

  /// Transforms the sums back and adds up the taps of each coefficient.
  private func collect(
    _ outputs: Range<Int>, into core: UnsafeMutablePointer<S>, _ workspace: borrowing Workspace
  ) {
    let correlation = plan.correlation
    let sums = workspace.pointer(pieces.sums, S.self)
    let twiddles = UnsafePointer(workspace.pointer(pieces.twiddles, S.self))
    let zero = UnsafePointer(workspace.pointer(pieces.zero, S.self))
    let threadBase = workspace.pointer(pieces.threads, UInt8.self)
    // Elements and banks of one pair of channels may share coefficients: an item takes them all, in order.
    ThreadPool.run(outputs.count * inGroups, threads: threads) { worker, item in
      let thread = Thread(threadBase + worker * pieces.bytes, pieces)
      for bank in correlation.banks.indices {
        for element in 0..<correlation.sourceElements {
          transformBack(
            bank: bank, output: item / inGroups, element: element, group: item % inGroups, sums, thread,
            twiddles: twiddles, zero: zero)
          add(
            bank: bank, output: outputs.lowerBound + item / inGroups, element: element, group: item % inGroups,
            thread.windows, into: core)
        }
      }
    }
  }

  private var denseVolume: Int { plan.correlation.reach.volume + kernels.lanes }

  private func transformBack(
    bank: Int, output: Int, element: Int, group: Int, _ sums: UnsafeMutablePointer<S>, _ thread: Thread,
    twiddles: UnsafePointer<S>, zero: UnsafePointer<S>
  ) {
    let (n, lanes, reach) = (plan.length, kernels.lanes, plan.correlation.reach)
    let vectors = plan.correlation.sourceElements * inGroups
    let stride = FourierPlan.pointStride(planes: outputChunk * vectors, lanes: lanes)
    let vector = output * vectors + element * inGroups + group
    for lane in 0..<lanes {
      thread.pointers[lane] = UnsafeMutableRawPointer(thread.windows + lane * denseVolume)
      thread.places[lane] = reach.y
      thread.places[lanes + lane] = reach.x
    }
    var call = equiconv_fourier_call(
      length: n, twiddles: twiddles, scratch: thread.transform,
      spectrum: sums + (bank * plan.points * stride + vector * 2 * lanes), point_stride: stride,
      lanes: UnsafePointer(thread.pointers), row_stride: reach.x, first_row: (n - plan.center.y) % n,
      row_count: reach.y, first_column: (n - plan.center.x) % n, column_count: reach.x,
      lane_rows: thread.places, lane_columns: thread.places + lanes, bias: zero)
    kernels.fourierInverse(&call)
  }

  private func add(
    bank: Int, output: Int, element: Int, group: Int, _ dense: UnsafePointer<S>, into core: UnsafeMutablePointer<S>
  ) {
    let scale = 1 / S(4 * plan.length * plan.length)
    let first = group * kernels.lanes
    for channel in first..<min(inChannels, first + kernels.lanes) {
      let kernel = dense + (channel - first) * denseVolume
      let target = core + (output * inChannels + channel) * plan.correlation.coefficients
      for tap in plan.taps[bank][element] { target[tap.coefficient] += scale * kernel[tap.place] }
    }
  }
}

extension FourierPlan {
  /// The windows of gradient planes that tiles read: their outputs, without overlap.
  func gradientBand(lanes: Int) -> TileBand {
    TileBand(
      grid: grid, window: outputs, source: correlation.target, origin: Box(z: 0, y: 0, x: 0),
      isCircular: false, lanes: lanes)
  }
}

extension TileBand {
  /// Scalars of the window of the longest piece.
  var windowVolume: Int { window.y * rowStride }
}
