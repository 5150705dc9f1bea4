// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvShims
import _EquiconvTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Spectra of tiles against the sum that defines them, and back.
@Suite struct FourierTileTests {
  static let lengths = [8, 12, 16, 20, 24, 32]

  @Test(arguments: InstructionSet.available, lengths)
  func forward_isTwiceTheDiscreteFourierTransform(_ set: InstructionSet, _ length: Int) {
    check(Float.self, set, length)
    check(Double.self, set, length)
  }

  @Test(arguments: InstructionSet.available, lengths)
  func inverse_bringsBackTheContent_andWritesNothingElse(_ set: InstructionSet, _ length: Int) {
    for content in TileContent.all(length) {
      checkRoundTrip(Float.self, set, content)
      checkRoundTrip(Double.self, set, content)
    }
  }

  private func check<S: EngineScalar>(_: S.Type, _ set: InstructionSet, _ length: Int) {
    for content in TileContent.all(length) {
      var problem = FourierProblem<S>(set, content)
      problem.forward()
      // A few frequencies of each kind: of inner columns, and of the two real ones.
      let n = length
      var points = [(1, 0, 0), (1, n - 1, n - 1), (n / 2 - 1, 1, (n / 2 - 2) * n + 1)]
      for ky in [0, 1, n / 2] {
        points.append((0, ky, (n / 2 - 1) * n + ky))
        points.append((n / 2, ky, (n / 2 - 1) * n + n / 2 + 1 + ky))
      }
      let bound = 8 * Double(S.ulpOfOne) * Double(n * n)
      for (kx, ky, point) in points {
        for lane in [0, problem.lanes - 1] {
          let expected = problem.transform(lane: lane, kx, ky)
          let found = problem.value(point, lane: lane)
          #expect(
            abs(found.re - 2 * expected.re) <= bound && abs(found.im - 2 * expected.im) <= bound,
            "\(S.self) \(content) \(kx) \(ky)")
        }
      }
    }
  }

  private func checkRoundTrip<S: EngineScalar>(_: S.Type, _ set: InstructionSet, _ content: TileContent) {
    var problem = FourierProblem<S>(set, content)
    problem.forward()
    let result = problem.inverse()
    let scale = Double(2 * content.length * content.length)
    for lane in 0..<problem.lanes {
      for row in 0..<problem.outputRows {
        for column in 0..<problem.outputStride {
          let found = Double(result[lane * problem.outputPlane + row * problem.outputStride + column])
          let isInside = row < problem.laneRows[lane] && column < problem.laneColumns[lane]
          let expected = isInside ? Double(problem.content(lane: lane, row, column)) + 0.5 / scale * 4 : .infinity
          let value = isInside ? found / scale : found
          #expect(
            isInside ? abs(value - expected) <= 16 * Double(S.ulpOfOne) : value == .infinity,
            "\(S.self) \(content) lane \(lane) \(row) \(column)")
        }
      }
    }
  }
}

/// Where in a tile there is something.
struct TileContent: CustomStringConvertible {
  var length: Int
  var firstRow: Int
  var rows: Int
  var firstColumn: Int
  var columns: Int

  var description: String { "\(length): \(rows) rows from \(firstRow), \(columns) columns from \(firstColumn)" }

  static func all(_ n: Int) -> [TileContent] {
    [
      TileContent(length: n, firstRow: 0, rows: n, firstColumn: 0, columns: n),
      TileContent(length: n, firstRow: 2, rows: n - 4, firstColumn: 1, columns: n - 3),
      TileContent(length: n, firstRow: n - 1, rows: 3, firstColumn: n - 2, columns: 5),
      TileContent(length: n, firstRow: 3, rows: 1, firstColumn: 0, columns: 1),
    ]
  }
}

private struct FourierProblem<S: EngineScalar> {
  let kernels: Microkernels
  let content: TileContent
  let lanes: Int
  let source: [S]
  let sourceStride: Int
  let sourcePlane: Int
  var spectrum: [S]
  let pointStride: Int
  let twiddles: [S]
  let laneRows: [Int]
  let laneColumns: [Int]
  let outputRows: Int
  let outputStride: Int
  var outputPlane: Int { outputRows * outputStride }

  init(_ set: InstructionSet, _ content: TileContent) {
    var random = SplitMix64(seed: UInt64(content.length * 100 + content.rows))
    let kernels = S.microkernels(set)
    let (n, lanes) = (content.length, kernels.lanes)
    self.kernels = kernels
    self.content = content
    self.lanes = lanes
    sourceStride = n + lanes
    sourcePlane = n * (n + lanes)
    source = (0..<lanes * n * (n + lanes)).map { _ in S(Double.random(in: -1...1, using: &random)) }
    pointStride = 2 * lanes + 3
    spectrum = [S](repeating: .nan, count: (n * n / 2 + 2) * (2 * lanes + 3))
    twiddles = (1...3).flatMap { b in
      (0..<n / 4).flatMap { p -> [S] in
        let angle = -2 * Double.pi * Double(b * p) / Double(n)
        return [S(cos(angle)), S(sin(angle))]
      }
    }
    // Lanes that have no room, some, and all.
    laneRows = (0..<lanes).map { max(0, content.rows - $0 % 3) }
    laneColumns = (0..<lanes).map { max(0, content.columns - $0 % 5) }
    outputRows = n + 1
    outputStride = n + 3
  }

  /// The number at a place of the content.
  func content(lane: Int, _ row: Int, _ column: Int) -> S { source[lane * sourcePlane + row * sourceStride + column] }

  mutating func forward() {
    let (kernels, lanes, sourcePlane) = (kernels, lanes, sourcePlane)
    var input = source
    input.withUnsafeMutableBufferPointer { input in
      let lanePointers = (0..<lanes).map { UnsafeMutableRawPointer(input.baseAddress! + $0 * sourcePlane) }
      run(lanePointers, stride: sourceStride, bias: 0) { kernels.fourierForward($0) }
    }
  }

  /// Infinity wherever nothing is written; the bias is 2.
  mutating func inverse() -> [S] {
    let (kernels, lanes, outputPlane) = (kernels, lanes, outputPlane)
    var output = [S](repeating: .infinity, count: lanes * outputPlane)
    output.withUnsafeMutableBufferPointer { output in
      let lanePointers = (0..<lanes).map { UnsafeMutableRawPointer(output.baseAddress! + $0 * outputPlane) }
      run(lanePointers, stride: outputStride, bias: 2) { kernels.fourierInverse($0) }
    }
    return output
  }

  private mutating func run(
    _ pointers: [UnsafeMutableRawPointer], stride: Int, bias: S, _ body: (UnsafePointer<equiconv_fourier_call>) -> Void
  ) {
    let (n, lanes, pointStride, content) = (content.length, lanes, pointStride, content)
    let (twiddles, laneRows, laneColumns) = (twiddles, laneRows, laneColumns)
    var scratch = [S](repeating: .nan, count: (n * n + 6 * n) * lanes)
    let biases = [bias]
    scratch.withUnsafeMutableBufferPointer { scratch in
      spectrum.withUnsafeMutableBufferPointer { spectrum in
        twiddles.withPointer { twiddles in
          pointers.withPointer { pointers in
            laneRows.withPointer { laneRows in
              laneColumns.withPointer { laneColumns in
                biases.withPointer { bias in
                  var call = equiconv_fourier_call(
                    length: n, twiddles: twiddles, scratch: scratch.baseAddress!, spectrum: spectrum.baseAddress!,
                    point_stride: pointStride, lanes: pointers, row_stride: stride, first_row: content.firstRow,
                    row_count: content.rows, first_column: content.firstColumn, column_count: content.columns,
                    lane_rows: laneRows, lane_columns: laneColumns, bias: bias)
                  body(&call)
                }
              }
            }
          }
        }
      }
    }
  }

  func value(_ point: Int, lane: Int) -> (re: Double, im: Double) {
    (Double(spectrum[point * pointStride + lane]), Double(spectrum[point * pointStride + lanes + lane]))
  }

  /// The definition.
  func transform(lane: Int, _ kx: Int, _ ky: Int) -> (re: Double, im: Double) {
    var (re, im) = (0.0, 0.0)
    let n = content.length
    for row in 0..<content.rows {
      for column in 0..<content.columns {
        let (y, x) = ((content.firstRow + row) % n, (content.firstColumn + column) % n)
        let angle = -2 * Double.pi * Double((kx * x + ky * y) % n) / Double(n)
        re += Double(self.content(lane: lane, row, column)) * cos(angle)
        im += Double(self.content(lane: lane, row, column)) * sin(angle)
      }
    }
    return (re, im)
  }
}
