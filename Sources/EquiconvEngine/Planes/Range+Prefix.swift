// SPDX-License-Identifier: Apache-2.0

extension Range<Int> {
  /// The last index for which a condition holds that holds for the first ones; the first if it holds for none.
  ///
  /// - Complexity: O(log count).
  @inline(__always)
  func lastOfPrefix(where holds: (Int) -> Bool) -> Int {
    var (low, high) = (lowerBound, upperBound)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if holds(middle) { low = middle } else { high = middle }
    }
    return low
  }
}
