// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// `∂ŵ[o,c,j] = Σ_{b,y,x} g[b,o,y,x] · f[b,c,e,x+t]` over the terms (j, e, t) of each output element y.
///
/// For each image the signal is padded and one side is transposed so that lanes run along its channels: the gradient's
/// (lanes along O) or the signal's (lanes along C), whichever leaves fewer lanes idle. Threads split the sums, never the
/// pixels, and each sum adds up blocks of pixels in a fixed order: the thread count does not change a bit.
struct WeightGradientPass<S: EngineScalar>: PlannedPass {
  let plan: GatherPlan
  let geometry: Geometry
  let batch: Int
  let inChannels: Int
  let outChannels: Int
  /// Layers whose channels lie between those of one image and of the next.
  let modules: Int
  let kernels: Microkernels
  let threads: Int
  let orientation: ReduceOrientation
  /// Images padded and transposed at a time: threads wait for each other once a chunk.
  private let chunk: Int
  /// Made before the pass runs, which then only computes.
  let banks: FixedArray<BankSums>
  let layout: Workspace.Layout
  let pieces: Pieces

  struct Pieces {
    let planes: PaddedPlanes<S>
    /// The side that lanes run along: [image][element][position][lane of the width].
    let transposed: Piece<S>
    /// The sums of all banks; see `BankSums`.
    let sums: Piece<S>
    /// ∂ŵ, where it is not the result.
    let core: Piece<S>
    /// Of the last step, in the place of what those before had.
    let sampling: SamplingOperator.Scratch?
    let threads: PerThread<ReducePieces>
  }

  /// The pieces with which one thread sums one list of reads.
  struct ReducePieces {
    let scalarOffsets: Piece<Int>
    let vectorOffsets: Piece<Int>
    /// A register tile.
    let tile: Piece<S>
    /// Sums over one grid of a plan that leaves out reads.
    let sums: Piece<S>
  }

  /// Whether lanes run along the input channels, and how many channels they hold.
  var alongInput: Bool { orientation.alongInput }
  var width: Int { orientation.width }

  init(
    plan: GatherPlan, geometry: Geometry, batch: Int, inChannels: Int, outChannels: Int, modules: Int,
    _ options: PassOptions
  ) throws(ConvolutionError) {
    let (kernels, threads) = (S.microkernels(options.instructions), options.threads)
    self.plan = plan
    self.geometry = geometry
    self.batch = batch
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.modules = modules
    self.kernels = kernels
    self.threads = threads
    let orientation = ReduceOrientation(inChannels: inChannels, outChannels: outChannels, lanes: kernels.lanes)
    self.orientation = orientation
    let imageBytes = MemoryLayout<S>.stride * inChannels * plan.stencil.inputElements * plan.layout.volume
    chunk = threads == 1 ? 1 : max(1, min(batch, BatchShare.chunkBytes / max(imageBytes, 1)))
    let (elements, positions) =
      orientation.alongInput
      ? (plan.stencil.inputElements, plan.layout.volume) : (plan.stencil.outputElements, geometry.output.volume)
    banks = try Self.bankSums(plan.stencil, orientation)
    var layout = Workspace.Layout()
    let sums = try layout.reserve(
      S.self, orientation.rows, Self.allSlots(plan.stencil), orientation.width)
    let core = try layout.reserve(S.self, outChannels, inChannels, plan.stencil.coefficients)
    var lastStep = layout
    let sampling = try plan.stencil.sampling?.reserve(&lastStep, channelPairs: outChannels * inChannels)
    pieces = Pieces(
      planes: try PaddedPlanes(
        &layout, plan.layout, planesPerImage: inChannels * plan.stencil.inputElements, stacks: chunk,
        threads: threads, kernels),
      transposed: try layout.reserve(S.self, chunk, elements, positions, orientation.width),
      sums: sums, core: core, sampling: sampling,
      threads: try Self.reserve(&layout, plan, orientation, threads: threads, lanes: kernels.lanes))
    layout.share(with: lastStep)
    self.layout = layout
  }

  private static func reserve(
    _ layout: inout Workspace.Layout, _ plan: GatherPlan, _ orientation: ReduceOrientation, threads: Int, lanes: Int
  ) throws(ConvolutionError) -> PerThread<ReducePieces> {
    let slots = plan.stencil.mostTerms
    return try layout.reserve(threads: threads) { each throws(ConvolutionError) in
      ReducePieces(
        scalarOffsets: try each.reserve(Int.self, orientation.rows, orientation.alongInput ? 1 : slots),
        vectorOffsets: try each.reserve(Int.self, slots, orientation.width / lanes),
        tile: try each.reserve(S.self, Blocking.reduceTileVectors, lanes),
        sums: try each.reserve(S.self, orientation.rows, plan.reads.isPartial ? plan.reads.most : 0, orientation.width))
    }
  }

  func run(_ arrays: WeightGradientArrays<S>, in workspace: borrowing Workspace) throws(ConvolutionError) {
    let weights = outChannels * inChannels * (plan.stencil.sampling?.columns ?? plan.stencil.coefficients)
    for module in 0..<modules {
      try run(
        gradient: arrays.gradient + module * gradientImage, input: arrays.input + module * inputImage,
        weightGradient: arrays.weightGradient + module * weights, workspace)
    }
  }

  /// The gradient of one module.
  private func run(
    gradient: UnsafePointer<S>, input: UnsafePointer<S>, weightGradient: UnsafeMutablePointer<S>,
    _ workspace: borrowing Workspace
  ) throws(ConvolutionError) {
    workspace[pieces.sums].update(repeating: 0, count: pieces.sums.count)
    for first in stride(from: 0, to: batch, by: chunk) {
      try Call.checkNotEnded()
      let images = min(chunk, batch - first)
      let planes = pieces.planes.pad(
        images, from: input + first * modules * inputImage, imageStride: modules * inputImage, stack: 0,
        BatchShare.Crew(first: 0, count: threads), workspace)
      transpose(images, gradient + first * modules * gradientImage, planes, workspace)
      reduce(images, gradient + first * modules * gradientImage, planes, workspace)
    }
    collect(workspace, into: weightGradient)
  }

  /// Terms of the first point of each bank: they are summed apart before they are added up by coefficient.
  private static func allSlots(_ stencil: Stencil) -> Int {
    stencil.banks.reduce(0) { $0 + stencil.terms[$1.points[0]].count }
  }

  /// The sums of one bank: [row][slot][lane of the width], from `first` on.
  struct BankSums {
    let points: [Int]
    let slots: Int
    let first: Int
    let firstCoefficient: Int
  }

  private static func bankSums(
    _ stencil: Stencil, _ orientation: ReduceOrientation
  ) throws(ConvolutionError) -> FixedArray<BankSums> {
    var first = 0
    var sums = try PlanTable<BankSums>(capacity: stencil.banks.count)
    for bank in stencil.banks {
      let slots = stencil.terms[bank.points[0]].count
      try sums.append(
        BankSums(points: bank.points, slots: slots, first: first, firstCoefficient: bank.coefficients.lowerBound))
      first += orientation.rows * slots * orientation.width
    }
    return sums.frozen()
  }

  private var inputImage: Int { inChannels * plan.stencil.inputElements * plan.layout.signal.volume }
  var gradientImage: Int { outChannels * plan.stencil.outputElements * geometry.output.volume }

  /// (channels, elements, positions) → (elements, positions, width), idle lanes zero.
  private func transpose(
    _ images: Int, _ gradient: UnsafePointer<S>, _ planes: UnsafePointer<S>, _ workspace: borrowing Workspace
  ) {
    let target = workspace[pieces.transposed]
    let source = alongInput ? planes : gradient
    let channels = orientation.channels
    let elements = alongInput ? plan.stencil.inputElements : plan.stencil.outputElements
    let positions = alongInput ? plan.layout.volume : geometry.output.volume
    let blockLength = Blocking.transposedPositions
    let blocks = (positions + blockLength - 1) / blockLength
    let width = self.width
    // Padded planes are this module's alone; gradients of all modules lie between one image and the next.
    let imageStride = alongInput ? channels * elements * positions : modules * gradientImage
    ThreadPool.run(images * elements * blocks, threads: threads) { _, item in
      let (image, element, block) = (item / blocks / elements, item / blocks % elements, item % blocks)
      let first = block * blockLength
      let count = min(blockLength, positions - first)
      let to = target + ((image * elements + element) * positions + first) * width
      var call = equiconv_transpose_call(
        source: source + image * imageStride + element * positions + first, target: to, row_count: channels,
        column_count: count, source_row_stride: elements * positions, target_row_stride: width)
      kernels.transpose(&call)
      if channels == width { return }
      for position in 0..<count {
        for channel in channels..<width { to[position * width + channel] = 0 }
      }
    }
  }

  /// Adds the slots of each coefficient, in order, and takes the gradient of ŵ back to the user's weights.
  private func collect(
    _ workspace: borrowing Workspace, into weightGradient: UnsafeMutablePointer<S>
  ) {
    let sums = workspace[pieces.sums]
    let coefficients = plan.stencil.coefficients
    let core = plan.stencil.sampling == nil ? weightGradient : workspace[pieces.core]
    core.update(repeating: 0, count: pieces.core.count)
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
    if let sampling = plan.stencil.sampling, let scratch = pieces.sampling {
      sampling.applyAdjoint(core, into: weightGradient, channelPairs: outChannels * inChannels, scratch, workspace)
    }
  }
}
