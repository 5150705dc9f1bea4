// SPDX-License-Identifier: Apache-2.0

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

  private var points: Int { tile + 2 }
  private var sourcePlanes: Int { channels * correlation.sourceElements }
  private var targetPlanes: Int { outputs * correlation.targetElements }
  /// The factors of the number of scalars.
  private var counts: [Int] {
    [points, points, channels, correlation.sourceElements, outputs, correlation.targetElements]
  }
  /// Bytes of the transformed weights, or nil if there are too many to count.
  var bytes: Int? {
    var product = MemoryLayout<S>.stride
    for factor in counts {
      let (next, overflow) = product.multipliedReportingOverflow(by: factor)
      if overflow { return nil }
      product = next
    }
    return product
  }

  /// Transforms ŵ, found at `core[o · outputStride + c · channelStride + coefficient]`.
  ///
  /// - Complexity: 84 (P = 2) or 162 (P = 4) multiply-adds a pair of planes and 9 reads of ŵ.
  func transform(
    _ core: UnsafePointer<S>, outputStride: Int, channelStride: Int, threads: Int
  ) throws(ConvolutionError) -> TransformedWeights<S> {
    let result = try TransformedWeights<S>(counts)
    let weights = result.base
    var panels: [PanelSplit.Panel] = []
    PanelSplit(outputs: targetPlanes, widest: widestPanel).forEach { panels.append($0) }
    let taps = correlation.sourceElements * 9
    var memory = Workspace.Plan()
    let offset = try memory.reserve(SIMD8<Double>.self, threads, taps)
    let workspace = try Workspace(memory)
    let scratch = workspace.pointer(offset, SIMD8<Double>.self)
    let matrix = Self.matrix(tile: tile)
    ThreadPool.run(panels.count, threads: threads) { worker, item in
      let (panel, kernels) = (panels[item], scratch + worker * taps)
      for channel in 0..<channels {
        gather(core + channel * channelStride, outputStride: outputStride, panel, kernels)
        for element in 0..<correlation.sourceElements {
          let plane = channel * correlation.sourceElements + element
          let target = weights + panel.first * sourcePlanes + plane * panel.width
          transform(kernels + element * 9, matrix, target, width: panel.width)
        }
      }
    }
    return result
  }

  /// The kernels of a panel's outputs, one a lane: [element][3][3].
  private func gather(
    _ core: UnsafePointer<S>, outputStride: Int, _ panel: PanelSplit.Panel,
    _ kernels: UnsafeMutablePointer<SIMD8<Double>>
  ) {
    kernels.update(repeating: .zero, count: correlation.sourceElements * 9)
    for lane in 0..<panel.width {
      let (output, element) = (panel.first + lane).quotientAndRemainder(dividingBy: correlation.targetElements)
      let weights = core + output * outputStride
      correlation.terms[element].withUnsafeBufferPointer { terms in
        for term in terms {
          let tap = term.element * 9 + term.position.y * 3 + term.position.x
          kernels[tap][lane] += Double(weights[term.coefficient])
        }
      }
    }
  }

  /// G g Gᵀ of the lanes of one kernel.
  private func transform(
    _ kernel: UnsafePointer<SIMD8<Double>>, _ matrix: [SIMD3<Double>], _ target: UnsafeMutablePointer<S>, width: Int
  ) {
    let pointStride = targetPlanes * sourcePlanes
    var target = target
    for row in matrix {
      let (a, b, c) = (
        Self.combine(row, kernel[0], kernel[3], kernel[6]), Self.combine(row, kernel[1], kernel[4], kernel[7]),
        Self.combine(row, kernel[2], kernel[5], kernel[8])
      )
      for column in matrix {
        let values = Self.combine(column, a, b, c)
        for lane in 0..<width { target[lane] = S(values[lane]) }
        target += pointStride
      }
    }
  }

  @inline(__always)
  private static func combine(
    _ row: SIMD3<Double>, _ a: SIMD8<Double>, _ b: SIMD8<Double>, _ c: SIMD8<Double>
  ) -> SIMD8<Double> {
    a * row[0] + b * row[1] + c * row[2]
  }

  /// G: the row of a finite point x is (1, x, x²) / Π (x − y) over the other points y, that of ∞ is (0, 0, 1).
  private static func matrix(tile: Int) -> [SIMD3<Double>] {
    let points: [Double] = tile == 4 ? [0, 5.0 / 8, -5.0 / 8, 1.5, -1.5] : [0, 1, -1]
    return points.map { x in
      let product = points.filter { $0 != x }.reduce(1) { $0 * (x - $1) }
      return SIMD3(1, x, x * x) / product
    } + [SIMD3(0, 0, 1)]
  }
}
