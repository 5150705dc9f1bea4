// SPDX-License-Identifier: Apache-2.0

/// Numbers in −1...1 without pattern, always the same for the same seed: entries of a matrix in general position.
///
/// Source: G. L. Steele, D. Lea, C. H. Flood, Fast splittable pseudorandom number generators, OOPSLA 2014 (SplitMix64).
struct GenericNumbers {
  private var state: UInt64

  init(seed: Int) { state = UInt64(seed) }

  mutating func next() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    var bits = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
    bits ^= bits >> 31
    return Double(Int64(bitPattern: bits)) * 0x1p-63
  }
}
