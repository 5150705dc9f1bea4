// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvGroups
import _EquiconvErrors
import _EquiconvPlatform

/// What an `equiconv_group` points to.
final class GroupHandle: Handle {
  static let argument = Argument.group
  let group: PointGroup
  /// The name as a C string that lives as long as the handle.
  let name: UnsafeMutablePointer<CChar>

  init(_ group: PointGroup) throws(CallError) {
    guard let name = strdup(group.name) else {
      throw CallError(EQUICONV_ERROR_OUT_OF_MEMORY, .group, group.name, expected: "memory for its name")
    }
    self.group = group
    self.name = name
  }

  deinit { free(name) }
}
