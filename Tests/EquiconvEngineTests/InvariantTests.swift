// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Foundation
import Testing

struct InvariantTests {
  /// A build that Package.swift was asked to check is checked: the other tests then prove the invariants of their plans.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["EQUICONV_INTERNAL_CHECKS"] != nil))
  func invariants_areChecked_whereTheVariableIsSet() {
    #expect(Invariants.areChecked)
  }
}
