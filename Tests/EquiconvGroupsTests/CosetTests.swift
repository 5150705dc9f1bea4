// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Groups whose subgroups are all tried.
let groupsWithKnownSubgroups: [PointGroup] = [
  try! .trivial(2), .reflection, try! .cyclic(12), try! .dihedral(4), try! .dihedral(6), .octahedral, .fullOctahedral,
]

@Suite struct CosetTests {
  @Test func subgroups_areAsManyAsPublished() throws {
    // D_n has τ(n) + σ(n) subgroups; S4 has 30, S4 × C2 has 98.
    #expect(groupsWithKnownSubgroups.map { allSubgroups(of: $0).count } == [1, 2, 6, 10, 16, 30, 98])
  }

  @Test(arguments: groupsWithKnownSubgroups)
  func lagrange_ordersOfSubgroupsDivide(_ group: PointGroup) throws {
    for subgroup in allSubgroups(of: group) {
      try group.checkSubgroup(subgroup)
      try group.checkSubgroup(subgroup.reversed())
      #expect(group.subgroup(generatedBy: subgroup) == subgroup)
      #expect(group.order % subgroup.count == 0)
    }
  }

  @Test func generatedSubgroup_isTheIntersectionOfThoseThatContainTheGenerators() {
    let group = PointGroup.octahedral
    let subgroups = allSubgroups(of: group).map(Set.init)
    for a in 0..<group.order {
      for b in 0..<group.order {
        let expected = subgroups.filter { $0.contains(a) && $0.contains(b) }.reduce(Set(0..<group.order)) {
          $0.intersection($1)
        }
        #expect(group.subgroup(generatedBy: [a, b]) == expected.sorted())
      }
    }
    #expect(group.subgroup(generatedBy: []) == [0])
  }

  @Test(arguments: groupsWithKnownSubgroups)
  func leftCosets_partitionTheGroup(_ group: PointGroup) throws {
    for subgroup in allSubgroups(of: group) {
      let cosets = try group.leftCosets(of: subgroup)
      let index = group.order / subgroup.count
      #expect(cosets.count == group.order)
      #expect((0..<index).allSatisfy { number in cosets.count { $0 == number } == subgroup.count })
      let isLeftCoset = (0..<group.order).allSatisfy { a in
        (0..<group.order).allSatisfy { b in
          (cosets[a] == cosets[b]) == subgroup.contains(group.product(group.inverse(a), b))
        }
      }
      #expect(isLeftCoset, "a and b are in one coset exactly if a⁻¹b is in the subgroup \(subgroup)")
    }
  }

  @Test(arguments: groupsWithKnownSubgroups)
  func cosets_areNumberedByFirstAppearance(_ group: PointGroup) throws {
    for subgroup in allSubgroups(of: group) {
      let cosets = try group.leftCosets(of: subgroup)
      let representatives = try group.cosetRepresentatives(of: subgroup)
      #expect(representatives == (0..<group.order / subgroup.count).map { cosets.firstIndex(of: $0)! })
      #expect(representatives == representatives.sorted())
      #expect(representatives.first == 0)
    }
  }

  @Test func orderOfTheSubgroupsElements_doesNotMatter() throws {
    let group = try PointGroup.dihedral(4)
    #expect(try group.leftCosets(of: [0, 4]) == [0, 1, 2, 3, 0, 1, 2, 3])
    #expect(try group.leftCosets(of: [4, 0]) == group.leftCosets(of: [0, 4]))
    #expect(try group.cosetRepresentatives(of: [2, 0]) == [0, 1, 4, 5])
  }

  /// |H·p| · |stabilizer of p| = |H| for points in general and in special positions.
  @Test(arguments: GroupCatalog.lattice)
  func orbitStabilizer(_ group: PointGroup) throws {
    let points = [[0, 0, 0], [1, 0, 0], [0, 0, 1], [1, 1, 0], [0, 1, -1], [1, 1, 1], [1, 2, 2], [1, 2, 3]]
    for point in points {
      let images = (0..<group.order).map { h in
        let action = group.axisAction(h)!
        return (0..<action.count).map { action.sign($0) * point[action.axis($0)] }
      }
      let stabilizer = (0..<group.order).filter { images[$0] == images[0] }
      #expect(Set(images).count * stabilizer.count == group.order)
      // The orbit is H/S: two elements move the point alike exactly if they are in one coset.
      let cosets = try group.leftCosets(of: stabilizer)
      let isOrbit = (0..<group.order).allSatisfy { a in
        (0..<group.order).allSatisfy { (images[a] == images[$0]) == (cosets[a] == cosets[$0]) }
      }
      #expect(isOrbit, "point \(point)")
    }
  }

  @Test func setsThatAreNoSubgroups_areRefused() throws {
    let group = try PointGroup.dihedral(4)
    let sets: [([Int], String)] = [
      ([], "subgroup does not have the identity, element 0"),
      ([4], "subgroup does not have the identity, element 0"),
      ([0, 0], "subgroup has the element 0 twice"),
      ([0, 8], "subgroup has the element 8, which is not in 0..<8"),
      ([0, -1], "subgroup has the element -1, which is not in 0..<8"),
      ([0, 1], "subgroup has 1 and 1 but not their product 2"),
      ([0, 4, 5], "subgroup has 4 and 5 but not their product 3"),
    ]
    for (set, reason) in sets {
      let expected = GroupError.notASubgroup(reason: reason)
      #expect(throws: expected) { try group.checkSubgroup(set) }
      #expect(throws: expected) { try group.leftCosets(of: set) }
      #expect(throws: expected) { try group.cosetRepresentatives(of: set) }
      #expect(throws: expected) { try group.orbitTower(stabilizer: set) }
    }
  }
}
