// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// A linear map of vectors as steps for the microkernel `transform`.
///
/// Slots are numbered: inputs, then outputs, then scratch, then those that stand for others: steps of several butterflies
/// want their operands, and their results, one after the other.
struct TransformProgram: Sendable {
  let inputs: Int
  let outputs: Int
  let scratch: Int
  /// The slots that those behind the scratch stand for.
  let copies: FixedArray<Int32>
  let steps: FixedArray<equiconv_transform_step>
  /// Vectors that steps load and store, the measure of its cost, and additions.
  let accesses: Int
  let additions: Int

  var slots: Int { inputs + outputs + scratch + copies.count }
  var firstCopy: Int { inputs + outputs + scratch }
}
