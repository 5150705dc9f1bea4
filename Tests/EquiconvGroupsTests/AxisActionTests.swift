// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Testing
import _EquiconvTestSupport

@Suite struct AxisActionTests {
  /// The position h·v.
  private func apply(_ action: AxisAction, _ v: [Int]) -> [Int] {
    (0..<action.count).map { action.sign($0) * v[action.axis($0)] }
  }

  /// `L_h f` on a (rows, columns) array, moving each value from v to h·v about the center, in doubled coordinates.
  private func act(_ action: AxisAction, _ f: [[Int]]) -> [[Int]] {
    let shape = [f.count, f[0].count]
    let newShape = (0..<2).map { shape[action.axis($0)] }
    var result = Array(repeating: Array(repeating: -1, count: newShape[1]), count: newShape[0])
    for i in 0..<shape[0] {
      for j in 0..<shape[1] {
        let moved = apply(action, [2 * i - shape[0] + 1, 2 * j - shape[1] + 1])
        result[(moved[0] + newShape[0] - 1) / 2][(moved[1] + newShape[1] - 1) / 2] = f[i][j]
      }
    }
    return result
  }

  /// `numpy.rot90(f)`: out[i, j] = f[j, columns − 1 − i].
  private func rot90(_ f: [[Int]]) -> [[Int]] {
    let columns = f[0].count
    return (0..<columns).map { i in f.map { $0[columns - 1 - i] } }
  }

  /// `numpy.fliplr(f)`: out[i, j] = f[i, columns − 1 − j].
  private func fliplr(_ f: [[Int]]) -> [[Int]] { f.map { $0.reversed() } }

  static let array = [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]

  @Test func cyclic4_turnsArraysAsRot90() throws {
    let group = try PointGroup.cyclic(4)
    var expected = Self.array
    for r in 0..<4 {
      #expect(act(group.axisAction(r)!, Self.array) == expected)
      expected = rot90(expected)
    }
    #expect(act(group.axisAction(1)!, [[1, 2], [3, 4]]) == [[2, 4], [1, 3]])
    #expect(try act(PointGroup.cyclic(2).axisAction(1)!, Self.array) == rot90(rot90(Self.array)))
  }

  @Test(arguments: [1, 2, 4])
  func dihedral_mirrorsLeftAndRightThenTurns(n: Int) throws {
    let group = try PointGroup.dihedral(n)
    var expected = fliplr(Self.array)
    for r in 0..<n {
      #expect(act(group.axisAction(n + r)!, Self.array) == expected)
      for _ in 0..<4 / n { expected = rot90(expected) }
    }
  }

  @Test func reflection_reversesTheLine() {
    #expect(apply(PointGroup.reflection.axisAction(0)!, [3]) == [3])
    #expect(apply(PointGroup.reflection.axisAction(1)!, [3]) == [-3])
  }

  /// The quarter turn about z is rot90 of (row, column) in each layer of (depth, row, column).
  @Test func octahedral_turnsLayersAsRot90() throws {
    let turn: [Double] = [0, -1, 0, 1, 0, 0, 0, 0, 1]
    let element = try #require((0..<24).first { PointGroup.octahedral.matrix($0) == turn })
    let action = try #require(PointGroup.octahedral.axisAction(element))
    #expect(apply(action, [5, 1, 2]) == [5, -2, 1])
    #expect(try apply(PointGroup.cyclic(4).axisAction(1)!, [1, 2]) == [-2, 1])
  }

  /// With x = column, y = −row, z = −depth, moving along the axes and multiplying by the matrix are the same.
  @Test(arguments: GroupCatalog.all.filter(\.isLattice))
  func action_isThatOfTheMatrix(_ group: PointGroup) {
    let d = group.dimension
    func coordinates(_ v: [Int]) -> [Double] { zip([1, -1, -1], v.reversed()).map { Double($0 * $1) } }
    let v = Array([5, -3, 2].prefix(d))
    for h in 0..<group.order {
      let (m, x) = (group.matrix(h), coordinates(v))
      let expected = (0..<d).map { row in (0..<d).reduce(0) { $0 + m[row * d + $1] * x[$1] } }
      #expect(coordinates(apply(group.axisAction(h)!, v)) == expected)
      #expect(group.axisAction(h)!.count == d)
    }
  }

  @Test(arguments: GroupCatalog.all.filter(\.isLattice))
  func action_isAHomomorphism(_ group: PointGroup) {
    let v = Array([7, 2, -4].prefix(group.dimension))
    #expect(apply(group.axisAction(0)!, v) == v)
    for a in 0..<group.order {
      let steps = (0..<group.order).map { apply(group.axisAction(a)!, apply(group.axisAction($0)!, v)) }
      #expect((0..<group.order).map { apply(group.axisAction(group.product(a, $0))!, v) } == steps)
    }
  }

  @Test(arguments: GroupCatalog.all)
  func elements_haveAnAxisActionExactlyIfTheyMapTheGridToItself(_ group: PointGroup) throws {
    let d = group.dimension
    let turns = (0..<group.order).filter { h in
      let rows = (0..<d).map { row in group.matrix(h)[row * d..<(row + 1) * d] }
      return rows.allSatisfy { row in row.allSatisfy { [-1, 0, 1].contains($0) } && row.count { $0 != 0 } == 1 }
    }
    #expect((0..<group.order).filter { group.axisAction($0) != nil } == turns)
    #expect(group.latticeSubgroup == turns)
    #expect(group.isLattice == (turns.count == group.order))
    try group.checkSubgroup(turns)
  }

  @Test func quarterTurns_actAlikeInEveryCyclicGroup() throws {
    let quarter = try PointGroup.cyclic(4)
    for n in [4, 8, 12, 16] {
      let group = try PointGroup.cyclic(n)
      #expect(group.latticeSubgroup == (0..<4).map { $0 * n / 4 })
      for r in 0..<4 { #expect(group.axisAction(r * n / 4) == quarter.axisAction(r)) }
    }
    #expect(try PointGroup.dihedral(8).latticeSubgroup == [0, 2, 4, 6, 8, 10, 12, 14])
    #expect(try PointGroup.cyclic(3).latticeSubgroup == [0])
  }

  @Test(arguments: GroupCatalog.all.filter(\.isLattice))
  func distinctElements_actDifferently(_ group: PointGroup) {
    #expect(Set((0..<group.order).map { group.axisAction($0)! }).count == group.order)
  }
}

@Suite struct ArrayAxesTests {
  /// Turning along the array's axes and multiplying by the converted matrix are the same.
  @Test(arguments: GroupCatalog.all.filter(\.isLattice))
  func matrix_ofALatticeElement_isItsAxisAction(_ group: PointGroup) {
    let d = group.dimension
    for h in 0..<group.order {
      let action = group.axisAction(h)!
      var expected = [Double](repeating: 0, count: d * d)
      for a in 0..<d { expected[a * d + action.axis(a)] = Double(action.sign(a)) }
      #expect(ArrayAxes(count: d).matrix(group.matrix(h)) == expected)
    }
  }

  /// With x = column, y = −row, z = −depth, moving along the axes and then looking at coordinates is the same as moving
  /// coordinates, up to the rounding of sums of three.
  @Test(arguments: GroupCatalog.all)
  func matrix_movesArrayAxesAsTheGivenOneMovesCoordinates(_ group: PointGroup) {
    let d = group.dimension
    func coordinates(_ v: [Double]) -> [Double] { zip([1, -1, -1], v.reversed()).map { $0 * $1 } }
    func product(_ m: [Double], _ v: [Double]) -> [Double] {
      (0..<d).map { row in (0..<d).reduce(0) { $0 + m[row * d + $1] * v[$1] } }
    }
    let v = Array([5.0, -3, 2].prefix(d))
    for h in 0..<group.order {
      let moved = coordinates(product(ArrayAxes(count: d).matrix(group.matrix(h)), v))
      let expected = product(group.matrix(h), coordinates(v))
      #expect(zip(moved, expected).allSatisfy { abs($0 - $1) <= 4 * 10 * Double.ulpOfOne * group.scale(of: h) })
    }
  }

  @Test func movedAxes_areThoseThatSomeElementMirrorsExchangesOrMixes() throws {
    #expect(try PointGroup.trivial(3).movedAxes == [false, false, false])
    #expect(PointGroup.reflection.movedAxes == [true])
    #expect(try PointGroup.dihedral(1).movedAxes == [false, true])
    #expect(try PointGroup.axialCyclic(4, axis: .z).movedAxes == [false, true, true])
    #expect(try PointGroup.axialCyclic(5, axis: .x).movedAxes == [true, true, false])
    #expect(PointGroup.octahedral.movedAxes == [true, true, true])
    #expect(try PointGroup.scaling(dimension: 2, factors: [1, 0.25, 4]).movedAxes == [false, false])
    #expect(try PointGroup.similarity(3, factors: [1, 2]).movedAxes == [true, true])
  }

  @Test func mixedAxes_arePairsThatSomeElementExchangesOrMixes() throws {
    #expect(try PointGroup.dihedral(2).mixedAxes.isEmpty)
    #expect(try PointGroup.cyclic(3).mixedAxes.map { [$0.0, $0.1] } == [[0, 1]])
    #expect(try PointGroup.axialCyclic(4, axis: .x).mixedAxes.map { [$0.0, $0.1] } == [[0, 1]])
    #expect(Set(PointGroup.octahedral.mixedAxes.map { [$0.0, $0.1] }) == [[0, 1], [0, 2], [1, 2]])
  }
}
