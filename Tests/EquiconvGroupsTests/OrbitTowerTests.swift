// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Testing
import _EquiconvTestSupport

@Suite struct OrbitTowerTests {
  /// Sizes of the blocks at each level, from single cosets of S to all of H/S.
  private func blockSizes(_ tower: OrbitTower) -> [Int] {
    tower.radices.reduce(into: [1]) { $0.append($0.last! * $1) }
  }

  @Test(arguments: groupsWithKnownSubgroups)
  func representatives_meetEveryCosetOnce(_ group: PointGroup) throws {
    for stabilizer in allSubgroups(of: group) {
      let tower = try group.orbitTower(stabilizer: stabilizer)
      let cosets = try group.leftCosets(of: stabilizer)
      #expect(tower.representatives.first == 0)
      #expect(tower.radices.allSatisfy { $0 >= 2 })
      #expect(tower.radices.reduce(1, *) == group.order / stabilizer.count)
      #expect(tower.representatives.map { cosets[$0] }.sorted() == Array(0..<group.order / stabilizer.count))
    }
  }

  @Test(arguments: groupsWithKnownSubgroups)
  func leftMultiplication_mapsBlocksToBlocks(_ group: PointGroup) throws {
    for stabilizer in allSubgroups(of: group) {
      let tower = try group.orbitTower(stabilizer: stabilizer)
      let cosets = try group.leftCosets(of: stabilizer)
      let numbers = tower.representatives.map { cosets[$0] }
      for size in blockSizes(tower) {
        let blocks = Set(stride(from: 0, to: numbers.count, by: size).map { Set(numbers[$0..<$0 + size]) })
        let torn = (0..<group.order).filter { g in
          let images = tower.representatives.map { cosets[group.product(g, $0)] }
          return !stride(from: 0, to: numbers.count, by: size).allSatisfy {
            blocks.contains(Set(images[$0..<$0 + size]))
          }
        }
        #expect(torn == [], "elements that tear blocks of \(size), stabilizer \(stabilizer)")
      }
    }
  }

  /// The first block of each level is a subgroup, and the smallest and then first above the one before.
  @Test(arguments: groupsWithKnownSubgroups)
  func chain_takesTheSmallestOvergroup(_ group: PointGroup) throws {
    let subgroups = allSubgroups(of: group)
    for stabilizer in subgroups {
      let tower = try group.orbitTower(stabilizer: stabilizer)
      var previous = stabilizer
      for size in blockSizes(tower).dropFirst() {
        let members = tower.representatives[..<size].flatMap { t in stabilizer.map { group.product(t, $0) } }.sorted()
        let overgroups = subgroups.filter { $0.count > previous.count && Set($0).isSuperset(of: previous) }
        let smallest = overgroups.min {
          $0.count != $1.count ? $0.count < $1.count : $0.lexicographicallyPrecedes($1)
        }
        #expect(members == smallest)
        previous = members
      }
      #expect(previous.count == group.order)
    }
  }

  /// What the tower is for: a sum level by level does not depend, to the last bit, on where the orbit starts.
  @Test(arguments: groupsWithKnownSubgroups)
  func levelledSum_isInvariantToTheLastBit(_ group: PointGroup) throws {
    var random = SplitMix64(seed: 20)
    var plainSumsThatDiffer = 0
    for stabilizer in allSubgroups(of: group) {
      let tower = try group.orbitTower(stabilizer: stabilizer)
      let cosets = try group.leftCosets(of: stabilizer)
      // Quotients have many magnitudes, so that sums round.
      let values = cosets.map { _ in
        Float.random(in: -1...1, using: &random) / Float.random(in: 0.001...1, using: &random)
      }
      func terms(_ g: Int) -> [Float] { tower.representatives.map { values[cosets[group.product(g, $0)]] } }
      let sums = Set((0..<group.order).map { levelledSum(terms($0), tower.radices) })
      #expect(sums.count == 1, "stabilizer \(stabilizer)")
      plainSumsThatDiffer += Set((0..<group.order).map { terms($0).reduce(0, +) }).count - 1
    }
    // The data must be able to tell the difference.
    if group.order >= 8 { #expect(plainSumsThatDiffer > 0) }
  }

  private func levelledSum(_ terms: [Float], _ radices: [Int]) -> Float {
    var sums = terms
    for radix in radices {
      sums = stride(from: 0, to: sums.count, by: radix).map { start in
        // Two terms need no sorting: their sum is commutative.
        let block = sums[start..<start + radix]
        return radix == 2 ? block.first! + block.last! : block.sorted().reduce(0, +)
      }
    }
    return sums[0]
  }

  @Test func radices_ofKnownGroups() throws {
    #expect(try PointGroup.trivial(2).orbitTower(stabilizer: [0]) == PointGroup.cyclic(1).orbitTower(stabilizer: [0]))
    #expect(try PointGroup.cyclic(4).orbitTower(stabilizer: [0]).radices == [2, 2])
    #expect(try PointGroup.cyclic(4).orbitTower(stabilizer: [0]).representatives == [0, 2, 1, 3])
    #expect(try PointGroup.dihedral(4).orbitTower(stabilizer: [0]).radices == [2, 2, 2])
    #expect(try PointGroup.dihedral(6).orbitTower(stabilizer: [0]).radices == [2, 2, 3])
    #expect(try PointGroup.dihedral(4).orbitTower(stabilizer: Array(0..<8)).radices == [])
    #expect(try PointGroup.dihedral(4).orbitTower(stabilizer: Array(0..<8)).representatives == [0])
    #expect(try PointGroup.octahedral.orbitTower(stabilizer: [0]).radices == [2, 2, 2, 3])
    #expect(try PointGroup.fullOctahedral.orbitTower(stabilizer: [0]).radices.reduce(1, *) == 48)
  }

  /// A subgroup K, made a group of its own from its matrices, has the same chain.
  @Test(arguments: groupsWithKnownSubgroups)
  func towerInASubgroup_isThatOfTheSubgroupAlone(_ group: PointGroup) throws {
    let subgroups = allSubgroups(of: group)
    for subgroup in subgroups {
      let alone = try PointGroup(dimension: group.dimension, matrices: subgroup.flatMap(group.matrix))
      for stabilizer in subgroups where Set(stabilizer).isSubset(of: subgroup) {
        let tower = try group.orbitTower(stabilizer: stabilizer.reversed(), in: subgroup.reversed())
        let expected = try alone.orbitTower(stabilizer: stabilizer.map { subgroup.firstIndex(of: $0)! })
        #expect(tower.representatives == expected.representatives.map { subgroup[$0] })
        #expect(tower.radices == expected.radices)
      }
    }
  }

  @Test func towerInASubgroup_refusesWhatIsNotInside() throws {
    let group = try PointGroup.dihedral(4)
    #expect(throws: GroupError.notASubgroup(reason: "subgroup has the element 4, which is not in its overgroup")) {
      try group.orbitTower(stabilizer: [0, 4], in: [0, 1, 2, 3])
    }
    #expect(throws: GroupError.notASubgroup(reason: "subgroup has 1 and 1 but not their product 2")) {
      try group.orbitTower(stabilizer: [0], in: [0, 1])
    }
  }
}
