// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Foundation
import Testing
import _EquiconvTestSupport

/// The published order of elements and the exactness of their matrices.
@Suite struct ConventionTests {
  static let flip: [Double] = [-1, 0, 0, 1]

  @Test(arguments: Array(1...12) + [16, 360])
  func cyclic_elementIsRotationCounterClockwise(n: Int) throws {
    let group = try PointGroup.cyclic(n)
    for r in 0..<n {
      let angle = 2 * Double.pi * Double(r) / Double(n)
      let expected = [cos(angle), -sin(angle), sin(angle), cos(angle)]
      #expect(zip(group.matrix(r), expected).allSatisfy { abs($0 - $1) < 1e-14 }, "element \(r)")
    }
  }

  @Test(arguments: Array(1...12) + [16])
  func dihedral_elementIsRotationAfterFlip(n: Int) throws {
    let group = try PointGroup.dihedral(n)
    let rotations = try PointGroup.cyclic(n)
    for r in 0..<n {
      #expect(group.matrix(r) == rotations.matrix(r))
      #expect(group.matrix(n + r) == multiply(rotations.matrix(r), Self.flip, 2))
      #expect(group.product(r, n) == n + r)
    }
  }

  @Test func quarterTurns_areExact() throws {
    let d4: [[Double]] = [
      [1, 0, 0, 1], [0, -1, 1, 0], [-1, 0, 0, -1], [0, 1, -1, 0],
      [-1, 0, 0, 1], [0, -1, -1, 0], [1, 0, 0, -1], [0, 1, 1, 0],
    ]
    let group = try PointGroup.dihedral(4)
    #expect((0..<8).map(group.matrix) == d4)
    for n in stride(from: 4, through: 64, by: 4) {
      #expect(try PointGroup.cyclic(n).matrix(n / 4) == d4[1])
      #expect(try PointGroup.cyclic(n).matrix(n / 2) == d4[2])
    }
  }

  @Test func matrices_haveNoNegativeZeros() throws {
    for group in GroupCatalog.all where group.isLattice {
      #expect(group.matrices.allSatisfy { $0 != 0 || $0.sign == .plus }, "\(group)")
    }
  }

  @Test(arguments: 1...64)
  func mirrorImages_haveTheSameNumbers(n: Int) throws {
    let group = try PointGroup.cyclic(n)
    for r in 1..<max(n, 1) {
      let (m, inverse) = (group.matrix(r), group.matrix(n - r))
      #expect(m[0] == m[3] && m[1] == -m[2])
      #expect(inverse == [m[0], m[2], m[1], m[3]])
      // Reflected at the diagonal, sine and cosine exchange.
      if n % 4 == 0 { #expect(group.matrix((n / 4 - r + n) % n)[0] == m[2]) }
    }
  }

  @Test func reflection_isOneAndMinusOne() {
    #expect(PointGroup.reflection.matrices == [1, -1])
  }

  @Test func octahedral_isInTheFrozenOrder() {
    let group = PointGroup.octahedral
    #expect(group.matrix(0) == [1, 0, 0, 0, 1, 0, 0, 0, 1])
    #expect(group.matrix(1) == [1, 0, 0, 0, -1, 0, 0, 0, -1])
    #expect(group.matrix(4) == [1, 0, 0, 0, 0, 1, 0, -1, 0])
    #expect(group.matrix(8) == [0, 1, 0, 1, 0, 0, 0, 0, -1])
    #expect(group.matrix(12) == [0, 1, 0, 0, 0, 1, 1, 0, 0])
    #expect(group.matrix(23) == [0, 0, -1, 0, -1, 0, -1, 0, 0])
    // Columns of the non-zero entries, then the signs with + before −, increase.
    let keys = (0..<24).map { element in
      let rows = (0..<3).map { Array(group.matrix(element)[3 * $0..<3 * $0 + 3]) }
      let columns = rows.map { $0.firstIndex { $0 != 0 }! }
      return columns + zip(rows, columns).map { $0[$1] > 0 ? 0 : 1 }
    }
    for (key, next) in zip(keys, keys.dropFirst()) { #expect(key.lexicographicallyPrecedes(next)) }
    #expect(group.determinants == [Double](repeating: 1, count: 24))
  }

  @Test func fullOctahedral_isOctahedralThenItsNegative() {
    let (full, half) = (PointGroup.fullOctahedral, PointGroup.octahedral)
    for i in 0..<24 {
      #expect(full.matrix(i) == half.matrix(i))
      #expect(full.matrix(24 + i) == half.matrix(i).map { 0 - $0 })
      #expect(full.product(24, i) == 24 + i)
    }
  }

  @Test func tetrahedral_isInTheFrozenOrder() {
    let group = PointGroup.tetrahedral
    let signs: [[Double]] = [[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]
    for (i, columns) in [[0, 1, 2], [1, 2, 0], [2, 0, 1]].enumerated() {
      for j in 0..<4 {
        var expected = [Double](repeating: 0, count: 9)
        for row in 0..<3 { expected[3 * row + columns[row]] = signs[j][row] }
        #expect(group.matrix(4 * i + j) == expected)
      }
    }
    // They permute the vertices of a tetrahedron.
    for h in 0..<12 { #expect(Set(signs.map { image(of: $0, by: group.matrix(h)) }) == Set(signs)) }
    for i in 0..<12 {
      #expect(PointGroup.pyritohedral.matrix(i) == group.matrix(i))
      #expect(PointGroup.pyritohedral.matrix(12 + i) == group.matrix(i).map { 0 - $0 })
    }
  }

  @Test func icosahedral_isFifthTurnsOfTheTetrahedral() {
    let (group, tetrahedral) = (PointGroup.icosahedral, PointGroup.tetrahedral)
    let phi = (1 + 5.0.squareRoot()) / 2
    let fifth = [phi - 1, -phi, 1, phi, 1, phi - 1, -1, phi - 1, phi].map { $0 / 2 }
    #expect(zip(group.matrix(12), fifth).allSatisfy { abs($0 - $1) < 1e-15 })
    #expect(zip(image(of: [0, 1, phi], by: fifth), [0, 1, phi]).allSatisfy { abs($0 - $1) < 1e-15 })
    // Counter-clockwise by 72°: the trace is 1 + 2 cos, and the antisymmetric part points along the axis.
    #expect(abs(fifth[0] + fifth[4] + fifth[8] - (1 + 2 * cos(2 * Double.pi / 5))) < 1e-15)
    #expect(fifth[2] - fifth[6] > 0 && fifth[3] - fifth[1] > 0)
    for t in 0..<12 {
      #expect(group.matrix(t) == tetrahedral.matrix(t))
      for j in 1..<5 { #expect(group.product(12, 12 * (j - 1) + t) == 12 * j + t) }
    }
    #expect(group.latticeSubgroup == Array(0..<12))
    for i in 0..<60 {
      #expect(PointGroup.fullIcosahedral.matrix(i) == group.matrix(i))
      #expect(PointGroup.fullIcosahedral.matrix(60 + i) == group.matrix(i).map { 0 - $0 })
      #expect(PointGroup.fullIcosahedral.product(60, i) == 60 + i)
    }
  }

  @Test func icosahedral_permutesTheVertices() {
    let phi = (1 + 5.0.squareRoot()) / 2
    var vertices: [[Double]] = []
    for (a, b) in [(1, phi), (1, -phi), (-1, phi), (-1, -phi)] as [(Double, Double)] {
      vertices += [[0, a, b], [b, 0, a], [a, b, 0]]
    }
    for h in 0..<120 {
      let matrix = PointGroup.fullIcosahedral.matrix(h)
      let images = vertices.map { vertex in
        vertices.firstIndex { zip($0, image(of: vertex, by: matrix)).allSatisfy { abs($0 - $1) < 1e-12 } }
      }
      #expect(Set(images).count == 12 && !images.contains(nil))
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8])
  func axialGroups_turnThePlaneOfTheOtherAxes(n: Int) throws {
    let plane = try PointGroup.dihedral(n)
    for (axis, u, v) in [(PointGroup.Axis.x, 1, 2), (.y, 2, 0), (.z, 0, 1)] {
      let w = 3 - u - v
      let cyclic = try PointGroup.axialCyclic(n, axis: axis)
      let dihedral = try PointGroup.axialDihedral(n, axis: axis)
      for h in 0..<2 * n {
        let (m, p) = (dihedral.matrix(h), plane.matrix(h))
        #expect([m[3 * u + u], m[3 * u + v], m[3 * v + u], m[3 * v + v]] == p)
        #expect([m[3 * u + w], m[3 * v + w], m[3 * w + u], m[3 * w + v]] == [0, 0, 0, 0])
        #expect(m[3 * w + w] == (h < n ? 1 : -1))
        if h < n { #expect(cyclic.matrix(h) == m) }
      }
      #expect(dihedral.determinants == [Double](repeating: 1, count: 2 * n))
      #expect(dihedral.isLattice == [1, 2, 4].contains(n))
      let hasTableOfThePlane = dihedral.cayley == plane.cayley
      #expect(hasTableOfThePlane)
    }
    #expect(try PointGroup.axialCyclic(n) == PointGroup.axialCyclic(n, axis: .z))
    #expect(try PointGroup.axialDihedral(n) == PointGroup.axialDihedral(n, axis: .z))
  }

  private func image(of v: [Double], by m: [Double]) -> [Double] {
    (0..<3).map { row in (0..<3).reduce(0) { $0 + m[3 * row + $1] * v[$1] } }
  }
}
