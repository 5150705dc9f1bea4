// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvTestSupport

/// A signal that is pooled over its middle axis.
private struct Fibers<S: EngineScalar> {
  var outer: Int
  var order: Int
  var inner: Int
  var values: [S]

  init(outer: Int, order: Int, inner: Int, _ values: [S]) {
    (self.outer, self.order, self.inner, self.values) = (outer, order, inner, values)
  }

  init(outer: Int, order: Int, inner: Int, seed: UInt64) {
    var random = SplitMix64(seed: seed)
    self.init(outer: outer, order: order, inner: inner, random.reals(outer * order * inner))
  }

  func fiber(_ row: Int, _ x: Int) -> [S] { (0..<order).map { values[(row * order + $0) * inner + x] } }

  /// One number for each fiber.
  func folded(_ transform: ([S]) -> S) -> [S] {
    (0..<outer).flatMap { row in (0..<inner).map { x in transform(fiber(row, x)) } }
  }

  func permuted(_ permutation: [Int]) -> Fibers {
    let moved = (0..<values.count).map { index in
      let (row, h, x) = (index / inner / order, index / inner % order, index % inner)
      return values[(row * order + permutation[h]) * inner + x]
    }
    return Fibers(outer: outer, order: order, inner: inner, moved)
  }

  func pooled(_ mode: PoolMode) throws -> [S] {
    var output = [S](repeating: .nan, count: outer * inner)
    try values.withPointer { input in
      try output.withMutablePointer {
        try groupPool(mode, outer: outer, order: order, inner: inner, input: input, output: $0)
      }
    }
    return output
  }

  func gradient(_ mode: PoolMode, _ outputGradient: [S]) throws -> [S] {
    var result = [S](repeating: .nan, count: values.count)
    try values.withPointer { input in
      try outputGradient.withPointer { gradient in
        try result.withMutablePointer {
          try groupPoolGradient(
            mode, outer: outer, order: order, inner: inner, outputGradient: gradient, input: mode == .max ? input : nil,
            inputGradient: $0)
        }
      }
    }
    return result
  }
}

@Suite struct PoolTests {
  private static let orders = [1, 2, 3, 4, 6, 8, 24, 48, 100]

  @Test(arguments: orders)
  func meanAndMaximum_equalTheirDefinitions(_ order: Int) throws {
    for inner in [0, 1, 7, 64, 65, 130] {
      let fibers = Fibers<Double>(outer: 3, order: order, inner: inner, seed: 101)
      #expect(try firstDifference(fibers.pooled(.max), fibers.folded { $0.max()! }) == nil)
      let means = fibers.folded { $0.sorted().reduce(0, +) / Double(order) }
      #expect(try firstDifference(fibers.pooled(.mean), means) == nil)
      let single = Fibers<Float>(outer: 3, order: order, inner: inner, seed: 102)
      #expect(try firstDifference(single.pooled(.max), single.folded { $0.max()! }) == nil)
      // The sum is taken in Double.
      let singleMeans = single.folded { Float($0.map(Double.init).sorted().reduce(0, +) / Double(order)) }
      #expect(try firstDifference(single.pooled(.mean), singleMeans) == nil)
    }
  }

  /// Every permutation of H, not only those of the group, to the last bit.
  @Test(arguments: orders)
  func pools_areInvariantUnderPermutations_toTheLastBit(_ order: Int) throws {
    let fibers = Fibers<Double>(outer: 2, order: order, inner: 70, seed: 103)
    var random = SplitMix64(seed: 104)
    var plainSumsDiffer = false
    for _ in 0..<20 {
      let moved = fibers.permuted((0..<order).shuffled(using: &random))
      for mode in [PoolMode.mean, .max] {
        #expect(try firstDifferenceInBits(moved.pooled(mode), fibers.pooled(mode)) == nil)
      }
      plainSumsDiffer = plainSumsDiffer || moved.folded { $0.reduce(0, +) } != fibers.folded { $0.reduce(0, +) }
    }
    // The data must be able to tell the difference.
    #expect(plainSumsDiffer == (order > 2))
  }

  @Test func notANumber_anywhereInAFiber_givesNotANumber() throws {
    for order in [1, 3, 8] {
      for h in 0..<order {
        var fibers = Fibers<Float>(outer: 1, order: order, inner: 3, seed: 105)
        fibers.values[h * 3 + 1] = .nan
        for mode in [PoolMode.mean, .max] {
          #expect(try fibers.pooled(mode).map(\.isNaN) == [false, true, false], "\(mode) \(order) \(h)")
        }
      }
    }
  }

  /// Signed zeros, infinities, sums that overflow and NaN: values whose order could show.
  @Test(arguments: [
    [0.0, -0.0, -1, -0.0], [.greatestFiniteMagnitude, .greatestFiniteMagnitude, -.infinity, 1], [1, .nan, 2, 0],
  ])
  func poolsAndGradients_ofSpecialValues_areInvariantUnderPermutations(_ values: [Double]) throws {
    let fibers = Fibers(outer: 1, order: 4, inner: 1, values)
    for turn in 1..<4 {
      let permutation = (0..<4).map { ($0 + turn) % 4 }
      let moved = fibers.permuted(permutation)
      for mode in [PoolMode.mean, .max] {
        #expect(try firstDifferenceInBits(moved.pooled(mode), fibers.pooled(mode)) == nil, "\(mode)")
        let gradient = Fibers(outer: 1, order: 4, inner: 1, try fibers.gradient(mode, [12]))
        #expect(try moved.gradient(mode, [12]) == gradient.permuted(permutation).values, "\(mode)")
      }
    }
  }

  /// `⟨mean f, g⟩ = ⟨f, mean* g⟩`, exactly on multiples of the order.
  @Test(arguments: orders)
  func gradientOfTheMean_isAdjoint(_ order: Int) throws {
    var random = SplitMix64(seed: 106)
    let fibers = Fibers<Double>(outer: 2, order: order, inner: 9, random.integers(18 * order, multiple: order))
    let gradient: [Double] = random.integers(18, multiple: order)
    #expect(inner(try fibers.pooled(.mean), gradient) == inner(fibers.values, try fibers.gradient(.mean, gradient)))
  }

  /// Where one value is the largest, it alone moves the maximum.
  @Test func gradientOfTheMaximum_goesToTheLargest() throws {
    let fibers = Fibers<Double>(outer: 2, order: 4, inner: 5, seed: 107)
    var random = SplitMix64(seed: 108)
    let gradient: [Double] = random.reals(10)
    let result = Fibers(outer: 2, order: 4, inner: 5, try fibers.gradient(.max, gradient))
    for row in 0..<2 {
      for x in 0..<5 {
        let values = fibers.fiber(row, x)
        let largest = values.indices.max { values[$0] < values[$1] }!
        #expect(result.fiber(row, x) == values.indices.map { $0 == largest ? gradient[row * 5 + x] : 0 })
      }
    }
  }

  /// Equal values share the gradient equally, so that its sum is kept and no element of H is preferred.
  @Test func gradientOfTheMaximum_isSharedByTies() throws {
    let fibers = Fibers<Float>(outer: 1, order: 4, inner: 3, [1, 5, 2, 3, 5, 2, 3, 0, 2, 1, -1, 2])
    #expect(try fibers.gradient(.max, [8, 6, 12]) == [0, 3, 3, 4, 3, 3, 4, 0, 3, 0, 0, 3])
  }

  /// The 0–1 principle (Knuth, TAOCP 3, 5.3.4, theorem Z): comparators that sort all vectors of zeros and ones sort all.
  ///
  /// Whether k zeros were sorted before the ones is seen from their sum. For k ≥ 2 a zero is −L and a one H with
  /// kL − H ≤ max < kL: the sum overflows to −∞ only if no one comes before the last zero. For k = 1 the zero is −1.5 and
  /// a one 0.3 ulps of it: the sum is −1.5 only if at most a single one came before, and the order of two does not matter.
  @Test(arguments: 2...12)
  func mean_sortsAllVectorsOfZerosAndOnes(_ count: Int) throws {
    var values = [Double](repeating: 0, count: count << count)
    for vector in 0..<1 << count {
      let zeros = count - vector.nonzeroBitCount
      let zero = zeros == 1 ? -1.5 : -Double.greatestFiniteMagnitude / Double(zeros) * (1 + 0x1p-20)
      let one = zeros == 1 ? 0.3 * 1.5.ulp : Double.greatestFiniteMagnitude * 0x1p-10
      for h in 0..<count { values[h << count + vector] = vector >> h & 1 == 1 ? one : zero }
    }
    let means = try Fibers(outer: 1, order: count, inner: 1 << count, values).pooled(.mean)
    let unsorted = means.indices.filter { vector in
      let zeros = count - vector.nonzeroBitCount
      return zeros == 0 ? false : zeros == 1 ? means[vector] != -1.5 / Double(count) : means[vector] != -.infinity
    }
    #expect(unsorted == [])
  }
}
