// SPDX-License-Identifier: Apache-2.0

/// How an element h of a lattice group moves the grid: `(h v)[a] = sign(a) · v[axis(a)]`.
///
/// Here v is a displacement, or a position about the center of the array, in *array-axis* coordinates: (column) in
/// 1-D, (row, column) in 2-D, (depth, row, column) in 3-D. They are related to the coordinates of
/// `PointGroup.matrix(_:)` by x = column, y = −row, z = −depth, so that the rotation by +90° of the plane turns
/// arrays counter-clockwise.
///
/// The map h ↦ action is a homomorphism: the action of a·b is that of b followed by that of a.
public struct AxisAction: Hashable, Sendable {
  private let permutation: SignedPermutation

  /// The action of a signed permutation of (x, y, z).
  init(coordinates p: SignedPermutation) {
    let last = p.count - 1
    // Coordinate i is the array axis last − i; all but x point against it.
    let direction = { (i: Int) in i == 0 ? 1 : -1 }
    let coordinates = (0...last).map { last - $0 }
    permutation = SignedPermutation(
      axes: coordinates.map { last - p.axis($0) },
      signs: coordinates.map { direction($0) * p.sign($0) * direction(p.axis($0)) })
  }

  /// The number d of array axes.
  public var count: Int { permutation.count }

  /// The axis that the new axis `a` reads, for `a` in `0..<count`.
  public func axis(_ a: Int) -> Int {
    precondition(0 <= a && a < count, "axis is outside 0..<d")
    return permutation.axis(a)
  }

  /// Whether the new axis `a` runs with (1) or against (−1) the axis it reads, for `a` in `0..<count`.
  public func sign(_ a: Int) -> Int {
    precondition(0 <= a && a < count, "axis is outside 0..<d")
    return permutation.sign(a)
  }
}
