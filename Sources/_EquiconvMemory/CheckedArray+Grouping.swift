// SPDX-License-Identifier: Apache-2.0

extension CheckedArray {
  /// Values sorted into groups by counting. Values of one group stay in order, and all groups share one block of
  /// memory.
  ///
  /// - Parameters:
  ///   - groups: How many groups there are.
  ///   - visit: Passes on each value with the number of its group. It is called twice, and must do the same both times.
  /// - Complexity: O(values + groups).
  @inlinable public static func grouped(
    _ groups: Int, _ visit: (_ give: (_ group: Int, _ value: Element) -> Void) -> Void
  ) throws(Failure) -> FixedArray<FixedArray<Element>> {
    let starts = try CheckedArray<Int, Failure>(repeating: 0, count: groups + 1)
    visit { group, _ in starts[group + 1] += 1 }
    for group in 0..<groups { starts[group + 1] += starts[group] }
    let total = starts[groups]
    var values = try CheckedArray(capacity: total)
    let base = values.base
    visit { group, value in
      precondition(starts[group] < total, "more values than were counted")
      (base + starts[group]).initialize(to: value)
      starts[group] += 1
    }
    values.length = total
    let all = values.frozen()
    // Each start has become an end.
    return try CheckedArray<FixedArray<Element>, Failure>(count: groups) { group throws(Failure) in
      all.part((group == 0 ? 0 : starts[group - 1])..<starts[group])
    }.frozen()
  }
}
