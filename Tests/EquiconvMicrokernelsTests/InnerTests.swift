// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvShims
import _EquiconvTestSupport

@Suite struct InnerTests {
  /// Rows of either side that fill tiles whole, and those that leave every rest.
  private static let counts = [
    (1, 1), (2, 3), (3, 4), (4, 6), (5, 7), (8, 12), (9, 17), (1, 9), (7, 1), (4, 5), (3, 10), (6, 11),
    (4, 14), (0, 3), (3, 0),
  ]

  @Test(arguments: InstructionSet.available)
  func inner_isOneChainForEachLaneThenATreeOfHalves_toTheLastBit(_ set: InstructionSet) {
    for (left, right) in Self.counts {
      for vectors in [0, 1, 2, 7, 40] {
        check(Float.self, set, left: left, right: right, vectors: vectors)
        check(Double.self, set, left: left, right: right, vectors: vectors)
      }
    }
  }

  private func check<S: EngineScalar>(_: S.Type, _ set: InstructionSet, left: Int, right: Int, vectors: Int) {
    let problem = InnerProblem<S>(set, left: left, right: right, vectors: vectors)
    #expect(
      firstDifferenceInBits(problem.run(), problem.expected()) == nil,
      "\(S.self) left \(left) right \(right) vectors \(vectors)")
  }
}

/// One call of `inner`. What lies between the rows is NaN, so that a sum which takes it in is noticed.
private struct InnerProblem<S: EngineScalar> {
  let set: InstructionSet
  let kernels: Microkernels
  let vectors: Int
  let left: [S]
  let leftCount: Int
  let leftStride: Int
  let right: [S]
  let rightCount: Int
  let rightStride: Int
  let before: [S]
  let sumStride: Int

  init(_ set: InstructionSet, left leftCount: Int, right rightCount: Int, vectors: Int) {
    var random = SplitMix64(seed: UInt64(leftCount * 10_000 + rightCount * 100 + vectors))
    self.set = set
    kernels = S.microkernels(set)
    self.vectors = vectors
    self.leftCount = leftCount
    self.rightCount = rightCount
    let length = vectors * kernels.lanes
    leftStride = length + 3
    rightStride = length + 5
    func rows(_ count: Int, _ stride: Int) -> [S] {
      (0..<count).flatMap { _ in random.reals(length) + [S](repeating: .nan, count: stride - length) }
    }
    left = rows(leftCount, leftStride)
    right = rows(rightCount, rightStride)
    sumStride = rightCount + 2
    // Room behind the sums for a whole tile, so that one that is stored too far is noticed and does no harm.
    var before = Guarded<S>((leftCount + 8) * (sumStride + 8)).values
    for m in 0..<leftCount {
      before.replaceSubrange(m * sumStride..<m * sumStride + rightCount, with: random.reals(rightCount) as [S])
    }
    self.before = before
  }

  func run() -> [S] {
    let arena = Arena()
    let sums = arena.copy(before)
    let call = arena.zeroed(equiconv_inner_call.self)
    call.pointee.left = UnsafeRawPointer(arena.copy(left))
    call.pointee.left_count = leftCount
    call.pointee.left_stride = leftStride
    call.pointee.right = UnsafeRawPointer(arena.copy(right))
    call.pointee.right_count = rightCount
    call.pointee.right_stride = rightStride
    call.pointee.vector_count = vectors
    call.pointee.sums = UnsafeMutableRawPointer(sums)
    call.pointee.sum_stride = sumStride
    kernels.inner(call)
    return withExtendedLifetime(arena) { sums.array(before.count) }
  }

  /// `sums[m, n] + Σ_i left[m, i] · right[n, i]`, number by number in the order that is promised.
  func expected() -> [S] {
    var sums = before
    for m in 0..<leftCount {
      for n in 0..<rightCount {
        var lanes = [S](repeating: 0, count: kernels.lanes)
        for i in 0..<vectors * kernels.lanes {
          let (a, b) = (left[m * leftStride + i], right[n * rightStride + i])
          lanes[i % kernels.lanes] = set.multiplyAdd(a, b, lanes[i % kernels.lanes])
        }
        var half = kernels.lanes / 2
        while half > 0 {
          for lane in 0..<half { lanes[lane] += lanes[lane + half] }
          half /= 2
        }
        sums[m * sumStride + n] += lanes[0]
      }
    }
    return sums
  }
}
