// SPDX-License-Identifier: Apache-2.0

import EquiconvMicrokernelsBaseline
import _EquiconvShims

#if arch(x86_64)
  import EquiconvMicrokernelsAVX2
  import EquiconvMicrokernelsAVX512
#elseif arch(arm64)
  import EquiconvMicrokernelsNEON
#endif

/// The microkernels of one instruction set for one scalar type: all that the engine knows about the processor.
package typealias Microkernels = equiconv_microkernels

/// A scalar type the engine computes with: Float or Double.
public protocol EngineScalar: BinaryFloatingPoint, SIMDScalar, Codable, Sendable {
  /// Microkernels of this scalar. An implementation detail.
  static func _microkernels(_ set: InstructionSet) -> _MicrokernelTable
}

/// Hides the microkernels' types from the public interface.
public struct _MicrokernelTable: Sendable {
  package let kernels: Microkernels
}

extension EngineScalar {
  package static func microkernels(_ set: InstructionSet) -> Microkernels { _microkernels(set).kernels }
}

extension Float: EngineScalar {
  public static func _microkernels(_ set: InstructionSet) -> _MicrokernelTable {
    _MicrokernelTable(kernels: set.table.float32)
  }
}

extension Double: EngineScalar {
  public static func _microkernels(_ set: InstructionSet) -> _MicrokernelTable {
    _MicrokernelTable(kernels: set.table.float64)
  }
}

extension InstructionSet {
  /// The entry points of this variant, which is one of this architecture.
  fileprivate var table: equiconv_microkernel_table {
    switch self {
    #if arch(x86_64)
      case .avx2: EquiconvMicrokernelsAVX2.microkernels()
      case .avx512: EquiconvMicrokernelsAVX512.microkernels()
    #elseif arch(arm64)
      case .neon: EquiconvMicrokernelsNEON.microkernels()
    #endif
    default: EquiconvMicrokernelsBaseline.microkernels()
    }
  }
}
