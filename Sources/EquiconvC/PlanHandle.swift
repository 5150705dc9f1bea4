// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvErrors

/// What an `equiconv_plan` points to.
final class PlanHandle: Handle {
  static let argument = Argument.plan
  let layer: TypedPlan

  init(_ layer: TypedPlan) { self.layer = layer }
}
