// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvShims
import _EquiconvTestSupport

@Suite struct ReduceTests {
  /// Rows and columns with every remainder of the pixels that are taken at a time, and none at all.
  private static let sizes = [(1, 1), (1, 2), (3, 5), (2, 8), (1, 33), (0, 4), (4, 0)]

  @Test(arguments: InstructionSet.available)
  func reduce_addsTheSumsOfProducts_exactlyOnWholeNumbers(_ set: InstructionSet) {
    for scalars in 1...30 {
      for vectors in 1...7 {
        let (rows, columns) = Self.sizes[(scalars + vectors) % Self.sizes.count]
        check(Float.self, set, scalars: scalars, vectors: vectors, rows: rows, columns: columns)
        check(Double.self, set, scalars: scalars, vectors: vectors, rows: rows, columns: columns)
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func reduce_ofEverySize_exactlyOnWholeNumbers(_ set: InstructionSet) {
    for (rows, columns) in Self.sizes {
      for (scalars, vectors) in [(1, 1), (5, 2), (13, 3), (25, 1)] {
        check(Float.self, set, scalars: scalars, vectors: vectors, rows: rows, columns: columns)
        check(Double.self, set, scalars: scalars, vectors: vectors, rows: rows, columns: columns)
      }
    }
  }

  private func check<S: EngineScalar>(
    _: S.Type, _ set: InstructionSet, scalars: Int, vectors: Int, rows: Int, columns: Int
  ) {
    let problem = ReduceProblem<S>(set, scalars: scalars, vectors: vectors, rows: rows, columns: columns)
    let (sums, isScratchKept) = problem.run()
    let comment = "\(S.self) scalars \(scalars) vectors \(vectors) rows \(rows) columns \(columns)"
    #expect(firstDifferenceInBits(sums, problem.expected()) == nil, "\(comment)")
    #expect(isScratchKept, "\(comment)")
  }
}

/// One call of `reduce` on whole numbers. What lies between the rows is NaN, so that a sum which takes it in is noticed.
private struct ReduceProblem<S: EngineScalar> {
  let kernels: Microkernels
  let rows: Int
  let columns: Int
  let scalars: [S]
  let scalarOffsets: [Int]
  let scalarRowStride: Int
  let vectors: [S]
  let vectorOffsets: [Int]
  let vectorRowStride: Int
  let vectorColumnStride: Int
  let before: [S]
  let sumScalarStride: Int
  let sumVectorStride: Int

  init(_ set: InstructionSet, scalars scalarCount: Int, vectors vectorCount: Int, rows: Int, columns: Int) {
    var random = SplitMix64(seed: UInt64(scalarCount * 100 + vectorCount))
    kernels = S.microkernels(set)
    let lanes = kernels.lanes
    self.rows = rows
    self.columns = columns
    scalarRowStride = columns + 2
    vectorColumnStride = lanes + 1
    vectorRowStride = columns * vectorColumnStride + 3
    let scalarPlane = rows * scalarRowStride + 1
    let vectorPlane = rows * vectorRowStride + 1
    scalarOffsets = (0..<scalarCount).shuffled(using: &random).map { $0 * scalarPlane }
    vectorOffsets = (0..<vectorCount).shuffled(using: &random).map { $0 * vectorPlane }
    var scalars = [S](repeating: .nan, count: scalarCount * scalarPlane)
    var vectors = [S](repeating: .nan, count: vectorCount * vectorPlane)
    for row in 0..<rows {
      for column in 0..<columns {
        for offset in scalarOffsets { scalars[offset + row * scalarRowStride + column] = random.integer() }
        for offset in vectorOffsets {
          for lane in 0..<lanes {
            vectors[offset + row * vectorRowStride + column * vectorColumnStride + lane] = random.integer()
          }
        }
      }
    }
    self.scalars = scalars
    self.vectors = vectors
    sumVectorStride = lanes + 2
    sumScalarStride = vectorCount * sumVectorStride + 5
    // Room behind the sums for a whole tile, so that one that is stored too far is noticed and does no harm.
    var before = Guarded<S>((scalarCount + 32) * sumScalarStride).values
    for m in 0..<scalarCount {
      for n in 0..<vectorCount {
        for lane in 0..<lanes { before[m * sumScalarStride + n * sumVectorStride + lane] = random.integer() }
      }
    }
    self.before = before
  }

  func run() -> (sums: [S], isScratchKept: Bool) {
    let arena = Arena()
    let sums = arena.copy(before)
    let room = 32 * kernels.lanes
    let scratch = arena.copy(Guarded<S>(room + kernels.lanes).values)
    let call = arena.zeroed(equiconv_reduce_call.self)
    call.pointee.vectors = UnsafeRawPointer(arena.copy(vectors))
    call.pointee.vector_offsets = UnsafePointer(arena.copy(vectorOffsets))
    call.pointee.vector_count = vectorOffsets.count
    call.pointee.vector_column_stride = vectorColumnStride
    call.pointee.vector_row_stride = vectorRowStride
    call.pointee.scalars = UnsafeRawPointer(arena.copy(scalars))
    call.pointee.scalar_offsets = UnsafePointer(arena.copy(scalarOffsets))
    call.pointee.scalar_count = scalarOffsets.count
    call.pointee.scalar_row_stride = scalarRowStride
    call.pointee.row_count = rows
    call.pointee.column_count = columns
    call.pointee.sums = UnsafeMutableRawPointer(sums)
    call.pointee.sum_scalar_stride = sumScalarStride
    call.pointee.sum_vector_stride = sumVectorStride
    call.pointee.scratch = UnsafeMutableRawPointer(scratch)
    kernels.reduce(call)
    return withExtendedLifetime(arena) {
      let behind = scratch.array(room + kernels.lanes)[room...]
      return (sums.array(before.count), behind.allSatisfy { $0 == Guarded<S>.untouched })
    }
  }

  /// `sums[m, n] + Σ_y Σ_x scalars[m, y, x] · vectors[n, y, x]`, number by number.
  func expected() -> [S] {
    var sums = before
    for (m, scalar) in scalarOffsets.enumerated() {
      for (n, vector) in vectorOffsets.enumerated() {
        for row in 0..<rows {
          for column in 0..<columns {
            for lane in 0..<kernels.lanes {
              sums[m * sumScalarStride + n * sumVectorStride + lane] +=
                scalars[scalar + row * scalarRowStride + column]
                * vectors[vector + row * vectorRowStride + column * vectorColumnStride + lane]
            }
          }
        }
      }
    }
    return sums
  }
}

extension SplitMix64 {
  fileprivate mutating func integer<S: EngineScalar>() -> S { S(Int.random(in: -4...4, using: &self)) }
}
