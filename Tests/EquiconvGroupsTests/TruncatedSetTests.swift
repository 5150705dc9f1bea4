// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Foundation
import Testing
import _EquiconvTestSupport

/// Scalings and similarities: finite parts of infinite groups.
@Suite struct TruncatedSetTests {
  @Test(arguments: GroupCatalog.truncated)
  func everyTruncatedSet_satisfiesThePartialGroupLaws(_ set: PointGroup) {
    #expect(checkPartialGroupLaws(GroupTables(set)) == [])
    #expect(!set.isClosed && !set.isLattice)
  }

  @Test(arguments: GroupCatalog.all)
  func everyGroup_isClosedAndSatisfiesThePartialGroupLaws(_ group: PointGroup) {
    #expect(group.isClosed)
    if group.order <= 24 { #expect(checkPartialGroupLaws(GroupTables(group)) == []) }
  }

  @Test func checker_noticesEachBrokenLaw() throws {
    let sound = GroupTables(try .scaling(dimension: 1, factors: [1, 2, 4, 0.5]))
    func broken(_ change: (inout GroupTables) -> Void) -> [String] {
      var tables = sound
      change(&tables)
      return checkPartialGroupLaws(tables)
    }
    #expect(checkPartialGroupLaws(sound) == [])
    #expect(broken { $0.inverses.removeLast() } == ["shape"])
    #expect(broken { $0.cayley[5] = 4 } == ["range"])
    #expect(broken { $0.cayley[1] = -1 }.contains("identity"))
    #expect(broken { $0.inverses[1] = -1 } == ["inverse"])
    #expect(broken { $0.cayley[5] = -1 } == ["partial associativity", "products of matrices"])
    #expect(broken { $0.cayley[6] = 2 }.contains("cancellation"))
    #expect(broken { $0.matrices[2] = 3 }.contains("products of matrices"))
    #expect(broken { $0.determinants[2] = 1 } == ["determinant of the matrix"])
  }

  @Test func scaling_elementMultipliesByItsFactor() throws {
    let factors = [1, 0.5, 2, 0.25]
    for d in 1...3 {
      let set = try PointGroup.scaling(dimension: d, factors: factors)
      #expect(set.dimension == d && set.order == 4)
      for (i, s) in factors.enumerated() {
        #expect(set.matrix(i) == (0..<d * d).map { $0 / d == $0 % d ? s : 0 })
        #expect(set.determinants[i] == pow(s, Double(d)))
      }
      #expect(set.cayley == [0, 1, 2, 3, 1, 3, 0, -1, 2, 0, -1, 1, 3, -1, 1, -1])
      #expect(set.inverses == [0, 2, 1, -1])
      #expect(set.latticeSubgroup == [0])
    }
  }

  @Test func similarity_isRotationTimesScale() throws {
    let (n, factors) = (8, [1, 2, 0.5])
    let set = try PointGroup.similarity(n, factors: factors)
    let rotations = try PointGroup.cyclic(n)
    for (i, s) in factors.enumerated() {
      for r in 0..<n {
        #expect(set.matrix(i * n + r) == rotations.matrix(r).map { $0 * s })
        #expect(set.determinants[i * n + r] == s * s)
        #expect(set.product(i * n, r) == i * n + r)
        #expect(set.product(r, i * n) == i * n + r)
      }
    }
    #expect(set.product(8 + 3, 16 + 6) == 1)
    #expect(set.product(8, 8) == -1)
    #expect(set.inverse(8 + 3) == 16 + 5)
    #expect(set.latticeSubgroup == [0, 2, 4, 6])
    #expect(set.axisAction(2) == rotations.axisAction(2))
    #expect(set.axisAction(8) == nil)
  }

  @Test func oneFactor_isTheClosedGroup() throws {
    for d in 1...3 { #expect(try PointGroup.scaling(dimension: d, factors: [1]) == .trivial(d)) }
    for n in [1, 4, 8] {
      let set = try PointGroup.similarity(n, factors: [1])
      #expect(try set == .cyclic(n))
      #expect(set.isClosed)
      #expect(try set.cayley == PointGroup.cyclic(n).cayley)
    }
  }

  @Test func productsOfRoundedFactors_areFound() throws {
    let factors = (0..<12).map { pow(2, Double($0) / 3) }
    let set = try PointGroup.scaling(dimension: 2, factors: factors)
    for i in 0..<12 {
      for j in 0..<12 { #expect(set.productIfPresent(i, j) == (i + j < 12 ? i + j : nil)) }
    }
    let single = try PointGroup.scaling(dimension: 2, factors: factors.map { Double(Float($0)) })
    #expect(single.cayley == set.cayley)
  }

  @Test(arguments: GroupCatalog.truncated + [try! .dihedral(3), .tetrahedral])
  func relative_isTheElementInBetween(_ set: PointGroup) {
    for h in 0..<set.order {
      for e in 0..<set.order {
        #expect(set.relative(h, e) == (0..<set.order).first { set.product(h, $0) == e })
        #expect(set.productIfPresent(h, e) == (set.product(h, e) < 0 ? nil : set.product(h, e)))
      }
    }
  }

  /// 2 and 4 have no inverse among 1, 2, 4, and yet 4 is 2 after 2.
  @Test func relative_needsNoInverse() throws {
    let set = try PointGroup.scaling(dimension: 2, factors: [1, 2, 4])
    #expect(set.inverses == [0, -1, -1])
    #expect(set.relative(1, 2) == 1)
    #expect(set.relative(2, 1) == nil)
  }

  // MARK: Quadrature

  @Test(arguments: GroupCatalog.all)
  func weightsOfAGroup_areEqual(_ group: PointGroup) {
    #expect(group.quadratureWeights == [Double](repeating: 1 / Double(group.order), count: group.order))
  }

  @Test(arguments: GroupCatalog.truncated)
  func weightsOfATruncatedSet_haveTheSumOne(_ set: PointGroup) {
    #expect(set.quadratureWeights.count == set.order)
    #expect(set.quadratureWeights.allSatisfy { $0 > 0 })
    #expect(abs(set.quadratureWeights.reduce(0, +) - 1) < 1e-14)
  }

  /// The trapezoidal rule is exact for functions linear in log s, whose mean is that at the middle of the range.
  @Test func weightsOfScalings_areTheTrapezoidalRuleInTheLogarithm() throws {
    let factors = [1, 3, 0.25, 2, 16]
    let weights = try PointGroup.scaling(dimension: 2, factors: factors).quadratureWeights
    let mean = zip(weights, factors).reduce(0) { $0 + $1.0 * log($1.1) }
    let piecewise = { (a: Double, b: Double) in (log(b) - log(a)) * (log(a) + log(b)) / 2 }
    let integral = piecewise(0.25, 1) + piecewise(1, 2) + piecewise(2, 3) + piecewise(3, 16)
    #expect(abs(mean - integral / log(64)) < 1e-14)
    #expect(abs(weights[3] - log(3) / (2 * log(64))) < 1e-15)
    #expect(abs(weights[2] - log(4) / (2 * log(64))) < 1e-15)
    let even = try PointGroup.scaling(dimension: 1, factors: [1, 2, 4]).quadratureWeights
    #expect(zip(even, [0.25, 0.5, 0.25]).allSatisfy { abs($0 - $1) < 1e-15 })
    let turned = try PointGroup.similarity(4, factors: [1, 2, 4]).quadratureWeights
    #expect(turned == even.flatMap { [Double](repeating: $0 / 4, count: 4) })
    #expect(try PointGroup.scaling(dimension: 3, factors: [1]).quadratureWeights == [1])
  }

  // MARK: Subgroups and homogeneous spaces

  @Test func subgroups_areThoseOfTheRotations() throws {
    let set = try PointGroup.similarity(6, factors: [1, 2])
    try set.checkSubgroup([0, 3])
    #expect(set.subgroup(generatedBy: [2]) == [0, 2, 4])
    #expect(throws: GroupError.notASubgroup(reason: "subgroup has 6 and 6, whose product is not in similarity(6, 2)")) {
      try set.checkSubgroup([0, 6])
    }
    #expect(throws: GroupError.self) { try set.checkSubgroup(Array(0..<12)) }
    #expect(throws: GroupError.self) { try set.orbitTower(stabilizer: [0]) }
    #expect(try set.orbitTower(stabilizer: [0], in: Array(0..<6)) == PointGroup.cyclic(6).orbitTower(stabilizer: [0]))
    #expect(try set.leftCosets(of: [0, 3]) == [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])
    #expect(try set.subgroup(Array(0..<6)) == PointGroup.cyclic(6))
  }

  @Test(arguments: GroupCatalog.truncated)
  func homogeneousSpaces_areOfSubgroupsOrThePlane(_ set: PointGroup) throws {
    let plane = try HomogeneousSpace(group: set, stabilizer: Array(0..<set.order))
    #expect(plane == .plane(set))
    #expect(plane.count == 1)
    for h in 0..<set.order {
      #expect(plane.act(h, 0) == 0)
      #expect(plane.relative(h, 0) == 0)
    }
    let rotations = (0..<set.order).filter { set.determinants[$0] == 1 }
    for stabilizer in [[0], rotations] {
      let space = try HomogeneousSpace(group: set, stabilizer: stabilizer)
      #expect(space.count * stabilizer.count == set.order)
      for h in 0..<set.order {
        for a in 0..<set.order {
          let image = set.productIfPresent(h, a).map(space.coset(of:))
          #expect(space.act(h, space.coset(of: a)) == image ?? -1)
          let source = (0..<space.count).first { space.act(h, $0) == space.coset(of: a) }
          #expect(space.relative(h, space.coset(of: a)) == source)
        }
      }
    }
    #expect(throws: GroupError.self) { try HomogeneousSpace(group: set, stabilizer: [0, set.order - 1]) }
  }
}
