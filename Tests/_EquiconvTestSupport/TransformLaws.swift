// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups

/// The representations of a transform as plain arrays, which tests can break.
public struct RepresentationTables {
  public var dimension: Int
  /// (order, D, D).
  public var matrices: [Double]
  public var columns: Int
  public var scale: Double
  public var chains: [[[Int]]]

  package init(_ representation: Representation) {
    dimension = representation.dimension
    matrices = Array(representation.matrices)
    columns = representation.columns
    scale = representation.scale
    chains = representation.chains
  }

  /// R(h)[i][j].
  public func entry(_ h: Int, _ i: Int, _ j: Int) -> Double { matrices[(h * dimension + i) * dimension + j] }
}

/// The laws of a Fourier transform that the representations break.
///
/// - Parameter tolerance: Of entries and of sums of squares of a row; 0 for representations by signed permutations,
///   for which the places of their entries are checked too.
package func checkTransformLaws(
  _ representations: [RepresentationTables], of group: CayleyTable, tolerance: Double
) -> [String] {
  let shapes = representations.allSatisfy {
    $0.matrices.count == group.order * $0.dimension * $0.dimension && $0.chains.count == $0.dimension
      && 1...$0.dimension ~= $0.columns
  }
  guard shapes else { return ["shape"] }
  var broken: [String] = []
  func check(_ law: String, _ holds: (RepresentationTables) -> Bool) {
    if !representations.allSatisfy(holds) { broken.append(law) }
  }
  check("homomorphism") { isHomomorphism($0, of: group, tolerance) }
  check("orthogonality") { isOrthogonal($0, of: group, tolerance) }
  check("chains") { hasChains($0, of: group) }
  check("kept lines") { keepsLines($0, of: group, tolerance) }
  if tolerance == 0 { check("signed permutations") { isSigned($0, of: group) } }
  if !recovers(representations, of: group, tolerance) { broken.append("recovery") }
  return broken
}

private func isHomomorphism(_ r: RepresentationTables, of group: CayleyTable, _ tolerance: Double) -> Bool {
  let indices = 0..<r.dimension
  return (0..<group.order).allSatisfy { a in
    (0..<group.order).allSatisfy { b in
      indices.allSatisfy { i in
        indices.allSatisfy { j in
          let product = indices.reduce(0) { $0 + r.entry(a, i, $1) * r.entry(b, $1, j) }
          return abs(product - r.entry(group.product(a, b), i, j)) <= tolerance
        }
      }
    }
  }
}

private func isOrthogonal(_ r: RepresentationTables, of group: CayleyTable, _ tolerance: Double) -> Bool {
  let indices = 0..<r.dimension
  return (0..<group.order).allSatisfy { h in
    indices.allSatisfy { i in
      indices.allSatisfy { j in
        let product = indices.reduce(0) { $0 + r.entry(h, i, $1) * r.entry(h, j, $1) }
        return abs(product - (i == j ? 1 : 0)) <= tolerance
      }
    }
  }
}

/// Each chain begins with {e}, and each subgroup is of index 2 in the next.
private func hasChains(_ r: RepresentationTables, of group: CayleyTable) -> Bool {
  r.chains.allSatisfy { chain in
    chain.first == [0]
      && chain.allSatisfy { subgroup in
        subgroup == Array(Set(subgroup)).sorted()
          && subgroup.allSatisfy { a in subgroup.allSatisfy { subgroup.contains(group.product(a, $0)) } }
      }
      && zip(chain, chain.dropFirst()).allSatisfy { $1.count == 2 * $0.count && Set($0).isSubset(of: $1) }
  }
}

/// R(hk)[i][j] = ±R(h)[i][j], with one sign for all h and i, for k in the last subgroup of column j.
private func keepsLines(_ r: RepresentationTables, of group: CayleyTable, _ tolerance: Double) -> Bool {
  (0..<r.dimension).allSatisfy { j in
    r.chains[j][r.chains[j].count - 1].allSatisfy { k in
      let sign = r.entry(k, j, j) < 0 ? -1.0 : 1
      return (0..<group.order).allSatisfy { h in
        (0..<r.dimension).allSatisfy { i in
          abs(r.entry(group.product(h, k), i, j) - sign * r.entry(h, i, j)) <= tolerance
        }
      }
    }
  }
}

/// All entries are 0, 1 and −1, and entry (i, j) is not zero on one left coset of the last subgroup of column j.
private func isSigned(_ r: RepresentationTables, of group: CayleyTable) -> Bool {
  r.matrices.allSatisfy { [0, 1, -1].contains($0) && ($0 != 0 || $0.sign == .plus) }
    && (0..<r.dimension).allSatisfy { j in
      let subgroup = r.chains[j][r.chains[j].count - 1]
      return (0..<r.dimension).allSatisfy { i in
        let support = (0..<group.order).filter { r.entry($0, i, j) != 0 }
        guard let first = support.first else { return false }
        return support == subgroup.map { group.product(first, $0) }.sorted()
      }
    }
}

/// Σ_R scale Σ_{q<columns} R(g)[q][q] is 1 for g = e, and otherwise 0.
private func recovers(_ representations: [RepresentationTables], of group: CayleyTable, _ tolerance: Double) -> Bool {
  (0..<group.order).allSatisfy { g in
    let sum = representations.reduce(0) { sum, r in
      sum + r.scale * (0..<r.columns).reduce(0) { $0 + r.entry(g, $1, $1) }
    }
    // Scales like 1/3 are rounded.
    return abs(sum - (g == 0 ? 1 : 0)) <= max(tolerance, 1e-15)
  }
}
