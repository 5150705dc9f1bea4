// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Maps between homogeneous spaces commute with the group.
@Suite struct IndexMapTests {
  static let groups: [PointGroup] = [
    try! .cyclic(12), try! .dihedral(4), try! .dihedral(6), .tetrahedral, try! .similarity(6, factors: [1, 2]),
  ]

  private func subgroups(of group: PointGroup) -> [[Int]] {
    group.isClosed ? allSubgroups(of: group) : [[0], [0, 3], [0, 2, 4], [0, 1, 2, 3, 4, 5]]
  }

  @Test(arguments: groups)
  func subgroupAsAGroup_hasItsTable(_ group: PointGroup) throws {
    for subgroup in subgroups(of: group) {
      let alone = try group.subgroup(subgroup.reversed())
      #expect(checkGroupLaws(alone) == [])
      for (i, a) in subgroup.enumerated() {
        #expect(alone.matrix(i) == group.matrix(a))
        for (j, b) in subgroup.enumerated() { #expect(subgroup[alone.product(i, j)] == group.product(a, b)) }
      }
    }
  }

  /// Acting by L on H/K and then reading an orbit is reading it and then acting on L/S.
  @Test(arguments: groups)
  func restriction_commutesWithTheSubgroup(_ group: PointGroup) throws {
    for subgroup in subgroups(of: group) {
      let alone = try group.subgroup(subgroup)
      for stabilizer in subgroups(of: group) {
        let space = try HomogeneousSpace(group: group, stabilizer: stabilizer)
        let orbits = try space.restriction(to: subgroup.reversed())
        #expect(orbits.flatMap(\.points).sorted() == Array(0..<space.count))
        #expect(orbits.map { $0.points.sorted() } == space.orbits(of: subgroup))
        for orbit in orbits {
          #expect(orbit.points[0] == orbit.representative && orbit.representative == orbit.points.min())
          let orbitSpace = try HomogeneousSpace(
            group: alone, stabilizer: orbit.stabilizer.map { subgroup.firstIndex(of: $0)! })
          #expect(orbitSpace.count == orbit.points.count)
          let commutes = subgroup.enumerated().allSatisfy { i, l in
            orbit.points.indices.allSatisfy {
              space.act(l, orbit.points[$0]) == orbit.points[orbitSpace.act(i, $0)]
            }
          }
          #expect(commutes, "\(group), K = \(stabilizer), L = \(subgroup)")
        }
      }
    }
  }

  @Test(arguments: groups)
  func quotientMap_commutesWithTheGroup(_ group: PointGroup) throws {
    let subgroups = subgroups(of: group)
    for small in subgroups {
      let source = try HomogeneousSpace(group: group, stabilizer: small)
      let targets = try subgroups.filter { Set(small).isSubset(of: $0) }.map {
        try HomogeneousSpace(group: group, stabilizer: $0)
      }
      for target in targets + [.plane(group)] {
        let map = try source.quotientMap(to: target)
        #expect(map.count == source.count)
        #expect(Set(map) == Set(0..<target.count))
        for a in 0..<group.order { #expect(map[source.coset(of: a)] == target.coset(of: a)) }
        let commutes = (0..<group.order).allSatisfy { h in
          map.indices.allSatisfy {
            let image = source.act(h, $0)
            return image < 0 || map[image] == target.act(h, map[$0])
          }
        }
        #expect(commutes)
      }
    }
  }

  /// D_n modulo the mirror is the n rotations; modulo the rotations, which are normal, it is the two orientations.
  @Test func partialProjections_ofTheDihedralGroup() throws {
    let group = try PointGroup.dihedral(4)
    let whole = HomogeneousSpace.group(group)
    let rotations = try HomogeneousSpace(group: group, stabilizer: [0, 4])
    #expect(try whole.quotientMap(to: rotations) == [0, 1, 2, 3, 0, 1, 2, 3])
    #expect((0..<4).map { rotations.act($0, 0) } == [0, 1, 2, 3])
    let orientations = try HomogeneousSpace(group: group, stabilizer: [0, 1, 2, 3])
    #expect(try whole.quotientMap(to: orientations) == [0, 0, 0, 0, 1, 1, 1, 1])
    #expect(try rotations.quotientMap(to: .plane(group)) == [0, 0, 0, 0])
  }

  @Test func quotientMaps_needOneGroupAndALargerStabilizer() throws {
    let group = try PointGroup.dihedral(4)
    let space = try HomogeneousSpace(group: group, stabilizer: [0, 4])
    #expect(throws: GroupError.differentGroups("D4", "C4")) { try space.quotientMap(to: .plane(.cyclic(4))) }
    #expect(throws: GroupError.notASubgroup(reason: "subgroup has the element 4, which is not in its overgroup")) {
      try space.quotientMap(to: HomogeneousSpace(group: group, stabilizer: [0, 2]))
    }
    #expect(throws: GroupError.self) { try space.quotientMap(to: .group(group)) }
    #expect(throws: GroupError.self) { try space.restriction(to: [0, 1]) }
    #expect(throws: GroupError.self) { try group.induction(from: [0, 4], stabilizer: [0, 2]) }
    #expect(throws: GroupError.self) { try group.induction(from: [0, 1], stabilizer: [0]) }
    #expect(throws: GroupError.self) { try group.subgroup([1]) }
  }

  /// h takes the point q of copy i to l·q in copy j, where h r(i) = r(j) l.
  @Test(arguments: groups)
  func induction_isOneCopyForEachCoset(_ group: PointGroup) throws {
    for subgroup in subgroups(of: group) {
      let alone = try group.subgroup(subgroup)
      let base = try HomogeneousSpace(group: group, stabilizer: subgroup)
      for stabilizer in subgroups(of: group) where Set(stabilizer).isSubset(of: subgroup) {
        let fiber = try HomogeneousSpace(group: alone, stabilizer: stabilizer.map { subgroup.firstIndex(of: $0)! })
        let induced = try group.induction(from: subgroup.reversed(), stabilizer: stabilizer.reversed())
        let space = induced.space
        #expect(space.stabilizer == stabilizer && space.count == base.count * fiber.count)
        #expect(induced.embedding.count == fiber.count)
        #expect(induced.embedding.map { induced.cosets[$0] } == induced.embedding.map { _ in 0 })
        #expect(induced.embedding.map { induced.points[$0] } == Array(0..<fiber.count))
        let isExtension = subgroup.enumerated().allSatisfy { i, l in
          (0..<fiber.count).allSatisfy {
            space.act(l, induced.embedding[$0]) == induced.embedding[fiber.act(i, $0)]
          }
        }
        #expect(isExtension, "the embedding commutes with L")
        for h in 0..<group.order {
          for point in 0..<space.count where space.act(h, point) >= 0 {
            let (i, q, image) = (induced.cosets[point], induced.points[point], space.act(h, point))
            let hr = group.product(h, base.representatives[i])
            let j = base.coset(of: hr)
            let l = try #require(group.relative(base.representatives[j], hr))
            let isInduced =
              induced.cosets[image] == j
              && induced.points[image] == fiber.act(subgroup.firstIndex(of: l)!, q)
            #expect(isInduced, "\(group), L = \(subgroup), S = \(stabilizer), h = \(h), point \(point)")
          }
        }
      }
    }
  }
}
