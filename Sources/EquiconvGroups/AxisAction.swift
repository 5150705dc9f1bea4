// SPDX-License-Identifier: Apache-2.0

/// How an element h of a lattice group moves the grid: `(h v)[a] = sign(a) · v[axis(a)]`.
///
/// Here v is a displacement, or a position about the center of the array, in *array-axis* coordinates (`ArrayAxes`), so
/// that the rotation by +90° of the plane turns arrays counter-clockwise. Axis a of the array L_h f is axis(a) of f,
/// reversed where sign(a) is −1.
///
/// The map h ↦ action is a homomorphism: the action of a·b is that of b followed by that of a.
public struct AxisAction: Hashable, Sendable {
  private let permutation: SignedPermutation

  /// The action of a signed permutation of (x, y, z).
  init(coordinates p: SignedPermutation) {
    let arrayAxes = ArrayAxes(count: p.count)
    let coordinates = (0..<p.count).map { arrayAxes.counterpart($0) }
    permutation = SignedPermutation(
      axes: coordinates.map { arrayAxes.counterpart(p.axis($0)) },
      signs: coordinates.map {
        arrayAxes.direction(ofCoordinate: $0) * p.sign($0) * arrayAxes.direction(ofCoordinate: p.axis($0))
      })
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

extension AxisAction: CustomStringConvertible {
  /// The axis that each new axis reads, with a sign where it runs against it: for example "(-1, +0)".
  public var description: String {
    "(" + (0..<count).map { "\(sign($0) > 0 ? "+" : "-")\(axis($0))" }.joined(separator: ", ") + ")"
  }
}
