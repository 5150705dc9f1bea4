// SPDX-License-Identifier: Apache-2.0

/// What commutes with an irreducible real representation: the real numbers, the complex numbers or the quaternions.
///
/// Source: J.-P. Serre, Linear Representations of Finite Groups, section 13.2.
package enum IrreducibleType: Int, Hashable, Sendable {
  case real = 1
  case complex = 2
  case quaternionic = 4

  /// The dimension t of what commutes.
  package var dimension: Int { rawValue }

  /// The type of the real representation with this character χ; nil if it is reducible.
  ///
  /// The mean of χ² is the dimension t of what commutes, and the mean of χ(h²), the Frobenius–Schur indicator, is 1, 0
  /// or −2 for the three types. A sum of several irreducible representations differs from each type in one of the two.
  package init?(ofCharacter character: [Double], in group: CayleyTable) {
    let order = Double(group.order)
    let norm = character.reduce(0) { $0 + $1 * $1 } / order
    let indicator = (0..<group.order).reduce(0) { $0 + character[group.product($1, $1)] } / order
    switch (norm.rounded(), indicator.rounded()) {
    case (1, 1): self = .real
    case (2, 0): self = .complex
    case (4, -2): self = .quaternionic
    default: return nil
    }
  }
}
