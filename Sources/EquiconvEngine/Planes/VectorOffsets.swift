// SPDX-License-Identifier: Apache-2.0

/// Where the vectors of a grid read and are stored, worked out once for all blocks, images and elements.
struct VectorOffsets {
  let sources: UnsafePointer<Int>
  let destinations: UnsafePointer<Int>
  /// Those of vectors that lie one after another in a scratch of one block.
  let packed: UnsafePointer<Int>
}
