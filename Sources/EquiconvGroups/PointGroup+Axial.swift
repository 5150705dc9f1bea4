// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension PointGroup {
  /// An axis of space. On arrays z is the depth, y the row and x the column, y and z against the array axes.
  public enum Axis: Int, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case x, y, z

    /// "x", "y" or "z".
    public var description: String { ["x", "y", "z"][rawValue] }
  }

  /// The rotations of space by 2πr/n about an axis, element r, counter-clockwise seen from the tip of the axis.
  ///
  /// The rotation by a quarter turn takes x to y about z, y to z about x, and z to x about y. About z every slice of a
  /// volume (depth, row, column) is turned as `cyclic(n)` turns the plane. A lattice group for n = 1, 2 and 4.
  ///
  /// - Parameters:
  ///   - n: The order, in `1...4096`.
  ///   - axis: By default z.
  /// - Throws: `GroupError.invalidOrder`, `outOfMemory`.
  /// - Complexity: O(n²), the size of the Cayley table.
  public static func axialCyclic(_ n: Int, axis: Axis = .z) throws(GroupError) -> PointGroup {
    try checkOrder(n, limit: largestOrder)
    return try axial(name: "C\(n) about \(axis)", .axialCyclic(n, axis), rotations: n, flips: 1, axis)
  }

  /// The rotations about an axis, and the half turns about n axes perpendicular to it: order 2n, all of determinant 1.
  ///
  /// Element j·n + r is rotation(r)·halfʲ, where half = diag(−1, 1, −1) for the axis z: the half turn about the *second*
  /// of the other two axes in cyclic order (y for z, z for x, x for y). On the plane of those two axes the elements
  /// are those of `dihedral(n)`. A lattice group for n = 1, 2 and 4.
  ///
  /// - Parameters:
  ///   - n: The number of rotations, in `1...2048`.
  ///   - axis: By default z.
  /// - Throws: `GroupError.invalidOrder`, `outOfMemory`.
  /// - Complexity: O(n²), the size of the Cayley table.
  public static func axialDihedral(_ n: Int, axis: Axis = .z) throws(GroupError) -> PointGroup {
    try checkOrder(n, limit: largestOrder / 2)
    return try axial(name: "D\(n) about \(axis)", .axialDihedral(n, axis), rotations: n, flips: 2, axis)
  }

  /// The planar group on the two axes (u, v) that follow `axis` cyclically; flips also reverse `axis`.
  private static func axial(
    name: String, _ recipe: Recipe, rotations n: Int, flips: Int, _ axis: Axis
  ) throws(GroupError) -> PointGroup {
    let w = axis.rawValue
    let (u, v) = ((w + 1) % 3, (w + 2) % 3)
    let matrices = try GroupTable<Double>(repeating: 0, count: 9 * n * flips)
    for element in 0..<n * flips {
      let turn = planarMatrix(element % n, of: n, isFlipped: element >= n)
      for (entry, value) in zip([3 * u + u, 3 * u + v, 3 * v + u, 3 * v + v], turn) {
        matrices[9 * element + entry] = value
      }
      matrices[9 * element + 4 * w] = element < n ? 1 : -1
    }
    return PointGroup(
      PointGroupStorage(
        name: name, recipe: recipe, dimension: 3, matrices: matrices.frozen(), cayley: try planarTable(n, flips: flips))
    )
  }
}
