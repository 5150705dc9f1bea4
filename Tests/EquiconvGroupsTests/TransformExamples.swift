// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvTestSupport

/// Groups whose transforms are tested: all the named ones of at most 120 elements, and some that no matrices of three
/// dimensions have, given by their products.
enum TransformExamples {
  static let pointGroups: [PointGroup] =
    GroupCatalog.lattice + GroupCatalog.planar + GroupCatalog.spatial + GroupCatalog.fromMatrices

  static let abstract: [Example] = [
    Example("quaternions", .dicyclic(2)),
    Example("dicyclic of order 12", .dicyclic(3)),
    Example("dicyclic of order 16", .dicyclic(4)),
    Example("SL(2, 3)", .specialLinear3),
    Example("quaternions × C3", .product(.dicyclic(2), .cyclic(3))),
    Example("quaternions × D3", .product(.dicyclic(2), try! PointGroup.dihedral(3).table)),
    Example("C3 × D3", .product(.cyclic(3), try! PointGroup.dihedral(3).table)),
    Example("C4 × C4 × C2", .product(.product(.cyclic(4), .cyclic(4)), .cyclic(2))),
  ]

  struct Example: CustomStringConvertible {
    let name: String
    let table: CayleyTable

    init(_ name: String, _ table: CayleyTable) {
      self.name = name
      self.table = table
    }

    var description: String { name }
  }
}

extension PointGroup {
  /// The group by its products alone.
  var table: CayleyTable { CayleyTable(order: order) { product($0, $1) } }
}

extension CayleyTable {
  static func cyclic(_ n: Int) -> CayleyTable { CayleyTable(order: n) { ($0 + $1) % n } }

  /// aⁱ xʲ with a²ⁿ = 1, x² = aⁿ and x a = a⁻¹ x, as element 2n j + i; the quaternions for n = 2.
  static func dicyclic(_ n: Int) -> CayleyTable {
    CayleyTable(order: 4 * n) { left, right in
      let (i, j) = (left % (2 * n), left / (2 * n))
      let (k, l) = (right % (2 * n), right / (2 * n))
      let exponent = i + (j == 0 ? k : 2 * n - k) + (j + l == 2 ? n : 0)
      return (j + l) % 2 * 2 * n + exponent % (2 * n)
    }
  }

  static func product(_ a: CayleyTable, _ b: CayleyTable) -> CayleyTable {
    CayleyTable(order: a.order * b.order) { left, right in
      a.product(left / b.order, right / b.order) * b.order + b.product(left % b.order, right % b.order)
    }
  }

  /// The 24 matrices of determinant 1 over the field of three elements, the identity first.
  static let specialLinear3: CayleyTable = {
    let entries = 0..<3
    let all = entries.flatMap { a in entries.flatMap { b in entries.flatMap { c in entries.map { [a, b, c, $0] } } } }
    let matrices = [[1, 0, 0, 1]] + all.filter { ($0[0] * $0[3] + 2 * $0[1] * $0[2]) % 3 == 1 && $0 != [1, 0, 0, 1] }
    return CayleyTable(order: matrices.count) { left, right in
      let (x, y) = (matrices[left], matrices[right])
      let product = [
        x[0] * y[0] + x[1] * y[2], x[0] * y[1] + x[1] * y[3], x[2] * y[0] + x[3] * y[2], x[2] * y[1] + x[3] * y[3],
      ]
      return matrices.firstIndex(of: product.map { $0 % 3 })!
    }
  }()
}
