// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// Transforms the kernels of a correlation: `W[ω][o][c,e] = Σ_u k[o,c,e](u) exp(iω·u) / (4 n²)` for each bank.
///
/// The scale makes up for the factors that the microkernels' transforms leave out. Order: [bank][point][panel of
/// outputs][c, e][a, b − a, a + b] [output of the panel] for W = a + ib. Bytes: banks · (n² / 2 + 2) · O · C · |X|
/// times three numbers; not |Y| times as many.
struct FourierWeights<S: EngineScalar> {
  let plan: FourierPlan
  let channels: Int
  let outputs: Int
  let kernels: Microkernels
  let threads: Int
  private let split: PanelSplit

  init(plan: FourierPlan, channels: Int, outputs: Int, kernels: Microkernels, threads: Int) {
    self.plan = plan
    self.channels = channels
    self.outputs = outputs
    self.kernels = kernels
    self.threads = threads
    split = PanelSplit(outputs: outputs, widest: kernels.widestComplexPanel)
  }

  /// Scalars of all banks.
  static func counts(_ plan: FourierPlan, channels: Int, outputs: Int) -> [Int] {
    [
      plan.banks.count, plan.points, outputs, channels, plan.correlation.sourceElements,
      FourierPlan.weightPlanes,
    ]
  }

  /// - Complexity: O C |X| banks transforms of n × n.
  func transform(_ core: CoreWeights<S>) throws(ConvolutionError) -> TransformedWeights<S> {
    let result = try TransformedWeights<S>(Self.counts(plan, channels: channels, outputs: outputs))
    let lanes = kernels.lanes
    var layout = Workspace.Layout()
    let twiddles = try layout.reserve(S.self, plan.twiddles.count)
    let scratch = try layout.reserve(threads: threads) { each throws(ConvolutionError) in
      Scratch(
        dense: try each.reserve(S.self, lanes, kernelVolume),
        spectrum: try each.reserve(S.self, plan.points, FourierPlan.parts, lanes),
        transform: try each.reserve(S.self, plan.scratchVectors, lanes),
        lanes: try each.reserve(UnsafeMutableRawPointer.self, lanes), places: try each.reserve(Int.self, lanes))
    }
    let workspace = try Workspace(layout)
    plan.writeTwiddles(workspace[twiddles])
    let groups = (outputs + lanes - 1) / lanes
    let elements = plan.correlation.sourceElements
    ThreadPool.run(plan.taps.count * elements * channels * groups, threads: threads) { worker, item in
      let kernel = Kernel(
        bank: item / groups / channels / elements, element: item / groups / channels % elements,
        channel: item / groups % channels, firstOutput: item % groups * lanes)
      let memory = workspace[scratch, worker]
      transform(kernel, core, memory, scratch.each, twiddles: workspace[twiddles])
      pack(kernel, memory[scratch.each.spectrum], into: result.base)
    }
    return result
  }

  private var kernelVolume: Int { plan.kernelVolume(lanes: kernels.lanes) }

  /// The pieces with which one thread transforms the kernels of a vector of outputs.
  private struct Scratch {
    /// [lane][row][column].
    let dense: Piece<S>
    let spectrum: Piece<S>
    let transform: Piece<S>
    let lanes: Piece<UnsafeMutableRawPointer>
    /// Not read by forward transforms.
    let places: Piece<Int>
  }

  /// Kernels of a vector of outputs, one a lane.
  private struct Kernel {
    let bank: Int
    let element: Int
    let channel: Int
    let firstOutput: Int
  }

  private func transform(
    _ kernel: Kernel, _ core: CoreWeights<S>, _ memory: Workspace.Share, _ scratch: Scratch,
    twiddles: UnsafePointer<S>
  ) {
    let (dense, pointers) = (memory[scratch.dense], memory[scratch.lanes])
    let count = min(kernels.lanes, outputs - kernel.firstOutput)
    dense.update(repeating: 0, count: scratch.dense.count)
    for lane in 0..<kernels.lanes {
      let target = dense + lane * kernelVolume
      pointers[lane] = UnsafeMutableRawPointer(target)
      if lane >= count { continue }
      let weights =
        core.numbers + (kernel.firstOutput + lane) * core.outputStride + kernel.channel * core.channelStride
      for tap in plan.taps[kernel.bank][kernel.element] { target[tap.place] = weights[tap.coefficient] }
    }
    let places = memory[scratch.places]
    var call = plan.call(
      plan.kernelInTile, lanes: pointers, rowStride: plan.correlation.reach.x, spectrum: memory[scratch.spectrum],
      pointStride: FourierPlan.parts * kernels.lanes, twiddles: twiddles, scratch: memory[scratch.transform],
      laneRows: places, laneColumns: places, bias: dense)
    kernels.fourierForward(&call)
  }

  /// Conjugates, scales and spreads the spectra of a vector of outputs over their panels.
  private func pack(_ kernel: Kernel, _ spectrum: UnsafePointer<S>, into result: UnsafeMutablePointer<S>) {
    let lanes = kernels.lanes
    let inputs = channels * plan.correlation.sourceElements
    let input = kernel.channel * plan.correlation.sourceElements + kernel.element
    let scale = plan.scale(S.self)
    let range = kernel.firstOutput..<min(outputs, kernel.firstOutput + lanes)
    split.forEach { panel in
      let shared = range.clamped(to: panel.first..<panel.first + panel.width)
      if shared.isEmpty { return }
      for point in 0..<plan.points {
        let target =
          result + ((kernel.bank * plan.points + point) * outputs + panel.first) * inputs * FourierPlan.weightPlanes
          + input * FourierPlan.weightPlanes * panel.width
        let values = spectrum + (point * FourierPlan.parts * lanes - range.lowerBound)
        for output in shared {
          let (a, b) = (values[output] * scale, -values[lanes + output] * scale)
          let place = target + (output - panel.first)
          place[0] = a
          place[panel.width] = b - a
          place[2 * panel.width] = a + b
        }
      }
    }
  }
}
