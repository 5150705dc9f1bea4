// SPDX-License-Identifier: Apache-2.0

/// Means of numbers whose bits do not depend on the order of the numbers.
///
/// Numbers are scaled below 1 and cut into two slices, each of so few bits that no addition rounds. The sums of both are
/// exact; only what lies below the second slice of the largest number is lost.
struct ExactMean {
  private let count: Int
  /// What is added to a number and subtracted again, to round it to the bits of a slice.
  private let first: Double
  private let second: Double

  /// - Parameters:
  ///   - count: Of the numbers a mean is of, at least 1.
  ///   - given: How many of them are given at most, and at least 1; the others are zeros.
  init(of count: Int, given: Int) {
    self.count = count
    // The sum of all is below 2^bits.
    let bits = given > 1 ? Int.bitWidth - (given - 1).leadingZeroBitCount + 1 : 1
    first = 1.5 * Self.power(bits)
    second = 1.5 * Self.power(2 * bits - 53)
  }

  private static func power(_ exponent: Int) -> Double { Double(sign: .plus, exponent: exponent, significand: 1) }

  /// The mean of the numbers at `values` and of as many zeros as there are fewer.
  func mean<S: EngineScalar>(_ values: UnsafePointer<S>, _ given: Int) -> Double {
    let (largest, isFinite) = Self.largest(values, given)
    if !isFinite { return Self.infinities(values, given) }
    // Within what powers of two there are: numbers lose nothing by the scaling, and none exceeds 2.
    let exponent = largest == 0 ? 0 : min(max(Int(largest.exponent) + 1, -1000), 1023)
    let scale = Self.power(-exponent)
    var (high, low) = (SIMD4<Double>(), SIMD4<Double>())
    var index = 0
    while index &+ 4 <= given {
      let scaled = Self.four(values + index) * scale
      let upper = (scaled + first) - first
      high += upper
      low += ((scaled - upper) + second) - second
      index &+= 4
    }
    var (highest, lowest) = ((high[0] + high[1]) + (high[2] + high[3]), (low[0] + low[1]) + (low[2] + low[3]))
    while index < given {
      let scaled = Double(values[index]) * scale
      let upper = (scaled + first) - first
      highest += upper
      lowest += ((scaled - upper) + second) - second
      index &+= 1
    }
    return (highest + lowest) / Double(count) * Self.power(exponent)
  }

  @inline(__always)
  private static func four<S: EngineScalar>(_ values: UnsafePointer<S>) -> SIMD4<Double> {
    SIMD4(Double(values[0]), Double(values[1]), Double(values[2]), Double(values[3]))
  }

  private static func largest<S: EngineScalar>(
    _ values: UnsafePointer<S>, _ given: Int
  ) -> (largest: Double, isFinite: Bool) {
    var (most, least, zeros) = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
    var index = 0
    while index &+ 4 <= given {
      let four = four(values + index)
      most.replace(with: four, where: four .> most)
      least.replace(with: four, where: four .< least)
      // 0 · x is NaN for what is not finite.
      zeros += four * 0
      index &+= 4
    }
    var (largest, zero) = (max(most.max(), -least.min()), zeros.sum())
    while index < given {
      let value = Double(values[index])
      largest = max(largest, abs(value))
      zero += value * 0
      index &+= 1
    }
    return (largest, zero == 0)
  }

  /// The sum of what is not finite.
  private static func infinities<S: EngineScalar>(_ values: UnsafePointer<S>, _ given: Int) -> Double {
    var sum = 0.0
    for index in 0..<given where !values[index].isFinite { sum += Double(values[index]) }
    return sum
  }
}
