// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import _EquiconvErrors

/// What an `equiconv_group_basis` points to.
final class GroupBasisHandle: Handle {
  static let argument = Argument.groupBasis
  let basis: GroupBasis

  init(_ basis: GroupBasis) { self.basis = basis }
}
