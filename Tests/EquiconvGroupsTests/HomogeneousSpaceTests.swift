// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Testing
import _EquiconvTestSupport

@Suite struct HomogeneousSpaceTests {
  @Test(arguments: groupsWithKnownSubgroups)
  func points_areTheLeftCosets(_ group: PointGroup) throws {
    for stabilizer in allSubgroups(of: group) {
      let space = try HomogeneousSpace(group: group, stabilizer: stabilizer.reversed())
      #expect(space.group == group)
      #expect(space.stabilizer == stabilizer)
      #expect(space.count * stabilizer.count == group.order)
      #expect(try (0..<group.order).map(space.coset(of:)) == group.leftCosets(of: stabilizer))
      #expect(try space.representatives == group.cosetRepresentatives(of: stabilizer))
      for point in 0..<space.count {
        let coset = stabilizer.map { group.product(space.representatives[point], $0) }.sorted()
        #expect(space.members(of: point) == coset)
      }
    }
  }

  @Test(arguments: groupsWithKnownSubgroups)
  func action_isThatOfTheElementsOfACoset(_ group: PointGroup) throws {
    for stabilizer in allSubgroups(of: group) {
      let space = try HomogeneousSpace(group: group, stabilizer: stabilizer)
      let isAction = (0..<group.order).allSatisfy { h in
        (0..<group.order).allSatisfy { a in
          space.act(h, space.coset(of: a)) == space.coset(of: group.product(h, a))
        }
      }
      #expect(isAction, "h (a K) = (h a) K for K = \(stabilizer)")
      let isInverse = (0..<group.order).allSatisfy { h in
        (0..<space.count).allSatisfy { space.relative(h, space.act(h, $0)) == $0 }
      }
      #expect(isInverse)
    }
  }

  @Test(arguments: groupsWithKnownSubgroups)
  func orbitsOfASubgroup_areDisjointAndOfItsSizeOverTheStabilizer(_ group: PointGroup) throws {
    let subgroups = allSubgroups(of: group).filter { group.order < 24 || $0.count % 3 != 1 }
    for stabilizer in subgroups {
      let space = try HomogeneousSpace(group: group, stabilizer: stabilizer)
      for subgroup in subgroups {
        let orbits = space.orbits(of: subgroup)
        #expect(orbits.flatMap { $0 }.sorted() == Array(0..<space.count))
        #expect(orbits.map { $0[0] } == orbits.map { $0[0] }.sorted())
        for orbit in orbits {
          let fixed = space.stabilizer(of: orbit[0], in: subgroup)
          #expect(orbit == orbit.sorted())
          #expect(Set(subgroup.map { space.act($0, orbit[0]) }) == Set(orbit))
          // L ∩ aKa⁻¹, from the definition.
          let a = space.representatives[orbit[0]]
          let conjugate = Set(stabilizer.map { group.product(group.product(a, $0), group.inverse(a)) })
          #expect(fixed == subgroup.filter(conjugate.contains))
          #expect(orbit.count * fixed.count == subgroup.count)
        }
      }
    }
  }

  @Test(arguments: GroupCatalog.all)
  func planeAndGroup_areTheExtremes(_ group: PointGroup) throws {
    let plane = HomogeneousSpace.plane(group)
    let whole = HomogeneousSpace.group(group)
    #expect(plane.count == 1 && plane.stabilizer.count == group.order)
    #expect(whole.count == group.order && whole.stabilizer == [0])
    #expect(try plane == HomogeneousSpace(group: group, stabilizer: Array(0..<group.order)))
    #expect(try whole == HomogeneousSpace(group: group, stabilizer: [0]))
    #expect(try whole.hashValue == HomogeneousSpace(group: group, stabilizer: [0]).hashValue)
    #expect((plane == whole) == (group.order == 1))
    for h in 0..<group.order {
      #expect(plane.act(h, 0) == 0)
      #expect((0..<group.order).map { whole.act(h, $0) } == (0..<group.order).map { group.product(h, $0) })
    }
  }

  @Test func orientationsModuloAHalfTurn() throws {
    let space = try HomogeneousSpace(group: .cyclic(8), stabilizer: [4, 0])
    #expect(space.count == 4)
    #expect(space.representatives == [0, 1, 2, 3])
    #expect((0..<8).map { space.act($0, 2) } == [2, 3, 0, 1, 2, 3, 0, 1])
    #expect(space.orbits(of: [0, 2, 4, 6]) == [[0, 2], [1, 3]])
    #expect(space.stabilizer(of: 1, in: [0, 2, 4, 6]) == [0, 4])
  }

  @Test func setsThatAreNoSubgroups_areRefused() throws {
    let group = try PointGroup.dihedral(4)
    for set in [[], [4], [0, 0], [0, 8], [0, 1], [0, -1]] {
      #expect(throws: GroupError.self) { try HomogeneousSpace(group: group, stabilizer: set) }
    }
  }
}
