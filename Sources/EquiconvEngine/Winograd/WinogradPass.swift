// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// Runs a correlation with 3 × 3 taps by Winograd's minimal filtering, F(4×4, 3×3) or F(2×2, 3×3).
///
/// `y = Aᵀ [Σ_{c,e} (G g Gᵀ) ⊙ (Bᵀ d B)] A` for each tile of P × P outputs: (P+2)² multiplications a tile and pair of planes
/// instead of 9 P² (Lavin & Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016). At each of the
/// (P+2)² points the sum is a product of matrices, outputs × planes by planes × tiles, which `multiply` computes.
///
/// Each thread works on whole blocks of tiles: it transforms, multiplies and transforms back on its own. Each number is
/// one chain of operations that depends on neither the blocking nor the threads.
struct WinogradPass<S: EngineScalar>: PlannedPass {
  /// Planes ahead whose lines are asked for: memory answers in less than a block's part of two planes takes.
  private static var lead: Int { 2 }

  private let tiling: WinogradTiling
  private let blocking: WinogradBlocking
  private let kernels: Microkernels
  private let threads: Int
  private let elements: Int
  let layout: Workspace.Layout
  /// Zeros, which every row outside a plane reads and sums start from.
  private let zeros: Piece<S>
  private let scratch: PerThread<WinogradPieces<S>>

  /// Whether the algorithm covers a correlation: taps within 3 × 3.
  static func covers(_ correlation: PlaneCorrelation) -> Bool {
    max(correlation.reach.y, correlation.reach.x) <= WinogradTiling.extent
  }

  /// - Parameters:
  ///   - tile: P, 4 or 2.
  ///   - options: below what a vector of tiles needs, the limit of workspace is exceeded.
  /// - Throws: `outOfMemory` for sizes that overflow.
  init(
    _ correlation: PlaneCorrelation, batch: Int, channels: Int, outputs: Int, tile: Int, _ options: PassOptions
  ) throws(ConvolutionError) {
    precondition(Self.covers(correlation) && (tile == 4 || tile == 2))
    kernels = S.microkernels(options.instructions)
    threads = options.threads
    elements = correlation.targetElements
    tiling = WinogradTiling(
      correlation, tile: tile, lanes: kernels.lanes, batch: batch, channels: channels, outputs: outputs)
    blocking = WinogradBlocking(
      tiling, sourcePlanes: channels * correlation.sourceElements, targetPlanes: outputs * correlation.targetElements,
      widestPanel: kernels.widestPanel, scalarBytes: MemoryLayout<S>.stride, threads: threads,
      workspaceLimit: options.workspaceLimit)
    tiling.grid.checkInvariants(tiling.target)
    var layout = Workspace.Layout()
    zeros = try layout.reserve(S.self, max(tiling.source.x, kernels.widestPanel, kernels.lanes))
    scratch = try layout.reserve(threads: threads) { [tiling, blocking] each throws(ConvolutionError) in
      try WinogradPieces(&each, tiling, blocking)
    }
    self.layout = layout
  }

  /// The pieces of one thread.
  private var own: WinogradPieces<S> { scratch.each }

  func run(_ arrays: SignalPassArrays<S>, in workspace: borrowing Workspace) throws(ConvolutionError) {
    let zeros = workspace[self.zeros]
    zeros.update(repeating: 0, count: self.zeros.count)
    ThreadPool.run(blocking.blocks, threads: threads) { worker, item in
      compute(blocking.vectors(of: item), arrays, zeros, workspace[scratch, worker])
    }
  }

  /// One block: all outputs of the given vectors of tiles.
  private func compute(
    _ vectors: Range<Int>, _ arrays: SignalPassArrays<S>, _ zeros: UnsafePointer<S>, _ memory: Workspace.Share
  ) {
    let lanes = kernels.lanes
    let block = vectors.lowerBound * lanes..<min(tiling.tiles, vectors.upperBound * lanes)
    let inputs = tiling.writeInputs(block, runs: memory[own.runs], vectors: memory[own.inputVectors])
    tiling.checkInputs(inputs, memory, own, tiles: vectors.count * lanes)
    let copies = tiling.writeOutputs(block, stores: memory[own.stores], copies: memory[own.copies])
    tiling.checkOutputs(copies: copies, vectors: vectors.count, memory, own)
    let stored = tiling.writeRectangles(block, memory[own.stored])
    memory[own.inputStrips].update(repeating: 0, count: own.inputStrips.count)
    for vector in 0..<vectors.count { memory[own.packed][vector] = vector * lanes }
    let (planes, outputs) = (blocking.sourcePlanes, blocking.targetPlanes)
    for firstOutput in stride(from: 0, to: outputs, by: blocking.outputBlock) {
      let outputRange = firstOutput..<min(outputs, firstOutput + blocking.outputBlock)
      for firstPlane in stride(from: 0, to: planes, by: blocking.planeChunk) {
        let planeRange = firstPlane..<min(planes, firstPlane + blocking.planeChunk)
        // Points of all planes at once serve all outputs.
        if firstOutput == 0 || blocking.planeChunk < planes {
          transformInputs(planeRange, arrays.source, zeros, inputs, vectors.count, memory)
        }
        multiply(outputRange, planeRange, arrays.weights, zeros, vectors.count, memory)
      }
      transformOutputs(outputRange, arrays, zeros, vectors.count, copies: copies, stored: stored, memory)
    }
  }

  private func transformInputs(
    _ planes: Range<Int>, _ source: UnsafePointer<S>, _ zeros: UnsafePointer<S>, _ counts: (runs: Int, vectors: Int),
    _ vectors: Int, _ memory: Workspace.Share
  ) {
    var call = equiconv_winograd_input_call(
      plane: source, later_plane: Self.lead * tiling.source.volume, zeros: zeros, runs: memory[own.runs],
      run_count: counts.runs, strips: memory[own.inputStrips],
      strip_stride: own.inputStrip, vectors: memory[own.inputVectors], vector_count: counts.vectors,
      points: memory[own.inputs], point_stride: own.inputPoint, scratch: memory[own.vectors])
    // In ascending order: a vector that is not full runs into the next plane, which then overwrites it.
    for plane in planes {
      if Call.isEnded { return }
      call.plane = UnsafeRawPointer(source + plane * tiling.source.volume)
      call.points = UnsafeMutableRawPointer(memory[own.inputs] + (plane - planes.lowerBound) * vectors * kernels.lanes)
      kernels.winogradInput(&call, tiling.tile)
    }
  }

  /// At each point outputs × planes by planes × tiles.
  private func multiply(
    _ outputs: Range<Int>, _ planes: Range<Int>, _ weights: UnsafePointer<S>, _ zeros: UnsafePointer<S>,
    _ vectors: Int, _ memory: Workspace.Share
  ) {
    let row = vectors * kernels.lanes
    var read = equiconv_read(source: 0, weight: 0)
    withUnsafePointer(to: &read) { reads in
      for point in 0..<tiling.points * tiling.points {
        if Call.isEnded { return }
        let source = memory[own.inputs] + point * own.inputPoint
        let matrix = weights + point * blocking.targetPlanes * blocking.sourcePlanes
        PanelSplit(outputs: outputs.count, widest: kernels.widestPanel).forEach { panel in
          let first = outputs.lowerBound + panel.first
          var call = equiconv_multiply_call(
            source: source, weights: matrix + first * blocking.sourcePlanes + planes.lowerBound * panel.width,
            bias: zeros, destination: memory[own.products] + point * own.productPoint + panel.first * row,
            reads: reads, read_count: 1, channel_count: planes.count, source_channel_stride: row,
            weight_channel_stride: panel.width, destination_row_stride: row, source_offsets: memory[own.packed],
            destination_offsets: memory[own.packed], vector_count: vectors, accumulates: planes.lowerBound == 0 ? 0 : 1)
          kernels.multiply(&call, panel.width)
        }
      }
    }
  }

  private func transformOutputs(
    _ outputs: Range<Int>, _ arrays: SignalPassArrays<S>, _ zeros: UnsafePointer<S>, _ vectors: Int, copies: Int,
    stored: Int, _ memory: Workspace.Share
  ) {
    let epilogue = Epilogue<S>(arrays.pointwise, kernels)
    var call = equiconv_winograd_output_call(
      points: memory[own.products], point_stride: own.productPoint, bias: zeros, stores: memory[own.stores],
      vector_count: vectors, strips: memory[own.outputStrips], strip_stride: own.outputStrip,
      copies: memory[own.copies], copy_count: copies, plane: arrays.destination,
      later_plane: Self.lead * tiling.target.volume, row_stride: tiling.target.x)
    for output in outputs {
      call.points = UnsafeRawPointer(memory[own.products] + (output - outputs.lowerBound) * vectors * kernels.lanes)
      if let bias = arrays.bias { call.bias = UnsafeRawPointer(bias + output / elements) }
      let plane = arrays.destination + output * tiling.target.volume
      call.plane = UnsafeMutableRawPointer(plane)
      kernels.winogradOutput(&call, tiling.tile)
      if epilogue.isEmpty { continue }
      for index in 0..<stored { epilogue.run(plane, memory[own.stored][index]) }
    }
  }
}
