// SPDX-License-Identifier: Apache-2.0

extension SamplingOperator {
  #if EQUICONV_INTERNAL_CHECKS
    /// Rows partition the entries, each of which is a weight of the user's.
    func checkInvariants() {
      checkInvariant(
        starts.count == rows + 1 && starts[0] == 0 && starts[rows] == entries.count, "rows hold all entries")
      checkInvariant((0..<rows).allSatisfy { starts[$0] <= starts[$0 + 1] }, "rows follow one another")
      checkInvariant(entries.allSatisfy { $0.weight >= 0 && $0.weight < columns }, "entries are weights")
      checkInvariant(divisors.allSatisfy { $0 > 0 }, "rows are means of something")
    }
  #else
    @inline(__always)
    func checkInvariants() {}
  #endif
}
