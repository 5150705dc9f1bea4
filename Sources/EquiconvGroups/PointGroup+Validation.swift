// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

extension PointGroup {
  /// The group with these matrices, after checking that they form one.
  ///
  /// Entries within 1e-9 of an integer are rounded to it, and if all entries are within 1e-6 of integers, all are
  /// rounded; so the matrices of a lattice group become exact. Everything else is compared to 1e-6.
  ///
  /// - Parameters:
  ///   - dimension: d, which is 1, 2 or 3.
  ///   - matrices: Shape (order, d, d), row-major, acting on (x), (x, y) or (x, y, z); the identity first; order
  ///     in `1...4096`.
  ///   - name: A name, by default "matrices(order)".
  /// - Throws: The first of `invalidDimension`, `wrongMatrixCount`, `invalidOrder`, `notFinite`, `identityNotFirst`,
  ///   `duplicateElement`, `noInverse` and `notClosed` that applies, or `outOfMemory`.
  /// - Complexity: O(|H|²).
  public init(dimension: Int, matrices: [Double], name: String? = nil) throws(GroupError) {
    try self.init(dimension: dimension, copying: matrices, name: name)
  }

  /// The same, of any collection of entries.
  package init(
    dimension: Int, copying matrices: some RandomAccessCollection<Double>, name: String? = nil
  ) throws(GroupError) {
    let order = try Self.checkShape(dimension: dimension, count: matrices.count)
    let entries = try GroupTable<Double>(matrices)
    try Self.checkFinite(entries.elements, dimension: dimension)
    snap(entries.elements)
    try Self.makeIdentity(entries.elements, dimension)
    let set = MatrixSet(dimension: dimension, entries: entries.frozen())
    if let (first, second) = set.duplicate() { throw .duplicateElement(first, second) }
    for element in 0..<order where set.element(nearest: inverseMatrix(set.matrix(element))) == nil {
      throw .noInverse(element: element)
    }
    self.init(
      PointGroupStorage(
        name: name ?? "matrices(\(order))", dimension: dimension, matrices: set.entries,
        cayley: try set.cayleyTable()))
  }

  /// The order of a group with `count` matrix entries. Nothing here or before it depends on the order in cost.
  private static func checkShape(dimension: Int, count: Int) throws(GroupError) -> Int {
    guard 1...3 ~= dimension else { throw .invalidDimension(dimension) }
    let (order, rest) = count.quotientAndRemainder(dividingBy: dimension * dimension)
    guard order <= largestOrder, count > 0 else {
      throw .invalidOrder(.order, value: order, limit: largestOrder)
    }
    guard rest == 0 else {
      throw .wrongMatrixCount(expected: (order + 1) * dimension * dimension, got: count)
    }
    return order
  }

  private static func checkFinite(_ matrices: UnsafeMutableBufferPointer<Double>, dimension d: Int) throws(GroupError) {
    guard let bad = matrices.firstIndex(where: { !$0.isFinite }) else { return }
    throw .notFinite(element: bad / (d * d), row: bad / d % d, column: bad % d)
  }

  /// Makes the first matrix exactly the identity, which it must be to the tolerance.
  private static func makeIdentity(_ matrices: UnsafeMutableBufferPointer<Double>, _ d: Int) throws(GroupError) {
    let identity = identityMatrix(d)
    guard zip(matrices, identity).allSatisfy({ abs($0 - $1) <= MatrixSet.tolerance }) else {
      throw .identityNotFirst
    }
    for (entry, value) in identity.enumerated() { matrices[entry] = value }
  }
}

/// Entries this near to an integer are that integer, whatever the others are: rounding of exact matrices.
private let roundingTolerance = 1e-9

/// Replaces entries next to an integer by it.
private func snap(_ entries: UnsafeMutableBufferPointer<Double>) {
  let isIntegral = entries.allSatisfy { abs($0 - $0.rounded()) <= MatrixSet.tolerance }
  let tolerance = isIntegral ? MatrixSet.tolerance : roundingTolerance
  for (index, entry) in entries.enumerated() where abs(entry - entry.rounded()) <= tolerance {
    // Adding zero turns a negative zero into zero.
    entries[index] = entry.rounded() + 0
  }
}
