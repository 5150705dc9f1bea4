// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing
import _EquiconvTestSupport

/// What acts on each number of two signals alone.
@Suite struct ElementwiseTests {
  @Test func operatorsActOnEachNumber() throws {
    let a = try Signal<Double>(.group, shape: [1, 1, 2, 2], storage: [1, 2, 3, 4])
    let b = try Signal<Double>(.group, shape: [1, 1, 2, 2], storage: [10, 0, -3, 0.5])
    #expect(try (a + b).storage == [11, 2, 0, 4.5])
    #expect(try (a - b).storage == [-9, 2, 6, 3.5])
    #expect(try (a * b).storage == [10, 0, -9, 2])
    #expect(try a.combined(with: b) { max($0, $1) }.storage == [10, 2, 3, 4])
    let sum = try a + b
    #expect(sum.space == .group && sum.shape == [1, 1, 2, 2])
  }

  @Test func operatorsCommuteWithTheAction() throws {
    let d4 = try PointGroup.dihedral(4)
    let a = try Signal<Float>.random(.group, [2, 3, 8, 5, 7], seed: 40)
    let b = try Signal<Float>.random(.group, [2, 3, 8, 5, 7], seed: 41)
    for g in 0..<d4.order {
      let (turnedA, turnedB) = (try a.acted(by: g, of: d4), try b.acted(by: g, of: d4))
      #expect(try (turnedA + turnedB) == (a + b).acted(by: g, of: d4))
      #expect(try (turnedA * turnedB) == (a * b).acted(by: g, of: d4))
    }
  }

  @Test func otherShapesAndSpacesAreErrors() throws {
    let plane = try Signal<Float>.zeros(.plane, shape: [1, 4, 3, 3])
    let group = try Signal<Float>.zeros(.group, shape: [1, 1, 4, 3])
    let other = try Signal<Float>.zeros(.plane, shape: [1, 4, 3, 4])
    #expect(throws: ConvolutionError.self) { try plane + group }
    #expect {
      try plane - other
    } throws: {
      "\($0)"
        == "other is on the plane, of shape (1, 4, 3, 4), expected a signal on the plane, of shape (1, 4, 3, 3), as the one "
        + "it is combined with"
    }
  }

  @Test func theOrderOfAStabilizerDoesNotMatter() throws {
    let a = try Signal<Float>(.quotient(stabilizer: [0, 4]), shape: [1, 1, 2, 1], storage: [1, 2])
    let b = try Signal<Float>(.quotient(stabilizer: [4, 0]), shape: [1, 1, 2, 1], storage: [3, 4])
    let c = try Signal<Float>(.quotient(stabilizer: [0, 2]), shape: [1, 1, 2, 1], storage: [3, 4])
    #expect(try (a + b).storage == [4, 6])
    #expect(throws: ConvolutionError.self) { try a + c }
  }
}
