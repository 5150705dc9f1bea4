// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension PointGroup {
  /// The 24 rotations of the cube: the signed permutation matrices of determinant 1.
  ///
  /// Row a of a matrix has the entry s(a) in column p(a). The frozen order is lexicographic in the permutation
  /// (p(0), p(1), p(2)), and for each permutation in the signs (s(0), s(1), s(2)), + before −. The identity is first.
  public static let octahedral = lattice(name: "octahedral", .octahedral, elements: cubeRotations)

  /// The 48 symmetries of the cube; element 24 + i is minus element i of `octahedral`.
  public static let fullOctahedral = lattice(
    name: "full octahedral", .fullOctahedral, elements: cubeRotations + cubeRotations.map { -$0 })

  /// The 12 rotations of the tetrahedron with the vertices (1, 1, 1), (1, −1, −1), (−1, 1, −1), (−1, −1, 1).
  ///
  /// These are the rotations of the cube whose permutation (p(0), p(1), p(2)) is cyclic, in the frozen order of
  /// `octahedral`: element 4·i + j has the i-th of the permutations (0, 1, 2), (1, 2, 0), (2, 0, 1) and the j-th of the
  /// signs + + +, + − −, − + −, − − +.
  public static let tetrahedral = lattice(name: "tetrahedral", .tetrahedral, elements: tetrahedralRotations)

  /// The tetrahedral rotations and their negatives, order 24; element 12 + i is minus element i of `tetrahedral`.
  public static let pyritohedral = lattice(
    name: "pyritohedral", .pyritohedral, elements: tetrahedralRotations + tetrahedralRotations.map { -$0 })

  static var tetrahedralRotations: [SignedPermutation] {
    cubeRotations.filter { [[0, 1, 2], [1, 2, 0], [2, 0, 1]].contains($0.axes) }
  }

  private static var cubeRotations: [SignedPermutation] {
    let permutations = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
    let signs = (0..<8).map { bits in [4, 2, 1].map { bits & $0 == 0 ? 1 : -1 } }
    return permutations.flatMap { axes in
      signs.map { SignedPermutation(axes: axes, signs: $0) }.filter { $0.determinant == 1 }
    }
  }

  /// The group of these signed permutations, which are closed under products and begin with the identity.
  private static func lattice(name: String, _ recipe: Recipe, elements: [SignedPermutation]) -> PointGroup {
    let index = Dictionary(uniqueKeysWithValues: zip(elements, Int32(0)...))
    let order = elements.count
    let cayley = (0..<order * order).map { index[elements[$0 / order] * elements[$0 % order]]! }
    return PointGroup(
      PointGroupStorage(
        name: name, recipe: recipe, dimension: elements[0].count,
        matrices: FixedArray(small: elements.flatMap { $0.matrix }),
        cayley: FixedArray(small: cayley)))
  }
}
