// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// The weight gradient by Fourier tiles: `∂k[o,c,e](u) = Σ_l Σ_x g[o,l·p,x] f[c,l·e, x + l·u]` for each bank.
///
/// The spectrum of that correlation is `Σ_l Σ_tiles conj(ĝ[o,l·p](lω)) f̂[c,l·e](lω)`: products over tiles, point by point,
/// with lanes along the channels c. Tiles are processed in chunks. In each chunk, threads first transform the tiles and
/// then share the points, each point with sums of its own. So the number of threads changes no bit.
struct FourierGradientPass<S: EngineScalar>: PlannedPass {
  let plan: FourierPlan
  /// From the user's weights to ŵ, unless they are the same.
  let sampling: SamplingOperator?
  let batch: Int
  let inChannels: Int
  let outChannels: Int
  let kernels: Microkernels
  let threads: Int
  /// Tiles transformed at a time.
  private let chunk: Int
  /// Outputs whose sums are kept at a time.
  private let outputChunk: Int
  private let source: FourierSide<S>
  private let gradient: FourierSide<S>
  private let pieces: Pieces
  let layout: Workspace.Layout

  private struct Pieces {
    /// [bank][point][output of the chunk][element][vector of channels][re, im][lane].
    let sums: Piece<S>
    /// ∂ŵ, where it is not the result.
    let core: Piece<S>
    /// Of the last step, in the place of what those before had.
    let sampling: SamplingOperator.Scratch?
    let twiddles: Piece<S>
    let zero: Piece<S>
    /// Where the planes of each tile of a chunk begin, on both sides.
    let reads: Piece<equiconv_read>
    /// For each target element where the vectors of turned sources lie, and where their sums do.
    let sourceOffsets: Piece<Int>
    let destinationOffsets: Piece<Int>
    let threads: PerThread<FourierSide<S>.Pieces>
  }

  init(
    plan: FourierPlan, sampling: SamplingOperator?, batch: Int, inChannels: Int, outChannels: Int,
    _ options: PassOptions
  ) throws(ConvolutionError) {
    let kernels = S.microkernels(options.instructions)
    let (correlation, lanes) = (plan.correlation, kernels.lanes)
    self.plan = plan
    self.sampling = sampling
    self.batch = batch
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.kernels = kernels
    threads = options.threads
    let sources = (inChannels + lanes - 1) / lanes * correlation.sourceElements
    let targets = (outChannels + lanes - 1) / lanes * correlation.targetElements
    let vectorBytes = lanes * MemoryLayout<S>.stride
    let tileBytes =
      plan.points * vectorBytes * (FourierPlan.parts * sources + FourierPlan.weightPlanes * targets)
    chunk = Self.chunk(tiles: plan.tileCount(batch: batch), tileBytes: tileBytes, limit: options.workspaceLimit / 2)
    let sumBytes = correlation.banks.count * plan.points * sources * FourierPlan.parts * vectorBytes
    outputChunk = min(
      outChannels,
      max(
        kernels.widestComplexPanel,
        options.workspaceLimit / 2 / max(sumBytes, 1) / Self.outputUnit * Self.outputUnit))
    var layout = Workspace.Layout()
    let core = try layout.reserve(S.self, outChannels, inChannels, correlation.coefficients)
    var lastStep = layout
    let scratch = try sampling?.reserve(&lastStep, channelPairs: outChannels * inChannels)
    source = try FourierSide(
      source: plan, channels: inChannels, tiles: chunk, lanes: lanes, &layout)
    gradient = try FourierSide(gradient: plan, channels: outChannels, tiles: chunk, lanes: lanes, &layout)
    let sumStride = FourierPlan.pointStride(planes: outputChunk * sources, lanes: lanes)
    let window = max(
      source.band.windowVolume, gradient.band.windowVolume, plan.kernelVolume(lanes: lanes))
    pieces = Pieces(
      sums: try layout.reserve(S.self, correlation.banks.count, plan.points, sumStride),
      core: core, sampling: scratch,
      twiddles: try layout.reserve(S.self, plan.twiddles.count), zero: try layout.reserve(S.self, 1),
      reads: try layout.reserve(equiconv_read.self, chunk),
      sourceOffsets: try layout.reserve(Int.self, correlation.targetElements, sources),
      destinationOffsets: try layout.reserve(Int.self, sources),
      threads: try layout.reserve(threads: threads) { each throws(ConvolutionError) in
        try FourierSide<S>.Pieces(plan, window: window, lanes: lanes, &each)
      })
    layout.share(with: lastStep)
    self.layout = layout
  }

  /// Outputs are kept in multiples of this, which is whole panels for all instruction sets.
  private static var outputUnit: Int { 8 }

  /// Tiles of a chunk: as many as the limit allows, in chunks of about one size.
  private static func chunk(tiles: Int, tileBytes: Int, limit: Int) -> Int {
    let most = max(1, min(FourierPlan.tilesPerChunk, limit / max(tileBytes, 1)))
    let chunks = (tiles + most - 1) / most
    return (tiles + chunks - 1) / chunks
  }

  // MARK: - Running

  func run(_ arrays: WeightGradientArrays<S>, in workspace: borrowing Workspace) throws(ConvolutionError) {
    prepare(workspace)
    let core = sampling == nil ? arrays.weightGradient : workspace[pieces.core]
    core.update(repeating: 0, count: pieces.core.count)
    let tiles = plan.tileCount(batch: batch)
    for output in stride(from: 0, to: outChannels, by: outputChunk) {
      let outputs = output..<min(outChannels, output + outputChunk)
      for first in stride(from: 0, to: tiles, by: chunk) {
        try Call.checkNotEnded()
        let range = first..<min(tiles, first + chunk)
        transform(range, of: source, arrays.input, workspace)
        transform(range, of: gradient, arrays.gradient, workspace)
        multiply(range.count, outputs, isFirst: first == 0, workspace)
      }
      collect(outputs, into: core, workspace)
    }
    if let sampling, let scratch = pieces.sampling {
      sampling.applyAdjoint(
        core, into: arrays.weightGradient, channelPairs: outChannels * inChannels, scratch, workspace)
    }
  }

  private func prepare(_ workspace: borrowing Workspace) {
    plan.writeTwiddles(workspace[pieces.twiddles])
    workspace[pieces.zero].pointee = 0
    let reads = workspace[pieces.reads]
    for tile in 0..<chunk {
      reads[tile] = equiconv_read(
        source: tile * source.planes * source.vector, weight: tile * gradient.planes * gradient.vector)
    }
    let (offsets, groups) = (workspace[pieces.sourceOffsets], source.groups)
    for turn in plan.correlation.banks.lazy.flatMap({ $0.turns }) {
      for index in 0..<source.planes {
        offsets[turn.target * source.planes + index] =
          (turn.sources[index / groups] * groups + index % groups) * source.vector
      }
    }
    let destinations = workspace[pieces.destinationOffsets]
    for index in 0..<source.planes { destinations[index] = index * source.vector }
  }

  /// Spectra of a chunk of tiles: [point][tile][element][vector of channels][re, im][lane].
  private func transform(
    _ range: Range<Int>, of side: FourierSide<S>, _ signal: UnsafePointer<S>, _ workspace: borrowing Workspace
  ) {
    // Pieces of at most a band's length, and where their tiles begin in the chunk.
    var windows: [(first: Int, piece: TileGrid.Piece)] = []
    for first in stride(from: range.lowerBound, to: range.upperBound, by: side.band.lanes) {
      plan.grid.forEachPiece(first..<min(first + side.band.lanes, range.upperBound)) { piece in
        windows.append((first + piece.first - range.lowerBound, piece))
      }
    }
    let spectra = workspace[side.spectra]
    let (twiddles, zero) = (workspace[pieces.twiddles], workspace[pieces.zero])
    ThreadPool.run(windows.count * side.planes, threads: threads) { worker, item in
      let (first, piece) = windows[item / side.planes]
      let (element, group) = (item % side.planes / side.groups, item % side.groups)
      let own = pieces.threads.each
      let memory = workspace[pieces.threads, worker]
      let lanes = memory[own.lanes]
      side.fill(piece, element: element, group: group, from: signal, into: memory[own.windows], lanes)
      var call = plan.call(
        side.content, lanes: lanes, rowStride: side.band.rowStride, spectrum: spectra, pointStride: side.pointStride,
        twiddles: twiddles, scratch: memory[own.transform], laneRows: memory[own.places],
        laneColumns: memory[own.places], bias: zero)
      for tile in 0..<piece.count {
        let spectrum = spectra + (((first + tile) * side.planes + element * side.groups + group) * side.vector)
        call.spectrum = UnsafeMutableRawPointer(spectrum)
        kernels.fourierForward(&call)
        side.finish(spectrum, points: plan.points)
        for lane in 0..<kernels.lanes { lanes[lane] += side.band.step.x * MemoryLayout<S>.stride }
      }
    }
  }

  /// sums[bank][q][o][e][vector] += conj(ĝ[o,l·p](ω)) f̂[·,l·e](ω) over tiles and turns, with q = lᵀω, or its conjugate.
  private func multiply(_ tiles: Int, _ outputs: Range<Int>, isFirst: Bool, _ workspace: borrowing Workspace) {
    let (correlation, lanes) = (plan.correlation, kernels.lanes)
    let row = source.planes * source.vector
    let (sources, gradients, sums) = (workspace[source.spectra], workspace[gradient.spectra], workspace[pieces.sums])
    let reads = workspace[pieces.reads]
    let (sourceOffsets, destinationOffsets) = (workspace[pieces.sourceOffsets], workspace[pieces.destinationOffsets])
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
          let group = turn.target * gradient.groups + output / lanes
          var call = equiconv_complex_multiply_call(
            source: sources + (Int(read.point) * source.pointStride + part),
            weights: gradients
              + (Int(read.point) * gradient.pointStride + group * gradient.vector + output % lanes),
            destination: target + (panel.first * row + part), reads: reads, read_count: tiles, channel_count: 1,
            source_channel_stride: 0, source_imaginary: apart, weight_channel_stride: 0, weight_plane_stride: lanes,
            destination_row_stride: row, destination_imaginary: apart,
            source_offsets: sourceOffsets + turn.target * source.planes, destination_offsets: destinationOffsets,
            vector_count: source.planes, accumulates: isFirst && number == 0 ? 0 : 1,
            conjugates_source: read.isConjugate ? 1 : 0)
          kernels.complexMultiply(&call, panel.width)
        }
      }
    }
  }

  private var sumStride: Int { FourierPlan.pointStride(planes: outputChunk * source.planes, lanes: kernels.lanes) }

  // MARK: - Back to weights

  /// The kernels of one output, a vector of channels and a source element, by a bank.
  private struct Kernel {
    let bank: Int
    /// In its chunk.
    let output: Int
    let element: Int
    let group: Int
  }

  /// Transforms the sums back and adds up the taps of each coefficient.
  private func collect(
    _ outputs: Range<Int>, into core: UnsafeMutablePointer<S>, _ workspace: borrowing Workspace
  ) {
    let correlation = plan.correlation
    // Elements and banks of one pair of channels may share coefficients: one item computes them all, in order.
    ThreadPool.run(outputs.count * source.groups, threads: threads) { worker, item in
      let memory = workspace[pieces.threads, worker]
      for bank in correlation.banks.indices {
        for element in 0..<correlation.sourceElements {
          let kernel = Kernel(
            bank: bank, output: item / source.groups, element: element, group: item % source.groups)
          transformBack(
            kernel, workspace[pieces.sums], memory, twiddles: workspace[pieces.twiddles], zero: workspace[pieces.zero])
          add(kernel, memory[pieces.threads.each.windows], into: core + outputs.lowerBound * outputWeights)
        }
      }
    }
  }

  private var kernelVolume: Int { plan.kernelVolume(lanes: kernels.lanes) }
  private var outputWeights: Int { inChannels * plan.correlation.coefficients }

  private func transformBack(
    _ kernel: Kernel, _ sums: UnsafeMutablePointer<S>, _ memory: Workspace.Share, twiddles: UnsafePointer<S>,
    zero: UnsafePointer<S>
  ) {
    let (own, lanes, reach) = (pieces.threads.each, kernels.lanes, plan.correlation.reach)
    let (pointers, places) = (memory[own.lanes], memory[own.places])
    for lane in 0..<lanes {
      pointers[lane] = UnsafeMutableRawPointer(memory[own.windows] + lane * kernelVolume)
      places[lane] = reach.y
      places[lanes + lane] = reach.x
    }
    let plane = kernel.output * source.planes + kernel.element * source.groups + kernel.group
    var call = plan.call(
      plan.kernelInTile, lanes: pointers, rowStride: reach.x,
      spectrum: sums + (kernel.bank * plan.points * sumStride + plane * source.vector), pointStride: sumStride,
      twiddles: twiddles, scratch: memory[own.transform], laneRows: places, laneColumns: places + lanes, bias: zero)
    kernels.fourierInverse(&call)
  }

  private func add(_ kernel: Kernel, _ dense: UnsafePointer<S>, into core: UnsafeMutablePointer<S>) {
    let scale = plan.scale(S.self)
    let first = kernel.group * kernels.lanes
    for channel in first..<min(inChannels, first + kernels.lanes) {
      let taps = dense + (channel - first) * kernelVolume
      let target = core + kernel.output * outputWeights + channel * plan.correlation.coefficients
      for tap in plan.taps[kernel.bank][kernel.element] { target[tap.coefficient] += scale * taps[tap.place] }
    }
  }
}
