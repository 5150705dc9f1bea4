// SPDX-License-Identifier: Apache-2.0

extension CheckedArray where Element: Comparable {
  /// Sorts the elements in ascending order, and keeps each value once.
  ///
  /// - Complexity: O(n log n).
  @inlinable public mutating func keepOnce() {
    elements.heapsort()
    var kept = 0
    for index in 0..<length where kept == 0 || base[kept - 1] < base[index] {
      base[kept] = base[index]
      kept += 1
    }
    (base + kept).deinitialize(count: length - kept)
    length = kept
  }
}
