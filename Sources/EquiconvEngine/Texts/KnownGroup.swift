// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvMemory

/// A group that was made of its text. Layers whose texts name it share its tables.
package struct KnownGroup {
  package let group: PointGroup
  /// The text without its version: what stands in the text of a layer.
  let words: FixedArray<UInt8>

  package init(text: FixedArray<UInt8>, _ group: PointGroup) {
    self.group = group
    words = text.part(min(text.count, "\(PointGroup.textName)/\(textVersion) ".utf8.count)..<text.count)
  }
}
