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
}
