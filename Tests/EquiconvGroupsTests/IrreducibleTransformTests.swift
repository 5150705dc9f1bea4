// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Testing
import _EquiconvTestSupport

@Suite struct IrreducibleTransformTests {
  /// Entries have errors of a few units in the last place, and products of two matrices add up at most 8 of them.
  static let tolerance = 32 * 2.2e-16

  @Test(arguments: TransformExamples.pointGroups)
  func representations_satisfyTheirLaws(_ group: PointGroup) throws {
    let transform = try group.irreducibleTransform(of: Array(0..<group.order))
    let representations = transform.representations.map(RepresentationTables.init)
    #expect(checkTransformLaws(representations, of: group.table, tolerance: Self.tolerance) == [])
    #expect(representations[0].matrices == [Double](repeating: 1, count: group.order))
  }

  @Test(arguments: TransformExamples.abstract)
  func representationsOfAnyGroup_satisfyTheirLaws(_ example: TransformExamples.Example) throws {
    let representations = try example.table.irreducibleRepresentations().map(RepresentationTables.init)
    #expect(checkTransformLaws(representations, of: example.table, tolerance: Self.tolerance) == [])
  }

  /// ⟨χ, χ′⟩ is t if they are the same, and otherwise 0; Σ d²/t = |H|.
  @Test(arguments: TransformExamples.pointGroups.map(\.table) + TransformExamples.abstract.map(\.table))
  func characters_areOrthogonal(_ group: CayleyTable) throws {
    let irreps = try group.irreps()
    #expect(irreps.reduce(0) { $0 + $1.dimension * $1.dimension / $1.type.dimension } == group.order)
    for (i, a) in irreps.enumerated() {
      for (j, b) in irreps.enumerated() {
        let product = zip(a.character, b.character).reduce(0) { $0 + $1.0 * $1.1 } / Double(group.order)
        #expect(abs(product - (i == j ? Double(a.type.dimension) : 0)) < 1e-12)
      }
    }
  }

  /// The Frobenius–Schur indicator, the mean of χ(h²), is 1, 0 or −2.
  @Test(arguments: TransformExamples.pointGroups.map(\.table) + TransformExamples.abstract.map(\.table))
  func types_haveTheirIndicators(_ group: CayleyTable) throws {
    for irrep in try group.irreps() {
      let character = irrep.character
      let indicator = (0..<group.order).reduce(0) { $0 + character[group.product($1, $1)] } / Double(group.order)
      let expected: Double =
        switch irrep.type {
        case .real: 1
        case .complex: 0
        case .quaternionic: -2
        }
      #expect(abs(indicator - expected) < 1e-12)
    }
  }

  /// [dimension, dimension of what commutes] as in the tables of books.
  @Test func dimensionsAndTypes_areThePublishedOnes() throws {
    let real = [1, 1]
    let complex = [2, 2]
    let expected: [(CayleyTable, [[Int]])] = [
      (PointGroup.reflection.table, [real, real]),
      (try PointGroup.cyclic(4).table, [real, real, complex]),
      (try PointGroup.cyclic(5).table, [real, complex, complex]),
      (try PointGroup.dihedral(4).table, [real, real, real, real, [2, 1]]),
      (try PointGroup.dihedral(5).table, [real, real, [2, 1], [2, 1]]),
      (PointGroup.tetrahedral.table, [real, complex, [3, 1]]),
      (PointGroup.pyritohedral.table, [real, real, complex, complex, [3, 1], [3, 1]]),
      (PointGroup.octahedral.table, [real, real, [2, 1], [3, 1], [3, 1]]),
      (PointGroup.icosahedral.table, [real, [3, 1], [3, 1], [4, 1], [5, 1]]),
      (.dicyclic(2), [real, real, real, real, [4, 4]]),
      (.dicyclic(3), [real, real, complex, [2, 1], [4, 4]]),
      (.dicyclic(4), [real, real, real, real, [2, 1], [4, 4], [4, 4]]),
      (.specialLinear3, [real, complex, [3, 1], [4, 2], [4, 4]]),
      (.product(.cyclic(3), try PointGroup.dihedral(3).table), [real, real, [2, 1], complex, complex, [4, 2]]),
    ]
    for (group, shapes) in expected {
      let irreps = try group.irreps()
      #expect(
        Set(irreps.map { [$0.dimension, $0.type.dimension] }) == Set(shapes) && irreps.count == shapes.count)
    }
    let product = CayleyTable.product(.dicyclic(2), try PointGroup.dihedral(3).table)
    let largest = try product.irreps().map { [$0.dimension, $0.type.dimension] }.last
    #expect(largest == [8, 4])
  }

  @Test func products_areThoseOfTheTable() throws {
    let groups: [PointGroup] = [
      .reflection, try .cyclic(4), try .dihedral(2), try .dihedral(4), .tetrahedral, .pyritohedral, .octahedral,
      .fullOctahedral, .icosahedral, .fullIcosahedral, try .cyclic(6), try .dihedral(6), try .cyclic(8),
      try .dihedral(8),
    ]
    let products = try groups.map { try $0.irreducibleTransform(of: Array(0..<$0.order)).products }
    #expect(products == [2, 6, 4, 12, 32, 64, 64, 128, 244, 488, 10, 20, 14, 28])
  }

  /// Rotations by 2πkr/N for k = 1, 2, …; D_N has diag(1, −1) at its first flip besides.
  @Test(arguments: [3, 5, 6, 8, 12, 16])
  func planarGroups_haveTheirUsualMatrices(_ n: Int) throws {
    for group in [try PointGroup.cyclic(n), try PointGroup.dihedral(n)] {
      let planar = try group.table.irreps().filter { $0.dimension == 2 }
      #expect(planar.count == (n - 1) / 2)
      let turn = try PointGroup.cyclic(n)
      for (k, irrep) in zip(1..., planar) {
        for r in 0..<n {
          let expected = turn.matrix(k * r % n)
          #expect(zip(irrep.matrices[r], expected).allSatisfy { abs($0 - $1) <= Self.tolerance })
        }
        if group.order > n { #expect(irrep.matrices[n] == [1, 0, 0, -1]) }
      }
    }
  }

  @Test func threeDimensionalRepresentationsOfTheCube_areSignedPermutations() throws {
    for group in [PointGroup.tetrahedral, .pyritohedral, .octahedral, .fullOctahedral] {
      let transform = try group.irreducibleTransform(of: Array(0..<group.order))
      #expect(transform.representations.allSatisfy { $0.isSigned == ($0.dimension != 2) })
    }
  }

  @Test func twoGroups_haveOneTransformOfBothKinds() throws {
    for group in [try PointGroup.cyclic(4), try .dihedral(2), try .dihedral(4), try .axialDihedral(4)] {
      let elements = Array(0..<group.order)
      let signed = try group.signedTransform(of: elements).representations
      let irreducible = try group.irreducibleTransform(of: elements).representations
      #expect(Set(irreducible) == Set(signed))
    }
  }
}
