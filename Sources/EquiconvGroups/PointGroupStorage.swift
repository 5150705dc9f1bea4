// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// The tables of a `PointGroup`, worked out once and never changed.
final class PointGroupStorage: Sendable {
  let name: String
  /// The function that made it; nil for a group made of its matrices.
  let recipe: PointGroup.Recipe?
  let dimension: Int
  let order: Int
  /// (order, d, d), row-major.
  let matrices: FixedArray<Double>
  /// (order, order).
  let cayley: FixedArray<Int32>
  let inverses: [Int32]
  let determinants: [Double]
  /// Weights of a sum over the elements that stands for the mean over the group; their sum is 1.
  let quadratureWeights: [Double]
  /// Whether the table has every product.
  let isClosed: Bool
  /// One for each element; nil where the matrix is not a signed permutation.
  let axisActions: [AxisAction?]
  /// The elements that have an axis action, ascending.
  let latticeSubgroup: [Int]
  /// A hash of dimension and matrices, kept because groups are keys of plan caches.
  let fingerprint: Int

  /// The tables of a group, or truncated set, whose matrices and Cayley table are known to agree.
  ///
  /// - Parameters:
  ///   - cayley: Entry `[a * order + b]` is the index of a·b, or −1 where a truncated set does not have it.
  ///   - determinants: By default those of the matrices, made exactly ±1 for a closed group.
  ///   - quadratureWeights: By default equal.
  init(
    name: String, recipe: PointGroup.Recipe? = nil, dimension: Int, matrices: FixedArray<Double>,
    cayley: FixedArray<Int32>,
    determinants: [Double]? = nil, quadratureWeights: [Double]? = nil
  ) {
    let size = dimension * dimension
    let order = matrices.count / size
    self.name = name
    self.recipe = recipe
    self.dimension = dimension
    self.order = order
    self.matrices = matrices
    self.cayley = cayley
    inverses = Self.inverses(cayley: cayley, order: order)
    self.quadratureWeights = quadratureWeights ?? [Double](repeating: 1 / Double(order), count: order)
    let isClosed = !cayley.contains(-1)
    self.isClosed = isClosed
    // The determinants of a finite group are roots of unity: ±1, whatever the rounding of its matrices.
    self.determinants =
      determinants
      ?? (0..<order).map { element in
        let value = determinant(Array(matrices.part(element * size..<(element + 1) * size)))
        return !isClosed ? value : value < 0 ? -1 : 1
      }
    let axisActions = (0..<order).map {
      SignedPermutation(matrix: matrices.part($0 * size..<($0 + 1) * size), dimension: dimension)
        .map(AxisAction.init(coordinates:))
    }
    self.axisActions = axisActions
    latticeSubgroup = axisActions.indices.filter { axisActions[$0] != nil }
    var hasher = Hasher()
    hasher.combine(dimension)
    for entry in matrices { hasher.combine(entry) }
    fingerprint = hasher.finalize()
  }

  /// The inverse of each element by a Cayley table, −1 where there is none.
  static func inverses(cayley: FixedArray<Int32>, order: Int) -> [Int32] {
    (0..<order).map { a in
      cayley.part(a * order..<(a + 1) * order).firstIndex(of: 0).map { Int32($0) } ?? -1
    }
  }
}
