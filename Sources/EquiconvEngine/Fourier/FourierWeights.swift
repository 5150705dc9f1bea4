// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// Transforms the kernels of a correlation: `W[ω][o][c,e] = Σ_u k[o,c,e](u) exp(iω·u) / (4 n²)` for each bank.
///
/// The scale makes up for what the microkernels' transforms leave out. Order: [bank][point][panel of outputs][c, e][a, b − a, a + b]
/// [output of the panel] for W = a + ib. Bytes: banks · (n² / 2 + 2) · O · C · |X| times three numbers; not |Y| times as many.
struct FourierWeights<S: EngineScalar> {
  /// Where ŵ of a pair of channels begins; coefficients are contiguous.
  struct Source {
    var weights: UnsafePointer<S>
    var outputStride: Int
    var channelStride: Int
  }

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
    [plan.correlation.banks.count, plan.points, outputs, channels, plan.correlation.sourceElements, 3]
  }

  /// - Complexity: O C |X| banks transforms of n × n.
  func transform(_ source: Source) throws(ConvolutionError) -> TransformedWeights<S> {
    let result = try TransformedWeights<S>(Self.counts(plan, channels: channels, outputs: outputs))
    let lanes = kernels.lanes
    let kernelVolume = plan.correlation.reach.volume + lanes
    var perThread = Workspace.Plan()
    let dense = try perThread.reserve(S.self, lanes, kernelVolume)
    let spectrum = try perThread.reserve(S.self, plan.points, 2, lanes)
    let scratch = try perThread.reserve(S.self, plan.scratchVectors, lanes)
    let pointers = try perThread.reserve(UnsafeMutableRawPointer.self, lanes)
    let twiddles = try perThread.reserve(S.self, plan.twiddles.count)
    var memory = Workspace.Plan()
    _ = try memory.reserve(UInt8.self, threads, perThread.bytes)
    let workspace = try Workspace(memory)
    for worker in 0..<threads {
      plan.writeTwiddles(workspace.pointer(worker * perThread.bytes + twiddles, S.self))
    }
    let groups = (outputs + lanes - 1) / lanes
    let elements = plan.correlation.sourceElements
    ThreadPool.run(plan.taps.count * elements * channels * groups, threads: threads) { worker, item in
      let first = worker * perThread.bytes
      let scratch = Scratch(
        dense: workspace.pointer(first + dense, S.self), spectrum: workspace.pointer(first + spectrum, S.self),
        transform: workspace.pointer(first + scratch, S.self),
        pointers: workspace.pointer(first + pointers, UnsafeMutableRawPointer.self),
        twiddles: workspace.pointer(first + twiddles, S.self))
      let kernel = Kernel(
        bank: item / groups / channels / elements, element: item / groups / channels % elements,
        channel: item / groups % channels, firstOutput: item % groups * lanes)
      transform(kernel, source, scratch, into: result.base)
    }
    return result
  }

  private struct Scratch {
    let dense: UnsafeMutablePointer<S>
    let spectrum: UnsafeMutablePointer<S>
    let transform: UnsafeMutablePointer<S>
    let pointers: UnsafeMutablePointer<UnsafeMutableRawPointer>
    let twiddles: UnsafeMutablePointer<S>
  }

  /// Kernels of a vector of outputs, one a lane.
  private struct Kernel {
    let bank: Int
    let element: Int
    let channel: Int
    let firstOutput: Int
  }

  private func transform(_ kernel: Kernel, _ source: Source, _ scratch: Scratch, into result: UnsafeMutablePointer<S>) {
    let (lanes, n, reach) = (kernels.lanes, plan.length, plan.correlation.reach)
    let volume = reach.volume + lanes
    let count = min(lanes, outputs - kernel.firstOutput)
    scratch.dense.update(repeating: 0, count: lanes * volume)
    for lane in 0..<lanes {
      let dense = scratch.dense + lane * volume
      scratch.pointers[lane] = UnsafeMutableRawPointer(dense)
      if lane >= count { continue }
      let weights =
        source.weights + (kernel.firstOutput + lane) * source.outputStride + kernel.channel * source.channelStride
      for tap in plan.taps[kernel.bank][kernel.element] { dense[tap.place] = weights[tap.coefficient] }
    }
    withUnsafeTemporaryAllocation(of: Int.self, capacity: lanes) { unused in
      guard let places = unused.baseAddress else { return }
      var call = equiconv_fourier_call(
        length: n, twiddles: scratch.twiddles, scratch: scratch.transform, spectrum: scratch.spectrum,
        point_stride: 2 * lanes, lanes: UnsafePointer(scratch.pointers), row_stride: reach.x,
        first_row: (n - plan.center.y) % n, row_count: reach.y, first_column: (n - plan.center.x) % n,
        column_count: reach.x, lane_rows: places, lane_columns: places, bias: scratch.dense)
      kernels.fourierForward(&call)
    }
    pack(kernel, scratch.spectrum, into: result)
  }

  /// Conjugates, scales and spreads the spectra of a vector of outputs over their panels.
  private func pack(_ kernel: Kernel, _ spectrum: UnsafePointer<S>, into result: UnsafeMutablePointer<S>) {
    let lanes = kernels.lanes
    let inputs = channels * plan.correlation.sourceElements
    let input = kernel.channel * plan.correlation.sourceElements + kernel.element
    let scale = 1 / S(4 * plan.length * plan.length)
    let range = kernel.firstOutput..<min(outputs, kernel.firstOutput + lanes)
    split.forEach { panel in
      let shared = range.clamped(to: panel.first..<panel.first + panel.width)
      if shared.isEmpty { return }
      for point in 0..<plan.points {
        let target =
          result + ((kernel.bank * plan.points + point) * outputs + panel.first) * inputs * 3
          + input * 3 * panel.width
        let values = spectrum + (point * 2 * lanes - range.lowerBound)
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
