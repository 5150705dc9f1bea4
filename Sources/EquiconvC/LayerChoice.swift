// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// Which layer a call is about.
enum LayerChoice {
  /// The called function names it.
  case named(LayerKind)
  /// The stabilizers of the descriptor do.
  case general
  /// The descriptor's field `layer` does.
  case described
}
