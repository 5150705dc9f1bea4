// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups

extension PointGroup {
  static let trivial2 = try! PointGroup.trivial(2)
  static let cyclic2 = try! PointGroup.cyclic(2)
  static let cyclic4 = try! PointGroup.cyclic(4)
  static let dihedral4 = try! PointGroup.dihedral(4)
}
