// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// The microkernels of one instruction set for one scalar type: all that the engine knows about the processor.
package typealias Microkernels = equiconv_microkernels

#if hasFeature(Embedded)
  /// Nothing: Embedded Swift has no coding.
  public typealias _Coded = Sendable
#else
  /// What a scalar is besides, so that arrays of it are `Codable`.
  public typealias _Coded = Codable
#endif

/// A scalar type the engine computes with: Float or Double.
public protocol EngineScalar: BinaryFloatingPoint, BitwiseCopyable, SIMDScalar, _Coded, Sendable {
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
      case .avx2: _equiconv_microkernels_avx2()
      case .avx512: _equiconv_microkernels_avx512()
    #elseif arch(arm64)
      case .neon: _equiconv_microkernels_neon()
    #endif
    default: _equiconv_microkernels_baseline()
    }
  }
}
