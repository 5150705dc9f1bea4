// SPDX-License-Identifier: Apache-2.0

/// What a `PointGroup` refers to: its tables, worked out once and never changed.
final class PointGroupStorage: Sendable {
  let name: String
  let dimension: Int
  let order: Int
  /// (order, d, d), row-major.
  let matrices: [Double]
  /// (order, order).
  let cayley: [Int32]
  let inverses: [Int32]
  let determinants: [Double]
  /// One for each element of a lattice group; empty for any other group.
  let axisActions: [AxisAction]
  /// A hash of dimension and matrices, kept because groups are keys of plan caches.
  let fingerprint: Int

  /// The tables of a group whose matrices and Cayley table are known to agree.
  init(name: String, dimension: Int, matrices: [Double], cayley: [Int32]) {
    let size = dimension * dimension
    let order = matrices.count / size
    self.name = name
    self.dimension = dimension
    self.order = order
    self.matrices = matrices
    self.cayley = cayley
    inverses = Self.inverses(cayley: cayley, order: order)
    let elements = (0..<order).map { matrices[$0 * size..<($0 + 1) * size] }
    // The determinants of a finite group are roots of unity: ±1, whatever the rounding of its matrices.
    determinants = elements.map { determinant(Array($0)) < 0 ? -1 : 1 }
    let permutations = elements.compactMap { SignedPermutation(matrix: $0, dimension: dimension) }
    axisActions = permutations.count == order ? permutations.map(AxisAction.init(coordinates:)) : []
    var hasher = Hasher()
    hasher.combine(dimension)
    hasher.combine(matrices)
    fingerprint = hasher.finalize()
  }

  /// The inverse of each element by a Cayley table, −1 where there is none.
  static func inverses(cayley: [Int32], order: Int) -> [Int32] {
    (0..<order).map { a in
      let row = cayley[a * order..<(a + 1) * order]
      return row.firstIndex(of: 0).map { Int32($0 - row.startIndex) } ?? -1
    }
  }
}
