// SPDX-License-Identifier: Apache-2.0

/// A homomorphism χ from a subgroup K to {1, −1}.
struct SignedCharacter: Hashable, Sendable {
  /// The elements of K where χ is 1, and where it is −1.
  let plus, minus: ElementSet

  /// χ = 1 on {e}.
  static let onIdentity = SignedCharacter(plus: ElementSet([0]), minus: ElementSet())

  /// K.
  var domain: ElementSet { plus.union(minus) }

  /// χ(k), and 0 outside K.
  func value(_ k: Int) -> Int { plus.contains(k) ? 1 : minus.contains(k) ? -1 : 0 }

  /// The character k ↦ χ(g⁻¹ k g) of g K g⁻¹.
  func conjugate(by g: Int, in group: CayleyTable) -> Self {
    Self(plus: group.conjugate(plus, by: g), minus: group.conjugate(minus, by: g))
  }

  /// The two characters of K ∪ gK that extend χ, with values 1 and −1 at g.
  ///
  /// There are such characters if g is not in K, keeps K and χ by conjugation, and has its square where χ is 1.
  func extensions(by g: Int, in group: CayleyTable) -> (Self, Self)? {
    guard value(g) == 0, plus.contains(group.product(g, g)),
      plus.allSatisfy({ plus.contains(group.conjugate($0, by: g)) }),
      minus.allSatisfy({ minus.contains(group.conjugate($0, by: g)) })
    else { return nil }
    let (image, negative) = (group.translate(plus, by: g), group.translate(minus, by: g))
    return (
      Self(plus: plus.union(image), minus: minus.union(negative)),
      Self(plus: plus.union(negative), minus: minus.union(image))
    )
  }
}
