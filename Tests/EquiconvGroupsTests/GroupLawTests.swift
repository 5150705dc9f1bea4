// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Testing
import _EquiconvTestSupport

@Suite struct GroupLawTests {
  @Test(arguments: GroupCatalog.all)
  func everyGroup_satisfiesTheGroupLaws(_ group: PointGroup) {
    #expect(checkGroupLaws(group) == [])
  }

  @Test(arguments: GroupCatalog.all)
  func accessors_agreeWithTheTables(_ group: PointGroup) {
    let size = group.dimension * group.dimension
    for a in 0..<group.order {
      #expect(group.inverse(a) == Int(group.inverses[a]))
      #expect(group.matrix(a) == Array(group.matrices[a * size..<(a + 1) * size]))
      for b in 0..<group.order where group.product(a, b) != Int(group.cayley[a * group.order + b]) {
        Issue.record("product(\(a), \(b)) of \(group)")
      }
    }
  }

  /// The checker must notice every law being broken, or passing it means nothing.
  @Test func checker_noticesEachBrokenLaw() throws {
    let sound = GroupTables(try .dihedral(3))
    func broken(_ change: (inout GroupTables) -> Void) -> [String] {
      var tables = sound
      change(&tables)
      return checkGroupLaws(tables)
    }
    #expect(checkGroupLaws(sound) == [])
    #expect(broken { $0.inverses.removeLast() } == ["shape"])
    #expect(broken { $0.cayley[7] = 6 } == ["closure"])
    #expect(broken { $0.cayley.swapAt(0, 1) }.contains("identity"))
    #expect(broken { $0.inverses.swapAt(1, 2) } == ["inverse"])
    #expect(broken { $0.cayley.swapAt(6 * 4 + 1, 6 * 4 + 2) }.contains("associativity"))
    #expect(broken { $0.cayley[6 * 4 + 1] = $0.cayley[6 * 4 + 2] }.contains("Latin square"))
    #expect(broken { $0.matrices[1] = 1e-9 }.contains("matrix of the identity"))
    #expect(broken { $0.matrices[5] += 1e-9 }.contains("homomorphism"))
    #expect(broken { $0.determinants[1] = -1 } == ["determinant of the matrix", "multiplicative determinant"])
  }

  @Test func orders_areThoseOfTheDefinition() throws {
    for n in [1, 2, 3, 4, 7, 12] {
      #expect(try PointGroup.cyclic(n).order == n)
      #expect(try PointGroup.dihedral(n).order == 2 * n)
    }
    for d in 1...3 {
      #expect(try PointGroup.trivial(d).order == 1)
      #expect(try PointGroup.trivial(d).dimension == d)
    }
    #expect(PointGroup.reflection.order == 2)
    #expect(PointGroup.octahedral.order == 24)
    #expect(PointGroup.fullOctahedral.order == 48)
    #expect(PointGroup.tetrahedral.order == 12)
    #expect(PointGroup.pyritohedral.order == 24)
    #expect(PointGroup.icosahedral.order == 60)
    #expect(PointGroup.fullIcosahedral.order == 120)
    for axis in PointGroup.Axis.allCases {
      #expect(try PointGroup.axialCyclic(5, axis: axis).order == 5)
      #expect(try PointGroup.axialDihedral(5, axis: axis).order == 10)
    }
    let orders = Dictionary(uniqueKeysWithValues: GroupCatalog.fromMatrices.map { ($0.name, $0.order) })
    #expect(orders["tetrahedral"] == 12)
    #expect(orders["pyritohedral"] == 24)
    #expect(orders["icosahedral"] == 60)
    #expect(orders["full icosahedral"] == 120)
    #expect(orders["hexagonal basis"] == 6)
  }

  @Test func latticeGroups_areThoseOfSignedPermutations() throws {
    for group in GroupCatalog.lattice { #expect(group.isLattice, "\(group)") }
    for n in [3, 5, 6, 7, 8, 12, 16] {
      #expect(try !PointGroup.cyclic(n).isLattice)
      #expect(try !PointGroup.dihedral(n).isLattice)
    }
    let expected = ["tetrahedral", "pyritohedral", "diagonal mirror", "point reflection", "line"]
    #expect(GroupCatalog.fromMatrices.filter(\.isLattice).map(\.name) == expected)
  }

  @Test func largestGroups_haveTheTablesOfTheDefinition() throws {
    let cyclic = try PointGroup.cyclic(4096)
    #expect(cyclic.product(4095, 4095) == 4094)
    #expect(cyclic.inverse(1) == 4095)
    let dihedral = try PointGroup.dihedral(2048)
    #expect(dihedral.order == 4096)
    #expect(dihedral.product(2048, 1) == 2048 + 2047)
    #expect(dihedral.inverse(3000) == 3000)
  }

  @Test func names_areShort() throws {
    #expect(try PointGroup.trivial(2).name == "trivial2")
    #expect(try PointGroup.cyclic(4).name == "C4")
    #expect(try "\(PointGroup.dihedral(6))" == "D6")
    #expect(PointGroup.reflection.name == "reflection")
    #expect(PointGroup.octahedral.name == "octahedral")
    #expect(PointGroup.fullOctahedral.name == "full octahedral")
    #expect(PointGroup.tetrahedral.name == "tetrahedral")
    #expect(PointGroup.pyritohedral.name == "pyritohedral")
    #expect(PointGroup.icosahedral.name == "icosahedral")
    #expect(PointGroup.fullIcosahedral.name == "full icosahedral")
    #expect(try PointGroup.axialCyclic(4).name == "C4 about z")
    #expect(try PointGroup.axialDihedral(3, axis: .x).name == "D3 about x")
    #expect(try PointGroup.scaling(dimension: 2, factors: [1, 2]).name == "scaling(2)")
    #expect(try PointGroup.similarity(8, factors: [1, 2]).name == "similarity(8, 2)")
    #expect(try PointGroup.dihedral(4).subgroup([0, 2]).name == "subgroup(2) of D4")
    #expect(try PointGroup(dimension: 1, matrices: [1, -1]).name == "matrices(2)")
    #expect(try PointGroup(dimension: 1, matrices: [1, -1], name: "Z2").name == "Z2")
  }

  @Test func equality_isThatOfDimensionAndMatrices() throws {
    let group = try PointGroup.dihedral(4)
    let same = try PointGroup(dimension: 2, matrices: group.matrices, name: "another name")
    #expect(group == group)
    #expect(group == same)
    #expect(group.hashValue == same.hashValue)
    #expect(try group == PointGroup.dihedral(4))
    #expect(try PointGroup.cyclic(4) != PointGroup.dihedral(2))
    #expect(try PointGroup.trivial(1) != PointGroup.trivial(2))
    #expect(try PointGroup.cyclic(1) == PointGroup.trivial(2))
    #expect(Set(GroupCatalog.planar).count == GroupCatalog.planar.count)
  }
}
