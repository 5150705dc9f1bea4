// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Testing
import _EquiconvTestSupport

@Suite struct SignedTransformTests {
  @Test(arguments: TransformExamples.pointGroups)
  func representations_satisfyTheirLaws(_ group: PointGroup) throws {
    let transform = try group.signedTransform(of: Array(0..<group.order))
    #expect(transform.elements == Array(0..<group.order))
    let representations = transform.representations
    #expect(!representations.contains { !$0.isSigned })
    #expect(checkTransformLaws(representations.map(RepresentationTables.init), of: group.table, tolerance: 0) == [])
  }

  @Test(arguments: TransformExamples.abstract)
  func representationsOfAnyGroup_satisfyTheirLaws(_ example: TransformExamples.Example) throws {
    let representations = try example.table.signedRepresentations().map(RepresentationTables.init)
    #expect(checkTransformLaws(representations, of: example.table, tolerance: 0) == [])
  }

  /// Products of |H|² and the dimensions of the representations with their columns.
  @Test func products_areThoseOfTheTable() throws {
    let expected: [(PointGroup, Int, [[Int]])] = [
      (try .trivial(3), 1, [[1, 1]]),
      (.reflection, 2, [[1, 1], [1, 1]]),
      (try .cyclic(2), 2, [[1, 1], [1, 1]]),
      (try .dihedral(1), 2, [[1, 1], [1, 1]]),
      (try .cyclic(4), 6, [[1, 1], [1, 1], [2, 1]]),
      (try .dihedral(2), 4, [[1, 1], [1, 1], [1, 1], [1, 1]]),
      (try .dihedral(4), 12, [[1, 1], [1, 1], [1, 1], [1, 1], [2, 2]]),
      (try .axialDihedral(4), 12, [[1, 1], [1, 1], [1, 1], [1, 1], [2, 2]]),
      (.tetrahedral, 36, [[3, 1], [3, 3]]),
      (.pyritohedral, 72, [[3, 1], [3, 1], [3, 3], [3, 3]]),
      (.octahedral, 72, [[3, 1], [3, 1], [3, 3], [3, 3]]),
      (.fullOctahedral, 144, [[3, 1], [3, 1], [3, 1], [3, 1], [3, 3], [3, 3], [3, 3], [3, 3]]),
    ]
    for (group, products, shapes) in expected {
      let transform = try group.signedTransform(of: Array(0..<group.order))
      #expect(transform.products == products, "\(group)")
      #expect(transform.representations.map { [$0.dimension, $0.columns] } == shapes, "\(group)")
    }
  }

  /// |H|, products by signed permutations, products by irreducible representations: the table of docs/Algorithms.md.
  @Test func subgroupsOfTheCube_haveTheProductsOfTheDocumentation() throws {
    let group = PointGroup.fullOctahedral
    let products = try allSubgroups(of: group).map { subgroup in
      let signed = try group.signedTransform(of: subgroup).products
      let irreducible = try group.irreducibleTransform(of: subgroup).products
      return [subgroup.count, signed, irreducible]
    }
    let table = [
      [1, 1, 1], [2, 2, 2], [3, 9, 5], [4, 6, 6], [4, 4, 4], [6, 18, 10], [8, 12, 12], [8, 8, 8], [12, 36, 32],
      [12, 36, 20], [16, 24, 24], [24, 72, 64], [48, 144, 128],
    ]
    #expect(Set(products) == Set(table))
  }

  /// Nothing with signed permutations could have fewer: the dimensions of all columns add up to at least |L|, each is at
  /// least |L| / |S| for a Sylow 2-subgroup S, and Σ d³/t is a bound for any representations.
  @Test(arguments: GroupCatalog.lattice.flatMap { group in allSubgroups(of: group).map { (group, $0) } })
  func productsOfLatticeGroups_areTheFewest(_ group: PointGroup, _ subgroup: [Int]) throws {
    let signed = try group.signedTransform(of: subgroup).products
    let irreducible = try group.irreducibleTransform(of: subgroup).products
    let oddPart = subgroup.count >> subgroup.count.trailingZeroBitCount
    #expect(signed == (oddPart == 1 ? irreducible : subgroup.count * oddPart))
  }

  /// The search does not end at the first sum of idempotents that cannot be refined.
  @Test(arguments: [1, 2, 3, 4] as [UInt64])
  func products_doNotDependOnTheOrderOfTheElements(_ seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    for group in [try PointGroup.dihedral(4), .pyritohedral, .octahedral, .fullOctahedral] {
      let places = [0] + (1..<group.order).shuffled(using: &generator)
      let numbers = places.indices.sorted { places[$0] < places[$1] }
      let shuffled = CayleyTable(order: group.order) { numbers[group.product(places[$0], places[$1])] }
      let products = try shuffled.signedRepresentations().reduce(0) { $0 + $1.products }
      #expect(try products == group.signedTransform(of: Array(0..<group.order)).products)
    }
  }

  /// ẑ(g z) = R(g) ẑ(z) with `==` on random floats, where (g z)[g h] = z[h]: sums are nested along the chains.
  @Test(arguments: TransformExamples.pointGroups)
  func nestedSums_commuteWithTheGroupToTheLastBit(_ group: PointGroup) throws {
    var generator = SplitMix64(seed: 15)
    let z = (0..<group.order).map { _ in Float.random(in: -1...1, using: &generator) }
    for representation in try group.signedTransform(of: Array(0..<group.order)).representations {
      let r = RepresentationTables(representation)
      let transformed = nestedSums(of: z, r, in: group)
      for g in 0..<group.order {
        let moved = (0..<group.order).map { z[group.product(group.inverse(g), $0)] }
        let indices = 0..<r.dimension
        let expected = indices.flatMap { i in
          indices.map { j in
            let line = indices.first { r.entry(g, i, $0) != 0 }!
            return Float(r.entry(g, i, line)) * transformed[line * r.dimension + j]
          }
        }
        #expect(nestedSums(of: moved, r, in: group) == expected)
      }
    }
  }

  @Test func columns_shareTheirChains() throws {
    // The normal four-group lies in all that keep a line; sums over it are taken once.
    for group in [PointGroup.tetrahedral, .octahedral, .fullOctahedral] {
      let chains = try group.signedTransform(of: Array(0..<group.order)).representations.flatMap(\.chains)
      #expect(Set(chains.map { $0.prefix(3) }).count == 1)
      #expect(chains.allSatisfy { $0[2] == [0, 1, 2, 3] })
    }
    // The half turn, a group that keeps the axes, all.
    let chains = try PointGroup.dihedral(4).signedTransform(of: Array(0..<8)).representations.flatMap(\.chains)
    #expect(Set(chains.map { $0.prefix(3) }).count == 1)
  }

  @Test func transformOfASubgroup_isThatOfTheSameGroup() throws {
    let c8 = try PointGroup.cyclic(8)
    let quarterTurns = try c8.signedTransform(of: c8.latticeSubgroup.reversed())
    let c4 = try PointGroup.cyclic(4).signedTransform(of: [0, 1, 2, 3])
    #expect(quarterTurns.elements == [0, 2, 4, 6])
    #expect(quarterTurns.representations == c4.representations)
  }

  @Test func whatIsNoSubgroupOrTooLarge_isRefused() throws {
    let large = try PointGroup.cyclic(129)
    let tooLarge = GroupError.invalidOrder(.size(of: .subgroup), value: 129, limit: 128)
    #expect(throws: tooLarge) { try large.signedTransform(of: Array(0..<129)) }
    #expect(throws: tooLarge) { try large.irreducibleTransform(of: Array(0..<129)) }
    let d4 = try PointGroup.dihedral(4)
    #expect(throws: GroupError.self) { try d4.signedTransform(of: [0, 1]) }
    #expect(throws: GroupError.self) { try d4.irreducibleTransform(of: []) }
  }

  /// The checker must notice every law being broken, or passing it means nothing.
  @Test func checker_noticesEachBrokenLaw() throws {
    let group = PointGroup.octahedral
    let sound = try group.signedTransform(of: Array(0..<24)).representations.map(RepresentationTables.init)
    func broken(_ change: (inout RepresentationTables) -> Void) -> [String] {
      var tables = sound
      change(&tables[2])
      return checkTransformLaws(tables, of: group.table, tolerance: 0)
    }
    #expect(broken { _ in } == [])
    #expect(broken { $0.chains.removeLast() } == ["shape"])
    #expect(broken { $0.columns = 4 } == ["shape"])
    #expect(broken { $0.matrices.swapAt(9, 10) }.contains("homomorphism"))
    #expect(broken { $0.matrices[9] = 2 }.contains("orthogonality"))
    #expect(broken { $0.columns = 2 } == ["recovery"])
    #expect(broken { $0.scale *= 2 } == ["recovery"])
    #expect(broken { $0.chains[1].remove(at: 1) } == ["chains"])
    #expect(broken { $0.chains[1][1] = [0, 4] } == ["chains"])
    #expect(broken { $0.chains[1] = [[1]] }.contains("chains"))
    #expect(broken { $0.chains[1].removeLast() } == ["signed permutations"])
    #expect(broken { $0.chains.swapAt(0, 1) } == ["kept lines", "signed permutations"])
  }

  /// Entries of ẑ, each summed from the values of z on halves of halves of a left coset.
  private func nestedSums(of z: [Float], _ r: RepresentationTables, in group: PointGroup) -> [Float] {
    func sum(_ h: Int, _ chain: ArraySlice<[Int]>, _ i: Int, _ j: Int) -> Float {
      guard chain.count > 1 else { return Float(r.entry(h, i, j)) * z[h] }
      let smaller = chain.dropLast()
      let other = chain.last!.first { !smaller.last!.contains($0) }!
      return sum(h, smaller, i, j) + sum(group.product(h, other), smaller, i, j)
    }
    return (0..<r.dimension).flatMap { i in
      (0..<r.dimension).map { j in
        sum((0..<group.order).first { r.entry($0, i, j) != 0 }!, r.chains[j][...], i, j)
      }
    }
  }
}
