// SPDX-License-Identifier: Apache-2.0

extension FixedArray where Element: Comparable {
  /// The place of the first element of an ascending array that is not below a value; the count if all are.
  ///
  /// - Complexity: O(log n).
  @inlinable public func firstPlace(notBelow value: Element) -> Int {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle] < value { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
