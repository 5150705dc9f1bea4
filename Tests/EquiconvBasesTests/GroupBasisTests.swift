// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Functions on H.
@Suite struct GroupBasisTests {
  @Test func full_isTheIdentityOnEveryGroup() throws {
    for group in GroupCatalog.all {
      let matrix = try GroupBasis.full.matrix(for: group)
      #expect(matrix == (0..<group.order).map { row in (0..<group.order).map { $0 == row ? 1 : 0 } })
      #expect(try GroupBasis.full.elements(for: group) == Array(0..<group.order))
    }
  }

  @Test func localized_hasUnitColumnsInTheGivenOrder() throws {
    let basis = GroupBasis.localized([3, 0, 1])
    let c4 = try PointGroup.cyclic(4)
    #expect(try basis.matrix(for: c4) == [[0, 1, 0], [0, 0, 1], [0, 0, 0], [1, 0, 0]])
    #expect(try basis.elements(for: c4) == [0, 1, 3])
    #expect(try basis.count(for: c4) == 3)
  }

  @Test(arguments: 1...5, [4, 8, 16, 5])
  func splines_arePeriodicTruncatedPowers(degree: Int, n: Int) throws {
    let (centers, scale) = ([0, 1.1, -2, 9.5], 0.9)
    let basis = GroupBasis.bSpline(degree: degree, centers: centers, scale: scale)
    let matrix = try basis.matrix(for: PointGroup.cyclic(n))
    for r in 0..<n {
      for (i, center) in centers.enumerated() {
        let expected = (-5...5).reduce(0) { sum, m in
          let angle = 2 * Double.pi * (Double(r) / Double(n) + Double(m)) - center
          return abs(angle / scale) < 3 ? sum + truncatedPowers(angle / scale, degree) : sum
        }
        #expect(abs(matrix[r][i] - expected) < 1e-12)
      }
    }
  }

  @Test(arguments: 0...5, 1...9)
  func equallySpacedSplines_addUpToOne(degree: Int, count: Int) throws {
    for n in [1, 2, 3, 4, 8, 12, 18] {
      let matrix = try GroupBasis.bSpline(degree: degree, count: count).matrix(for: PointGroup.cyclic(n))
      for row in matrix { #expect(row.count == count && abs(row.reduce(0, +) - 1) < 1e-14) }
    }
  }

  @Test func linearSplines_aboutAllElementsAreTheIdentity() throws {
    let matrix = try GroupBasis.bSpline(degree: 1, count: 8).matrix(for: PointGroup.cyclic(8))
    for (r, row) in matrix.enumerated() {
      #expect(distance(row, (0..<8).map { $0 == r ? 1 : 0 }) < 1e-14)
    }
  }

  @Test func supportOfASpline_isTheElementsNearIt() throws {
    let basis = GroupBasis.bSpline(degree: 2, centers: [0], scale: Double.pi / 8)
    #expect(try basis.elements(for: PointGroup.cyclic(16)) == [0, 1, 15])
  }

  @Test func wrongArguments_areNamed() throws {
    let c4 = try PointGroup.cyclic(4)
    func message(_ basis: GroupBasis, _ group: PointGroup) -> String? {
      do throws(BasisError) {
        _ = try basis.matrix(for: group)
        return nil
      } catch { return error.description }
    }
    let elements = "one or more different elements, 0...3"
    #expect(message(.localized([]), c4) == "elements is [], expected \(elements)")
    #expect(message(.localized([4]), c4) == "elements is [4], expected \(elements)")
    #expect(message(.localized([-1, 2]), c4) == "elements is [-1, 2], expected \(elements)")
    #expect(message(.localized([1, 1]), c4) == "elements is [1, 1], expected \(elements)")
    let spline = GroupBasis.bSpline(degree: 2, centers: [0], scale: 1)
    let cyclic = "cyclic(n), whose elements are angles"
    #expect(message(spline, try .dihedral(4)) == "group is D4, expected \(cyclic)")
    #expect(message(spline, .octahedral) == "group is octahedral, expected \(cyclic)")
    #expect(message(spline, .reflection) == "group is reflection, expected \(cyclic)")
    #expect(message(spline, try .trivial(2)) == nil)
    #expect(message(.bSpline(degree: 6, centers: [0], scale: 1), c4) == "degree is 6, expected 0...5")
    #expect(
      message(.bSpline(degree: 2, centers: [], scale: 1), c4) == "centers has 0 entries, expected one center or more")
    #expect(
      message(.bSpline(degree: 2, centers: [0, .nan], scale: 1), c4)
        == "centers[1] is nan, expected a finite angle in radians")
    for scale in [0, -1, .nan, .infinity, 6.3] {
      #expect(message(.bSpline(degree: 2, centers: [0], scale: scale), c4)?.hasPrefix("scale is \(scale), ") == true)
    }
    #expect(throws: BasisError.invalidInteger(.count, value: 0, expected: "1...4096")) {
      try GroupBasis.bSpline(degree: 2, count: 0)
    }
  }
}
