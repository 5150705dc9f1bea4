// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// The kernels of a correlation at the points of Winograd tiles: U = G g Gᵀ for each pair of planes, in panels.
///
/// Order: [point][panel of outputs (o,p)][plane (c,e)][width of the panel], as `multiply` streams them. Computed in
/// Double and rounded once; they depend on the instruction set by the width of its panels.
struct WinogradWeights<S: EngineScalar> {
  let correlation: PlaneCorrelation
  let channels: Int
  let outputs: Int
  /// P of tiles of P × P outputs, 4 or 2.
  let tile: Int
  private let widestPanel: Int

  init(_ correlation: PlaneCorrelation, channels: Int, outputs: Int, tile: Int, instructions: InstructionSet) {
    self.correlation = correlation
    self.channels = channels
    self.outputs = outputs
    self.tile = tile
    widestPanel = S.microkernels(instructions).widestPanel
  }

  private static var extent: Int { WinogradTiling.extent }
  private static var taps: Int { extent * extent }
  private var points: Int { tile + Self.extent - 1 }
  private var sourcePlanes: Int { channels * correlation.sourceElements }
  private var targetPlanes: Int { outputs * correlation.targetElements }
  /// The factors of the number of scalars.
  private var counts: [Int] {
    [points, points, channels, correlation.sourceElements, outputs, correlation.targetElements]
  }

  /// Transforms ŵ.
  ///
  /// - Complexity: 49 (P = 2) or 117 (P = 4) operations a pair of planes and 9 reads of ŵ.
  func transform(
    _ core: CoreWeights<S>, threads: Int
  ) throws(ConvolutionError) -> TransformedWeights<S> {
    let result = try TransformedWeights<S>(counts)
    let weights = result.base
    let split = PanelSplit(outputs: targetPlanes, widest: widestPanel)
    var layout = Workspace.Layout()
    let scratch = try layout.reserve(threads: threads) { each throws(ConvolutionError) in
      try each.reserve(SIMD8<Double>.self, correlation.sourceElements, Self.taps)
    }
    let workspace = try Workspace(layout)
    let kernelPoints = KernelPoints(tile: tile)
    ThreadPool.run(split.count, threads: threads) { worker, item in
      let (panel, kernels) = (split[item], workspace[scratch, worker][scratch.each])
      for channel in 0..<channels {
        if Call.isEnded { return }
        gather(core, channel, panel, kernels)
        for element in 0..<correlation.sourceElements {
          let plane = channel * correlation.sourceElements + element
          let target = weights + panel.first * sourcePlanes + plane * panel.width
          transform(kernels + element * Self.taps, kernelPoints, target, width: panel.width)
        }
      }
    }
    return result
  }

  /// The kernels of a panel's outputs, one a lane: [element][3][3].
  private func gather(
    _ core: CoreWeights<S>, _ channel: Int, _ panel: PanelSplit.Panel, _ kernels: UnsafeMutablePointer<SIMD8<Double>>
  ) {
    kernels.update(repeating: .zero, count: correlation.sourceElements * Self.taps)
    for lane in 0..<panel.width {
      let (output, element) = (panel.first + lane).quotientAndRemainder(dividingBy: correlation.targetElements)
      let weights = core.numbers + output * core.outputStride + channel * core.channelStride
      for term in correlation.terms[element].elements {
        let tap = term.element * Self.taps + term.position.y * Self.extent + term.position.x
        kernels[tap][lane] += Double(weights[term.coefficient])
      }
    }
  }

  /// G g Gᵀ of the lanes of one kernel.
  @inline(__always)
  private func transform(
    _ kernel: UnsafePointer<SIMD8<Double>>, _ points: KernelPoints, _ target: UnsafeMutablePointer<S>, width: Int
  ) {
    let pointStride = targetPlanes * sourcePlanes
    var columns = InlineArray<3, InlineArray<6, SIMD8<Double>>>(repeating: InlineArray(repeating: .zero))
    for column in 0..<Self.extent {
      let (g0, g1, g2) = (kernel[column], kernel[column + Self.extent], kernel[column + 2 * Self.extent])
      points.apply(g0, g1, g2) { columns[column][$0] = $1 }
    }
    for row in 0..<self.points {
      points.apply(columns[0][row], columns[1][row], columns[2][row]) { column, values in
        let place = target + (row * self.points + column) * pointStride
        if width == SIMD8<S>.scalarCount {
          UnsafeMutableRawPointer(place).storeBytes(of: SIMD8<S>(values), as: SIMD8<S>.self)
        } else {
          for lane in 0..<width { place[lane] = S(values[lane]) }
        }
      }
    }
  }
}

/// G of F(P, 3): the row of a finite point x is (1, x, x²) / Π (x − y) over the other points y, that of ∞ is (0, 0, 1).
private struct KernelPoints {
  /// Points of either sign, and the reciprocal of Π (x − y), which both share.
  private let pairs: [(point: Double, scale: Double)]
  /// The reciprocal of Π y.
  private let zero: Double

  init(tile: Int) {
    let positive: [Double] = tile == 4 ? [5.0 / 8, 1.5] : [1]
    zero = 1 / positive.reduce(1) { -$0 * $1 * $1 }
    pairs = positive.map { x in
      (x, positive.filter { $0 != x }.reduce(1 / (2 * x * x)) { $0 / (x * x - $1 * $1) })
    }
  }

  /// Gives `body` each point's number and G g there.
  @inline(__always)
  func apply(
    _ g0: SIMD8<Double>, _ g1: SIMD8<Double>, _ g2: SIMD8<Double>, _ body: (Int, SIMD8<Double>) -> Void
  ) {
    body(0, g0 * zero)
    var number = 1
    for (point, scale) in pairs {
      let (even, odd) = ((g0 + g2 * (point * point)) * scale, g1 * (point * scale))
      body(number, even + odd)
      body(number + 1, even - odd)
      number += 2
    }
    body(number, g2)
  }
}
