// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension PointGroup {
  /// The 60 rotations of the icosahedron with the vertices (0, ±1, ±φ) and their cyclic permutations, φ = (1 + √5)/2.
  ///
  /// Element 12·j + t is fʲ·(element t of `tetrahedral`), where f is the rotation by a fifth of a turn,
  /// counter-clockwise, about the vertex (0, 1, φ). So the lattice subgroup is the first 12 elements, and its left cosets
  /// are runs of 12. The order is frozen. The table is worked out exactly, in the numbers (a + bφ)/2 with whole a and b.
  public static let icosahedral = golden(
    name: "icosahedral", .icosahedral, elements: icosahedralRotations)

  /// The 120 symmetries of the icosahedron; element 60 + i is minus element i of `icosahedral`.
  public static let fullIcosahedral = golden(
    name: "full icosahedral", .fullIcosahedral, elements: icosahedralRotations + icosahedralRotations.map { -$0 })

  private static var icosahedralRotations: [GoldenMatrix] {
    let tetrahedral = tetrahedralRotations.map(GoldenMatrix.init)
    // The powers of a rotation by 72°.
    let powers = (1..<5).reduce(into: [tetrahedral[0]]) { powers, _ in powers.append(.fifthTurn * powers.last!) }
    return powers.flatMap { power in tetrahedral.map { power * $0 } }
  }

  /// The group of these matrices, which are closed under products and begin with the identity.
  private static func golden(name: String, _ recipe: Recipe, elements: [GoldenMatrix]) -> PointGroup {
    let index = Dictionary(uniqueKeysWithValues: zip(elements, Int32(0)...))
    let order = elements.count
    let cayley = (0..<order * order).map { index[elements[$0 / order] * elements[$0 % order]]! }
    return PointGroup(
      PointGroupStorage(
        name: name, recipe: recipe, dimension: 3, matrices: FixedArray(small: elements.flatMap { $0.matrix }),
        cayley: FixedArray(small: cayley)))
  }
}

/// A number (a + bφ)/2, where φ² = φ + 1.
private struct GoldenNumber: Hashable {
  var a = 0
  var b = 0

  var value: Double {
    let phi = (1 + 5.0.squareRoot()) / 2
    return (Double(a) + Double(b) * phi) / 2
  }
}

/// A 3×3 matrix of numbers (a + bφ)/2, such as that of every symmetry of an icosahedron.
private struct GoldenMatrix: Hashable {
  /// Row-major.
  private var entries: [GoldenNumber]

  /// The rotation by 72° about (0, 1, φ): 1/φ = φ − 1.
  static let fifthTurn = GoldenMatrix(
    entries: [
      .init(a: -1, b: 1), .init(b: -1), .init(a: 1),
      .init(b: 1), .init(a: 1), .init(a: -1, b: 1),
      .init(a: -1), .init(a: -1, b: 1), .init(b: 1),
    ])

  private init(entries: [GoldenNumber]) { self.entries = entries }

  init(_ permutation: SignedPermutation) {
    entries = permutation.matrix.map { GoldenNumber(a: 2 * Int($0)) }
  }

  var matrix: [Double] { entries.map { $0.value } }

  static func * (p: Self, q: Self) -> Self {
    Self(
      entries: (0..<9).map { entry in
        var sum = GoldenNumber()
        for k in 0..<3 {
          let (x, y) = (p.entries[entry / 3 * 3 + k], q.entries[k * 3 + entry % 3])
          sum.a += x.a * y.a + x.b * y.b
          sum.b += x.a * y.b + x.b * y.a + x.b * y.b
        }
        // Quarters that come out whole halves: these matrices are a group.
        assert(sum.a % 2 == 0 && sum.b % 2 == 0)
        return GoldenNumber(a: sum.a / 2, b: sum.b / 2)
      })
  }

  static prefix func - (p: Self) -> Self {
    Self(entries: p.entries.map { GoldenNumber(a: -$0.a, b: -$0.b) })
  }
}
