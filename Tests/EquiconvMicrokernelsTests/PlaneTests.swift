// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvShims
import _EquiconvTestSupport

/// Kernels that move numbers between planes: what they write, and that they touch nothing else.
@Suite struct PlaneTests {
  @Test(arguments: InstructionSet.available, [1, 2, 3, 5])
  func pad_copiesEveryStepthPlaceBetweenZeros_andNothingElse(_ set: InstructionSet, _ step: Int) {
    checkPad(Float.self, set, step)
    checkPad(Double.self, set, step)
  }

  private func checkPad<S: EngineScalar>(_: S.Type, _ set: InstructionSet, _ step: Int) {
    let kernels = S.microkernels(set)
    var depth = 1
    while depth <= kernels.lanes {
      for count in [0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 65] {
        for (before, after) in [(0, 0), (1, 2), (3, 1), (17, 33)] {
          let rows = Rows<S>(count: count, before: before, after: after, step: step, depth: depth)
          #expect(
            firstDifferenceInBits(rows.padded(kernels), rows.expected) == nil,
            "\(S.self) depth \(depth), \(before) + \(count) + \(after)")
        }
      }
      depth *= 2
    }
  }

  @Test(arguments: InstructionSet.available)
  func transpose_exchangesRowsAndColumns_andTouchesNothingElse(_ set: InstructionSet) {
    checkTranspose(Float.self, set)
    checkTranspose(Double.self, set)
  }

  private func checkTranspose<S: EngineScalar>(_: S.Type, _ set: InstructionSet) {
    let kernels = S.microkernels(set)
    var random = SplitMix64(seed: 313)
    for rows in [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 33] {
      for columns in [1, 2, 4, 5, 8, 15, 16, 17, 35] {
        let (sourceStride, targetStride) = (columns + 3, rows + 2)
        // The source ends with its last number, where a guard page may follow.
        let source = FencedArray<S>(random.reals((rows - 1) * sourceStride + columns), atEnd: true)
        var expected = Guarded<S>(columns * targetStride).values
        for row in 0..<rows {
          for column in 0..<columns {
            expected[column * targetStride + row] = source.base[row * sourceStride + column]
          }
        }
        let arena = Arena()
        let target = arena.copy(Guarded<S>(columns * targetStride).values)
        var call = equiconv_transpose_call(
          source: source.base, target: target, row_count: rows, column_count: columns,
          source_row_stride: sourceStride, target_row_stride: targetStride)
        kernels.transpose(&call)
        #expect(
          firstDifferenceInBits(target.array(columns * targetStride), expected) == nil, "\(S.self) \(rows) × \(columns)"
        )
      }
    }
  }
}

/// Rows to pad. The source ends with the last number that is wanted.
private struct Rows<S: EngineScalar> {
  private static var rowCount: Int { 3 }
  let count: Int
  let before: Int
  let after: Int
  let step: Int
  let depth: Int
  private let source: FencedArray<S>

  private var width: Int { (before + count + after) * depth }
  /// One number between rows that nobody writes.
  private var targetStride: Int { width + 1 }
  private var wanted: Int { count == 0 ? 0 : (step * (count - 1) + 1) * depth }
  private var sourceStride: Int { wanted + 5 }

  init(count: Int, before: Int, after: Int, step: Int, depth: Int) {
    (self.count, self.before, self.after, self.step, self.depth) = (count, before, after, step, depth)
    var random = SplitMix64(seed: 312)
    let wanted = count == 0 ? 0 : (step * (count - 1) + 1) * depth
    source = FencedArray(random.reals((Self.rowCount - 1) * (wanted + 5) + wanted), atEnd: true)
  }

  var expected: [S] {
    var values = Guarded<S>(Self.rowCount * targetStride).values
    for row in 0..<Self.rowCount {
      for index in 0..<width {
        let (place, image) = (index / depth - before, index % depth)
        values[row * targetStride + index] =
          place >= 0 && place < count ? source.base[row * sourceStride + place * step * depth + image] : 0
      }
    }
    return values
  }

  func padded(_ kernels: Microkernels) -> [S] {
    let arena = Arena()
    let target = arena.copy(Guarded<S>(Self.rowCount * targetStride).values)
    var call = equiconv_pad_call(
      source: source.base, target: target, row_count: Self.rowCount, source_row_stride: sourceStride,
      target_row_stride: targetStride, step: step, depth: depth, before: before, count: count, after: after)
    kernels.pad(&call)
    return target.array(Self.rowCount * targetStride)
  }
}
