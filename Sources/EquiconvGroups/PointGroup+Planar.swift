// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

extension PointGroup {
  /// The trivial group {1} on `d` axes, for which group convolution is ordinary convolution.
  ///
  /// - Throws: `GroupError.invalidDimension` unless d is 1, 2 or 3.
  public static func trivial(_ d: Int) throws(GroupError) -> PointGroup {
    guard 1...3 ~= d else { throw .invalidDimension(d) }
    return PointGroup(
      PointGroupStorage(
        name: "trivial\(d)", recipe: .trivial(d), dimension: d, matrices: FixedArray(small: identityMatrix(d)),
        cayley: FixedArray(small: [0])))
  }

  /// The reflection group {1, −1} of the line.
  public static let reflection = PointGroup(
    PointGroupStorage(
      name: "reflection", recipe: .reflection, dimension: 1, matrices: FixedArray(small: [1, -1]),
      cayley: FixedArray(small: [0, 1, 1, 0])))

  /// The rotations of the plane by 2πr/n, counter-clockwise; element r has the matrix [[cos, −sin], [sin, cos]].
  ///
  /// A lattice group for n = 1, 2 and 4.
  ///
  /// - Parameter n: The order, in `1...4096`.
  /// - Throws: `GroupError.invalidOrder`, `outOfMemory`.
  /// - Complexity: O(n²), the size of the Cayley table.
  public static func cyclic(_ n: Int) throws(GroupError) -> PointGroup {
    try checkOrder(n, limit: largestOrder)
    return try planar(name: "C\(n)", .cyclic(n), rotations: n, flips: 1)
  }

  /// The rotations and reflections of the plane that preserve a regular n-gon: order 2n.
  ///
  /// Element j·n + r is rotation(r)·flipʲ, where flip = diag(−1, 1) mirrors left and right; thus
  /// `flip · rotation(r) = rotation(−r) · flip`. A lattice group for n = 1, 2 and 4.
  ///
  /// - Parameter n: The number of rotations, in `1...2048`.
  /// - Throws: `GroupError.invalidOrder`, `outOfMemory`.
  /// - Complexity: O(n²), the size of the Cayley table.
  public static func dihedral(_ n: Int) throws(GroupError) -> PointGroup {
    try checkOrder(n, limit: largestOrder / 2)
    return try planar(name: "D\(n)", .dihedral(n), rotations: n, flips: 2)
  }

  static func checkOrder(_ n: Int, limit: Int) throws(GroupError) {
    guard 1...limit ~= n else { throw .invalidOrder(.n, value: n, limit: limit) }
  }

  /// The group of rotation(r)·flipʲ with r in `0..<n` and j in `0..<flips`, at index j·n + r.
  private static func planar(
    name: String, _ recipe: Recipe, rotations n: Int, flips: Int
  ) throws(GroupError) -> PointGroup {
    var matrices = try GroupTable<Double>(capacity: 4 * flips * n)
    for element in 0..<flips * n {
      try matrices.append(contentsOf: planarMatrix(element % n, of: n, isFlipped: element >= n))
    }
    return PointGroup(
      PointGroupStorage(
        name: name, recipe: recipe, dimension: 2, matrices: matrices.frozen(), cayley: try planarTable(n, flips: flips))
    )
  }

  /// Whether this is `cyclic(n)`, element for element.
  package var isPlanarCyclic: Bool {
    dimension == 2
      && (0..<order).allSatisfy { matrix($0) == Self.planarMatrix($0, of: order, isFlipped: false) }
  }

  /// The matrix of rotation(r), of rotation(r)·flip if it is flipped.
  static func planarMatrix(_ r: Int, of n: Int, isFlipped: Bool) -> [Double] {
    let (c, s) = cosineAndSine(r, of: n)
    return isFlipped ? [0 - c, 0 - s, 0 - s, c] : [c, 0 - s, s, c]
  }

  /// The Cayley table by rotation(r) flipʲ · rotation(s) flipᵏ = rotation(r + (−1)ʲ s) flipʲ⁺ᵏ.
  static func planarTable(_ n: Int, flips: Int) throws(GroupError) -> FixedArray<Int32> {
    var table = try GroupTable<Int32>(capacity: flips * n * flips * n)
    for j in 0..<flips {
      for r in 0..<n {
        for k in 0..<flips {
          let first = (j ^ k) * n
          for s in 0..<n {
            let sum = j == 0 ? r + s : r - s
            let rotation = sum < 0 ? sum + n : sum < n ? sum : sum - n
            try table.append(Int32(truncatingIfNeeded: first + rotation))
          }
        }
      }
    }
    return table.frozen()
  }
}
