// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors

/// What an `equiconv_subgroup` points to: a subgroup, and the space that it is the stabilizer of.
final class SubgroupHandle: Handle {
  static let argument = Argument.subgroup
  let quotient: HomogeneousSpace
  /// The same for the engine.
  let space: SignalSpace

  init(_ quotient: HomogeneousSpace) {
    self.quotient = quotient
    space = SignalSpace.quotient(stabilizer: quotient.stabilizer).normalized(quotient.group)
  }

  /// The space H/K of a stabilizer that must be one of `group`.
  static func space(
    of pointer: OpaquePointer?, in group: PointGroup, _ argument: Argument
  ) throws(CallError) -> SignalSpace {
    let handle = try required(pointer, argument)
    guard handle.quotient.group == group else {
      throw CallError(
        EQUICONV_ERROR_NOT_A_SUBGROUP, argument, "a subgroup of \(handle.quotient.group.name)",
        expected: "one of \(group.name), the group of the call")
    }
    return handle.space
  }
}
