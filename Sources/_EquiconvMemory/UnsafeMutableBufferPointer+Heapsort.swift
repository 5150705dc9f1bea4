// SPDX-License-Identifier: Apache-2.0

extension UnsafeMutableBufferPointer where Element: Comparable {
  /// Sorts in place without memory of its own. Not stable: equal elements must be interchangeable.
  ///
  /// - Complexity: O(n log n).
  @inlinable public func heapsort() {
    for root in stride(from: count / 2 - 1, through: 0, by: -1) { sift(root, count) }
    for end in stride(from: count - 1, to: 0, by: -1) {
      swapAt(0, end)
      sift(0, end)
    }
  }

  /// Lets an element sink until none of its children is larger.
  @inlinable func sift(_ start: Int, _ end: Int) {
    var root = start
    while 2 * root + 1 < end {
      var child = 2 * root + 1
      if child + 1 < end, self[child] < self[child + 1] { child += 1 }
      if !(self[root] < self[child]) { return }
      swapAt(root, child)
      root = child
    }
  }
}
