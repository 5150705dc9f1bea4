// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

extension SplitMix64 {
  /// Whole numbers, multiples of `multiple` by at most `bound` either way.
  ///
  /// Where all partial sums stay below 2²⁴, arithmetic on them is exact in every order, with fused multiply-adds or
  /// without.
  @inlinable
  public mutating func integers<S: EngineScalar>(_ count: Int, bound: Int = 4, multiple: Int = 1) -> [S] {
    (0..<count).map { _ in S(Int.random(in: -bound...bound, using: &self) * multiple) }
  }

  /// Numbers of either sign and of several magnitudes, so that sums of them round.
  @inlinable
  public mutating func reals<S: EngineScalar>(_ count: Int) -> [S] {
    (0..<count).map { _ in
      let magnitude = [0.01, 0.1, 1][Int.random(in: 0..<3, using: &self)]
      return S(Double.random(in: -1...1, using: &self) * magnitude)
    }
  }
}
