// SPDX-License-Identifier: Apache-2.0

extension PointGroup {
  /// The group with these matrices, after checking that they form one.
  ///
  /// Entries within 1e-9 of an integer are taken to be that integer, and if all entries are within 1e-6 of
  /// integers, all are; so the matrices of a lattice group become exact. Everything else is compared to 1e-6.
  ///
  /// - Parameters:
  ///   - dimension: d, which is 1, 2 or 3.
  ///   - matrices: Shape (order, d, d), row-major, acting on (x), (x, y) or (x, y, z); the identity first; order
  ///     in `1...4096`.
  ///   - name: A name, by default "matrices(order)".
  /// - Throws: The first of `invalidDimension`, `wrongMatrixCount`, `invalidOrder`, `notFinite`, `identityNotFirst`,
  ///   `duplicateElement`, `noInverse` and `notClosed` that applies.
  /// - Complexity: O(|H|²).
  public init(dimension: Int, matrices: [Double], name: String? = nil) throws(GroupError) {
    let order = try Self.checkShape(dimension: dimension, count: matrices.count)
    try Self.checkFinite(matrices, dimension: dimension)
    let set = MatrixSet(dimension: dimension, entries: try Self.checkIdentity(snapped(matrices), dimension))
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
      throw .invalidOrder(name: "order", value: order, limit: largestOrder)
    }
    guard rest == 0 else {
      throw .wrongMatrixCount(expected: (order + 1) * dimension * dimension, got: count)
    }
    return order
  }

  private static func checkFinite(_ matrices: [Double], dimension d: Int) throws(GroupError) {
    guard let bad = matrices.firstIndex(where: { !$0.isFinite }) else { return }
    throw .notFinite(element: bad / (d * d), row: bad / d % d, column: bad % d)
  }

  /// The matrices with the first made exactly the identity, which it must be to the tolerance.
  private static func checkIdentity(_ matrices: [Double], _ d: Int) throws(GroupError) -> [Double] {
    let identity = identityMatrix(d)
    guard zip(matrices, identity).allSatisfy({ abs($0 - $1) <= MatrixSet.tolerance }) else {
      throw .identityNotFirst
    }
    return identity + matrices.dropFirst(d * d)
  }
}

/// The entries with those next to an integer replaced by it.
private func snapped(_ entries: [Double]) -> [Double] {
  let isIntegral = entries.allSatisfy { abs($0 - $0.rounded()) <= MatrixSet.tolerance }
  let tolerance = isIntegral ? MatrixSet.tolerance : 1e-9
  // Adding zero turns a negative zero into zero.
  return entries.map { abs($0 - $0.rounded()) <= tolerance ? $0.rounded() + 0 : $0 }
}
