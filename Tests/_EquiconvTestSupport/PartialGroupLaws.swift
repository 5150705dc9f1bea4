// SPDX-License-Identifier: Apache-2.0

/// The names of the laws of a truncated set of elements that these tables break.
///
/// Products that are present are those of the matrices, none is missing, and arithmetic is that of the group as far as
/// its results are in the set.
public func checkPartialGroupLaws(_ g: GroupTables) -> [String] {
  let elements = 0..<g.order
  let size = g.dimension * g.dimension
  guard g.order >= 1, g.cayley.count == g.order * g.order, g.inverses.count == g.order,
    g.determinants.count == g.order, g.matrices.count == g.order * size
  else { return ["shape"] }
  guard (g.cayley + g.inverses).allSatisfy((-1..<g.order).contains) else { return ["range"] }

  let laws: [(name: String, holds: Bool)] = [
    ("identity", elements.allSatisfy { g.product(0, $0) == $0 && g.product($0, 0) == $0 }),
    ("inverse", elements.allSatisfy { hasRightInverse(g, $0) }),
    ("partial associativity", isPartiallyAssociative(g)),
    ("cancellation", hasCancellation(g)),
    ("products of matrices", elements.allSatisfy { a in elements.allSatisfy { hasRightProduct(g, a, $0) } }),
    (
      "determinant of the matrix",
      elements.allSatisfy { isClose([leibniz(g.matrix($0), g.dimension)], [g.determinants[$0]]) }
    ),
  ]
  return laws.filter { !$0.holds }.map(\.name)
}

/// The inverse is that of the table: both products are the identity, or there is none.
private func hasRightInverse(_ g: GroupTables, _ a: Int) -> Bool {
  let inverse = g.inverses[a]
  if inverse >= 0 { return g.product(a, inverse) == 0 && g.product(inverse, a) == 0 }
  return (0..<g.order).allSatisfy { g.product(a, $0) != 0 && g.product($0, a) != 0 }
}

/// Where a·b and b·c are present, (a·b)·c and a·(b·c) are both present and equal, or both absent.
private func isPartiallyAssociative(_ g: GroupTables) -> Bool {
  for a in 0..<g.order {
    for b in 0..<g.order where g.product(a, b) >= 0 {
      for c in 0..<g.order where g.product(b, c) >= 0 {
        if g.product(g.product(a, b), c) != g.product(a, g.product(b, c)) { return false }
      }
    }
  }
  return true
}

/// a·b = a·c and b·a = c·a imply b = c.
private func hasCancellation(_ g: GroupTables) -> Bool {
  (0..<g.order).allSatisfy { a in
    let row = (0..<g.order).map { g.product(a, $0) }.filter { $0 >= 0 }
    let column = (0..<g.order).map { g.product($0, a) }.filter { $0 >= 0 }
    return Set(row).count == row.count && Set(column).count == column.count
  }
}

/// The product is the one element with the product of the matrices, or −1 if none has it.
private func hasRightProduct(_ g: GroupTables, _ a: Int, _ b: Int) -> Bool {
  let product = multiply(g.matrix(a), g.matrix(b), g.dimension)
  let matches = (0..<g.order).filter { isClose(g.matrix($0), product) }
  return matches == (g.product(a, b) < 0 ? [] : [g.product(a, b)])
}

/// Equal to 1e-12 of the largest entry; cataloged factors are exact but for rounding.
private func isClose(_ a: [Double], _ b: [Double]) -> Bool {
  let scale = max(a.map(abs).max() ?? 0, b.map(abs).max() ?? 0)
  return zip(a, b).allSatisfy { abs($0 - $1) <= 1e-12 * scale }
}
