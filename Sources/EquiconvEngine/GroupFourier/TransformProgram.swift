// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// A linear map of vectors as steps for the microkernel `transform`.
///
/// Slots are numbered: inputs, then outputs, then scratch, then those that stand for others: steps of several butterflies
/// want their operands, and their results, one after the other.
package struct TransformProgram: Sendable {
  package let inputs: Int
  package let outputs: Int
  package let scratch: Int
  /// The slots that those behind the scratch stand for.
  package let copies: FixedArray<Int32>
  package let steps: FixedArray<equiconv_transform_step>
  package let work: TransformWork

  package var slots: Int { inputs + outputs + scratch + copies.count }
  package var firstCopy: Int { inputs + outputs + scratch }
}

/// What a transform does with a vector of each of its inputs.
package struct TransformWork: Sendable {
  package var additions: Int
  /// Vectors that are loaded and stored: the measure of its time.
  package var accesses: Int

  static var zero: TransformWork { TransformWork(additions: 0, accesses: 0) }

  static func + (a: TransformWork, b: TransformWork) -> TransformWork {
    TransformWork(additions: a.additions + b.additions, accesses: a.accesses + b.accesses)
  }
}
