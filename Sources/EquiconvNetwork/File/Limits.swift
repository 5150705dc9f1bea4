// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// What a file may have at most; see docs/NetworkFormat.md.
enum Limits {
  /// Bytes of a header, and so of a document.
  static let header = 8 << 20
  /// Of lists and objects in each other.
  static let depth = 32
  /// Bytes of a number as text.
  static let number = 128
  static let tensors = 16_384
  static let operations = 4_096
  /// Of an operation.
  static let inputs = 64
  static let outputs = 16
  static let groups = 64
  /// Of an output.
  static let classes = 65_536
  /// Bytes of the text of a space.
  static let spaceText = 32_768
  /// Of a tensor.
  static let axes = 8
  /// Bytes of a name.
  static let name = 1_024
  /// Bytes of a description.
  static let description = 65_536
  /// An extent, or a number of elements.
  static let size = Int.limit(48)
  /// Numbers of the Cayley tables of all groups.
  static let groupTables = 1 << 26
  /// The squares of the orders of the groups of all operations, which checks of their subgroups take time for.
  static let groupWork = 1 << 27
  /// Of the bases of all layers, but those of pixels.
  static let functions = 1 << 20
}
