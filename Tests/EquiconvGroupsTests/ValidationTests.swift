// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Foundation
import Testing
import _EquiconvTestSupport

/// Groups made from matrices: what is refused, with which error, and what is accepted.
@Suite struct ValidationTests {
  static let quarterTurns: [Double] = [1, 0, 0, 1, 0, -1, 1, 0, -1, 0, 0, -1, 0, 1, -1, 0]

  private func expect(_ error: GroupError, _ dimension: Int, _ matrices: [Double], _ message: String? = nil) {
    #expect(throws: error) { try PointGroup(dimension: dimension, matrices: matrices) }
    if let message { #expect(error.description == message) }
  }

  // MARK: Refused

  @Test func invalidOrders_areRefused() {
    for n in [0, -1, 4097, Int.max, Int.min] {
      #expect(throws: GroupError.invalidOrder(.n, value: n, limit: 4096)) { try PointGroup.cyclic(n) }
      #expect(throws: GroupError.invalidOrder(.n, value: n, limit: 2048)) { try PointGroup.dihedral(n) }
    }
    #expect(throws: GroupError.invalidOrder(.n, value: 2049, limit: 2048)) { try PointGroup.dihedral(2049) }
    expect(.invalidOrder(.order, value: 0, limit: 4096), 2, [], "order is 0, expected 1...4096")
    let tooMany = [Double](repeating: 1, count: 4097)
    expect(.invalidOrder(.order, value: 4097, limit: 4096), 1, tooMany)
  }

  @Test func invalidOrdersOfAxialGroups_areRefused() {
    for axis in PointGroup.Axis.allCases {
      for n in [0, -1, 4097, Int.max, Int.min] {
        #expect(throws: GroupError.invalidOrder(.n, value: n, limit: 4096)) {
          try PointGroup.axialCyclic(n, axis: axis)
        }
        #expect(throws: GroupError.invalidOrder(.n, value: n, limit: 2048)) {
          try PointGroup.axialDihedral(n, axis: axis)
        }
      }
    }
  }

  @Test func invalidFactors_areRefused() {
    func expectBoth(_ error: GroupError, _ factors: [Double], _ message: String? = nil) {
      #expect(throws: error) { try PointGroup.scaling(dimension: 2, factors: factors) }
      #expect(throws: error) { try PointGroup.similarity(4, factors: factors) }
      if let message { #expect(error.description == message) }
    }
    for value in [0, -1, -2, .infinity, 1025, 1 / 1025.0, .leastNonzeroMagnitude, -.infinity] {
      expectBoth(.invalidFactor(index: 1, value: value, expected: "a number in 1/1024...1024"), [1, value])
    }
    for factors in [[.nan, 1], [1, .nan]] {
      #expect(throws: GroupError.self) { try PointGroup.scaling(dimension: 2, factors: factors) }
      #expect(throws: GroupError.self) { try PointGroup.similarity(4, factors: factors) }
    }
    expectBoth(
      .invalidFactor(index: 0, value: 2, expected: "1, the identity"), [2, 1],
      "factors[0] is 2.0, expected 1, the identity")
    expectBoth(
      .duplicateFactor(1, 3), [1, 2, 3, 2], "factors[1] and factors[3] are equal, expected each factor once")
    expectBoth(.duplicateFactor(0, 1), [1, 1 + 1e-6])
    #expect(throws: GroupError.invalidOrder(.factorCount, value: 0, limit: 4096)) {
      try PointGroup.scaling(dimension: 1, factors: [])
    }
    #expect(throws: GroupError.invalidOrder(.factorCount, value: 3, limit: 2)) {
      try PointGroup.similarity(2048, factors: [1, 2, 3])
    }
    for d in [0, 4, -1, Int.max] {
      #expect(throws: GroupError.invalidDimension(d)) { try PointGroup.scaling(dimension: d, factors: [1]) }
    }
    for n in [0, -1, 4097, Int.min] {
      #expect(throws: GroupError.invalidOrder(.n, value: n, limit: 4096)) {
        try PointGroup.similarity(n, factors: [1])
      }
    }
  }

  @Test func invalidDimensions_areRefused() {
    for d in [0, -1, 4, Int.max, Int.min] {
      #expect(throws: GroupError.invalidDimension(d)) { try PointGroup.trivial(d) }
      expect(.invalidDimension(d), d, [1], "dimension is \(d), expected 1, 2 or 3")
    }
  }

  @Test func partsOfMatrices_areRefused() {
    expect(.wrongMatrixCount(expected: 4, got: 3), 2, [1, 0, 0])
    expect(
      .wrongMatrixCount(expected: 18, got: 10), 3, [1, 0, 0, 0, 1, 0, 0, 0, 1, 1],
      "matrices has 10 entries, expected a whole number of d×d matrices, for example 18 entries")
  }

  @Test func entriesThatAreNotFinite_areRefused() {
    for value in [Double.nan, .infinity, -.infinity, .signalingNaN] {
      var matrices = Self.quarterTurns
      matrices[2 * 4 + 1 * 2 + 0] = value
      expect(
        .notFinite(element: 2, row: 1, column: 0), 2, matrices,
        "matrices[2][1][0] is infinite or not a number, expected a finite number")
    }
    expect(.notFinite(element: 0, row: 2, column: 1), 3, [1, 0, 0, 0, 1, 0, 0, .nan, 1])
  }

  @Test func identityElsewhere_isRefused() {
    expect(.identityNotFirst, 1, [-1, 1], "matrices[0] is not the identity, expected the identity first")
    expect(.identityNotFirst, 2, [1, 0, 2e-6, 1])
  }

  @Test func duplicates_areRefused() {
    expect(
      .duplicateElement(1, 4), 2, Self.quarterTurns + [0, -1, 1, 0],
      "matrices[1] and matrices[4] are equal, expected each element once")
    expect(.duplicateElement(1, 4), 2, Self.quarterTurns + [5e-7, -1, 1, 0])
    expect(.duplicateElement(0, 1), 1, [Double](repeating: 1, count: 4096))
  }

  @Test func missingInverses_areRefused() {
    expect(
      .noInverse(element: 1), 2, [1, 0, 0, 1, 0, -1, 1, 0],
      "matrices[1] is singular or its inverse is missing, expected the inverse of every element")
    expect(.noInverse(element: 1), 1, [1, 0])
    expect(.noInverse(element: 1), 2, [1, 0, 0, 1, 1, 0, 0, 0])
    expect(.noInverse(element: 1), 3, [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(.noInverse(element: 1), 1, [1, 2])
    // An element, its inverse, and a third that is missing one.
    expect(.noInverse(element: 3), 1, [1, 2, 0.5, 3])
  }

  @Test func missingProducts_areRefused() {
    expect(
      .notClosed(1, 1), 2, [1, 0, 0, 1, 0, -1, 1, 0, 0, 1, -1, 0],
      "the product matrices[1] · matrices[1] is missing, expected the product of every two elements")
    // Two mirrors, each its own inverse, without the rotation that is their product.
    expect(.notClosed(2, 1), 2, [1, 0, 0, 1, -1, 0, 0, 1, 0, 1, 1, 0])
    expect(.notClosed(1, 1), 1, [1, 2, 0.5])
  }

  /// A rotation by slightly more than 2π/n: each step looks right, the n-th does not.
  @Test func rotationsThatDoNotClose_areRefused() throws {
    let n = 720
    for excess in [1e-8, 1e-7, 1e-6] {
      let angle = 2 * Double.pi / Double(n) + excess
      let turn = [1 - angle * angle / 2, -angle, angle, 1 - angle * angle / 2]
      var power: [Double] = [1, 0, 0, 1]
      var matrices: [Double] = []
      for _ in 0..<n {
        matrices += power
        power = multiply(power, turn, 2)
      }
      #expect(throws: GroupError.self) { try PointGroup(dimension: 2, matrices: matrices) }
    }
  }

  /// Every product with the generator and with the inverse is within the tolerance, but not those far from both.
  @Test func errorsThatAddUp_areRefused() throws {
    let n = 100
    let excess = (0..<n).map { r -> Double in
      let triangle = min(r, abs(r - n / 2), n - r)
      return r < 2 || r == n - 1 ? 0 : (r < n / 2 ? 0.4e-6 : -0.4e-6) * Double(triangle)
    }
    let matrices = (0..<n).flatMap { r -> [Double] in
      let angle = 2 * Double.pi * Double(r) / Double(n) + excess[r]
      return [cos(angle), -sin(angle), sin(angle), cos(angle)]
    }
    #expect {
      try PointGroup(dimension: 2, matrices: matrices)
    } throws: {
      if case GroupError.notClosed = $0 { true } else { false }
    }
  }

  @Test func hugeAndTinyEntries_areRefused() {
    for value in [1e300, -1e308, Double.greatestFiniteMagnitude, 1e16] {
      expect(.noInverse(element: 1), 1, [1, value])
      #expect(throws: GroupError.self) {
        try PointGroup(
          dimension: 3,
          matrices: [1, 0, 0, 0, 1, 0, 0, 0, 1] + (0..<18).map { $0 % 2 == 0 ? value : -value })
      }
    }
    expect(.noInverse(element: 1), 1, [1, Double.leastNonzeroMagnitude])
  }

  @Test func everyMessage_isDistinct() {
    let errors: [GroupError] = [
      .invalidOrder(.n, value: 0, limit: 4096), .invalidDimension(4), .notFinite(element: 1, row: 0, column: 1),
      .identityNotFirst, .duplicateElement(1, 2), .noInverse(element: 1), .notClosed(1, 2),
      .notASubgroup(reason: "subgroup has the element 8, which is not in 0..<8"),
      .wrongMatrixCount(expected: 4, got: 3), .invalidFactor(index: 1, value: 0, expected: "a number"),
      .duplicateFactor(1, 2), .differentGroups("C4", "D4"),
    ]
    #expect(Set(errors.map(\.description)).count == errors.count)
    #expect(errors.allSatisfy { $0.description.contains("expected") })
    #expect(errors[7].description == "subgroup has the element 8, which is not in 0..<8, expected a subgroup")
  }

  // MARK: Accepted

  /// Compares outside of the macro, which would otherwise work out the difference of two long tables.
  private func expectEqualTables(_ a: PointGroup, _ b: PointGroup, sourceLocation: SourceLocation = #_sourceLocation) {
    let areEqual = a.cayley == b.cayley
    #expect(areEqual, "Cayley tables of \(a) and \(b)", sourceLocation: sourceLocation)
  }

  @Test(arguments: GroupCatalog.all)
  func matricesOfAGroup_giveItsTable(_ group: PointGroup) throws {
    let copy = try PointGroup(dimension: group.dimension, matrices: group.matrices)
    expectEqualTables(copy, group)
    #expect(copy.inverses == group.inverses)
    #expect(copy.isLattice == group.isLattice)
  }

  @Test(arguments: GroupCatalog.all)
  func matricesInAnyOrder_giveTheRelabeledTable(_ group: PointGroup) throws {
    var random = SplitMix64(seed: 7)
    let labels = [0] + (1..<max(group.order, 1)).shuffled(using: &random)
    let copy = try PointGroup(dimension: group.dimension, matrices: labels.flatMap(group.matrix))
    let isRelabeled = (0..<group.order).allSatisfy { a in
      (0..<group.order).allSatisfy { labels[copy.product(a, $0)] == group.product(labels[a], labels[$0]) }
    }
    #expect(isRelabeled)
  }

  @Test func entriesNextToIntegers_becomeExact() throws {
    var random = SplitMix64(seed: 3)
    for noise in [1e-16, 5e-10, 4e-7] {
      let group = PointGroup.fullOctahedral
      let noisy = group.matrices.map { $0 + Double.random(in: -noise...noise, using: &random) }
      let copy = try PointGroup(dimension: 3, matrices: noisy)
      #expect(copy == group)
      #expect(copy.isLattice)
    }
    let negativeZeros = try PointGroup(dimension: 2, matrices: [1, -0.0, -0.0, 1, -1, -0.0, -0.0, -1])
    #expect(negativeZeros.matrices.allSatisfy { $0 != 0 || $0.sign == .plus })
    let float32 = try PointGroup(dimension: 2, matrices: [1, 0, 0, 1, -1, 8.742278e-8, -8.742278e-8, -1])
    #expect(try float32 == PointGroup.cyclic(2))
  }

  @Test(arguments: [3, 5, 8, 12, 100])
  func singlePrecisionMatrices_giveTheSameTable(n: Int) throws {
    for group in [try PointGroup.cyclic(n), try PointGroup.dihedral(n)] {
      let copy = try PointGroup(dimension: 2, matrices: group.matrices.map { Double(Float($0)) })
      expectEqualTables(copy, group)
      #expect(copy.determinants == group.determinants)
      #expect(copy.matrix(0) == [1, 0, 0, 1])
    }
  }

  @Test func noiseBeyondTheTolerance_isRefused() {
    var random = SplitMix64(seed: 4)
    let noisy = PointGroup.octahedral.matrices.enumerated().map { index, entry in
      index < 9 ? entry : entry + Double.random(in: 1e-5...1e-4, using: &random)
    }
    #expect(throws: GroupError.self) { try PointGroup(dimension: 3, matrices: noisy) }
  }

  @Test func largeGroups_areTakenFromMatrices() throws {
    let group = try PointGroup.dihedral(250)
    let copy = try PointGroup(dimension: 2, matrices: group.matrices)
    expectEqualTables(copy, group)
  }

  /// Whatever is accepted is a group; and among random sets of small integer matrices both outcomes occur.
  @Test func randomMatrices_areGroupsOrErrors() {
    var random = SplitMix64(seed: 11)
    var (accepted, refused) = (0, 0)
    for _ in 0..<5000 {
      let d = Int.random(in: 1...3, using: &random)
      let order = Int.random(in: 2...4, using: &random)
      let identity = (0..<d * d).map { $0 / d == $0 % d ? 1.0 : 0 }
      let rest = (0..<(order - 1) * d * d).map { _ in Double(Int.random(in: -1...1, using: &random)) }
      guard let group = try? PointGroup(dimension: d, matrices: identity + rest) else {
        refused += 1
        continue
      }
      accepted += 1
      #expect(checkGroupLaws(group) == [])
    }
    #expect(accepted > 100 && refused > 100)
  }
}
