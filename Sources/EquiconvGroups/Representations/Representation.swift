// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// A real representation R of a finite group L, as one part of a Fourier transform on L.
package struct Representation: Hashable, Sendable {
  /// The dimension D.
  package let dimension: Int
  /// The matrices, shape (|L|, D, D), row-major: R(a) R(b) = R(ab), and each is orthogonal.
  ///
  /// Element k is the k-th of L's elements, ascending.
  package let matrices: FixedArray<Double>
  /// How many columns of ŷ(R) the inverse transform needs: columns `0..<columns`.
  package let columns: Int
  /// The factor of this part in the inverse transform.
  package let scale: Double
  /// For each column j a chain {e} = K₀ < K₁ < … < K of subgroups, each of index 2 in the next.
  ///
  /// Subgroups are sets of positions in L's list, ascending. The last, K, keeps the line of the j-th basis vector, so
  /// R(hk)[i][j] = ±R(h)[i][j] for k in K, and sums over h of z[h] R(h)[i][j] can be nested by the left cosets of the
  /// chain. In a signed transform K is all that keeps this line: an entry (i, j) is not zero on one left coset of K.
  package let chains: [[[Int]]]

  /// The products in this part of a correlation on L: all columns of ẑ times those of κ̂ that are needed.
  package var products: Int { dimension * dimension * columns }

  /// Whether all entries are 0, 1 and −1: each matrix is a signed permutation.
  package var isSigned: Bool { matrices.allSatisfy { $0 == 0 || abs($0) == 1 } }
}

/// Representations R by which functions on a group L are transformed and recovered: for all y on L
///
///     ŷ_R = Σ_h y(h) R(h)      y(h) = Σ_R scale_R Σ_{q<columns_R} Σ_a R(h⁻¹)[q][a] ŷ_R[a][q]
///
/// That holds because Σ_R scale_R Σ_{q<columns_R} R(g)[q][q] is 1 for g = e, and 0 otherwise.
package struct GroupTransform: Hashable, Sendable {
  /// L's elements in H, ascending; `[0]` is the identity.
  package let elements: [Int]
  /// By ascending dimension.
  package let representations: [Representation]

  /// The products in a correlation on L: Σ_R D² · columns, in place of |L|².
  package var products: Int { representations.reduce(0) { $0 + $1.products } }
}
