// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import _EquiconvErrors

/// What an `equiconv_basis` points to.
final class BasisHandle: Handle {
  static let argument = Argument.basis
  let basis: KernelBasis

  init(_ basis: KernelBasis) { self.basis = basis }
}
