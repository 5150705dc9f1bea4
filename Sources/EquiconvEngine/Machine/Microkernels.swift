// SPDX-License-Identifier: Apache-2.0

import EquiconvMicrokernelsAVX2
import EquiconvMicrokernelsAVX512
import EquiconvMicrokernelsBaseline
import _EquiconvShims

/// The microkernels of one instruction set for one scalar type: all the engine knows of the processor.
package struct Microkernels: Sendable {
  /// Scalars in a vector.
  package let lanes: Int
  /// The widest panel of outputs `multiply` takes; it also takes its smaller powers of two.
  package let widestPanel: Int
  package let multiply: @Sendable (UnsafePointer<equiconv_multiply_call>, Int) -> Void
  package let reduce: @Sendable (UnsafePointer<equiconv_reduce_call>) -> Void
  package let orbitSum: @Sendable (UnsafePointer<equiconv_orbit_sum_call>) -> Void
  /// The transforms of Winograd tiles of 4 × 4 or 2 × 2 outputs.
  package let winogradInput: @Sendable (UnsafePointer<equiconv_winograd_input_call>, Int) -> Void
  package let winogradOutput: @Sendable (UnsafePointer<equiconv_winograd_output_call>, Int) -> Void
  /// The widest panel of outputs `complexMultiply` takes; it also takes its smaller powers of two.
  package let widestComplexPanel: Int
  package let complexMultiply: @Sendable (UnsafePointer<equiconv_complex_multiply_call>, Int) -> Void
  package let fourierForward: @Sendable (UnsafePointer<equiconv_fourier_call>) -> Void
  package let fourierInverse: @Sendable (UnsafePointer<equiconv_fourier_call>) -> Void
}

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
    _MicrokernelTable(kernels: set == .avx512 ? float32AVX512 : set == .avx2 ? float32AVX2 : float32Baseline)
  }
}

extension Double: EngineScalar {
  public static func _microkernels(_ set: InstructionSet) -> _MicrokernelTable {
    _MicrokernelTable(kernels: set == .avx512 ? float64AVX512 : set == .avx2 ? float64AVX2 : float64Baseline)
  }
}

private let float32Baseline = Microkernels(
  lanes: EquiconvMicrokernelsBaseline.lanesFloat32, widestPanel: EquiconvMicrokernelsBaseline.widestPanel,
  multiply: { EquiconvMicrokernelsBaseline.multiplyFloat32($0, width: $1) },
  reduce: { EquiconvMicrokernelsBaseline.reduceFloat32($0) },
  orbitSum: { EquiconvMicrokernelsBaseline.orbitSumFloat32($0) },
  winogradInput: { EquiconvMicrokernelsBaseline.winogradInputFloat32($0, tile: $1) },
  winogradOutput: { EquiconvMicrokernelsBaseline.winogradOutputFloat32($0, tile: $1) },
  widestComplexPanel: EquiconvMicrokernelsBaseline.widestComplexPanel,
  complexMultiply: { EquiconvMicrokernelsBaseline.complexMultiplyFloat32($0, width: $1) },
  fourierForward: { EquiconvMicrokernelsBaseline.fourierForwardFloat32($0) },
  fourierInverse: { EquiconvMicrokernelsBaseline.fourierInverseFloat32($0) })
private let float32AVX2 = Microkernels(
  lanes: EquiconvMicrokernelsAVX2.lanesFloat32, widestPanel: EquiconvMicrokernelsAVX2.widestPanel,
  multiply: { EquiconvMicrokernelsAVX2.multiplyFloat32($0, width: $1) },
  reduce: { EquiconvMicrokernelsAVX2.reduceFloat32($0) },
  orbitSum: { EquiconvMicrokernelsAVX2.orbitSumFloat32($0) },
  winogradInput: { EquiconvMicrokernelsAVX2.winogradInputFloat32($0, tile: $1) },
  winogradOutput: { EquiconvMicrokernelsAVX2.winogradOutputFloat32($0, tile: $1) },
  widestComplexPanel: EquiconvMicrokernelsAVX2.widestComplexPanel,
  complexMultiply: { EquiconvMicrokernelsAVX2.complexMultiplyFloat32($0, width: $1) },
  fourierForward: { EquiconvMicrokernelsAVX2.fourierForwardFloat32($0) },
  fourierInverse: { EquiconvMicrokernelsAVX2.fourierInverseFloat32($0) })
private let float32AVX512 = Microkernels(
  lanes: EquiconvMicrokernelsAVX512.lanesFloat32, widestPanel: EquiconvMicrokernelsAVX512.widestPanel,
  multiply: { EquiconvMicrokernelsAVX512.multiplyFloat32($0, width: $1) },
  reduce: { EquiconvMicrokernelsAVX512.reduceFloat32($0) },
  orbitSum: { EquiconvMicrokernelsAVX512.orbitSumFloat32($0) },
  winogradInput: { EquiconvMicrokernelsAVX512.winogradInputFloat32($0, tile: $1) },
  winogradOutput: { EquiconvMicrokernelsAVX512.winogradOutputFloat32($0, tile: $1) },
  widestComplexPanel: EquiconvMicrokernelsAVX512.widestComplexPanel,
  complexMultiply: { EquiconvMicrokernelsAVX512.complexMultiplyFloat32($0, width: $1) },
  fourierForward: { EquiconvMicrokernelsAVX512.fourierForwardFloat32($0) },
  fourierInverse: { EquiconvMicrokernelsAVX512.fourierInverseFloat32($0) })
private let float64Baseline = Microkernels(
  lanes: EquiconvMicrokernelsBaseline.lanesFloat64, widestPanel: EquiconvMicrokernelsBaseline.widestPanel,
  multiply: { EquiconvMicrokernelsBaseline.multiplyFloat64($0, width: $1) },
  reduce: { EquiconvMicrokernelsBaseline.reduceFloat64($0) },
  orbitSum: { EquiconvMicrokernelsBaseline.orbitSumFloat64($0) },
  winogradInput: { EquiconvMicrokernelsBaseline.winogradInputFloat64($0, tile: $1) },
  winogradOutput: { EquiconvMicrokernelsBaseline.winogradOutputFloat64($0, tile: $1) },
  widestComplexPanel: EquiconvMicrokernelsBaseline.widestComplexPanel,
  complexMultiply: { EquiconvMicrokernelsBaseline.complexMultiplyFloat64($0, width: $1) },
  fourierForward: { EquiconvMicrokernelsBaseline.fourierForwardFloat64($0) },
  fourierInverse: { EquiconvMicrokernelsBaseline.fourierInverseFloat64($0) })
private let float64AVX2 = Microkernels(
  lanes: EquiconvMicrokernelsAVX2.lanesFloat64, widestPanel: EquiconvMicrokernelsAVX2.widestPanel,
  multiply: { EquiconvMicrokernelsAVX2.multiplyFloat64($0, width: $1) },
  reduce: { EquiconvMicrokernelsAVX2.reduceFloat64($0) },
  orbitSum: { EquiconvMicrokernelsAVX2.orbitSumFloat64($0) },
  winogradInput: { EquiconvMicrokernelsAVX2.winogradInputFloat64($0, tile: $1) },
  winogradOutput: { EquiconvMicrokernelsAVX2.winogradOutputFloat64($0, tile: $1) },
  widestComplexPanel: EquiconvMicrokernelsAVX2.widestComplexPanel,
  complexMultiply: { EquiconvMicrokernelsAVX2.complexMultiplyFloat64($0, width: $1) },
  fourierForward: { EquiconvMicrokernelsAVX2.fourierForwardFloat64($0) },
  fourierInverse: { EquiconvMicrokernelsAVX2.fourierInverseFloat64($0) })
private let float64AVX512 = Microkernels(
  lanes: EquiconvMicrokernelsAVX512.lanesFloat64, widestPanel: EquiconvMicrokernelsAVX512.widestPanel,
  multiply: { EquiconvMicrokernelsAVX512.multiplyFloat64($0, width: $1) },
  reduce: { EquiconvMicrokernelsAVX512.reduceFloat64($0) },
  orbitSum: { EquiconvMicrokernelsAVX512.orbitSumFloat64($0) },
  winogradInput: { EquiconvMicrokernelsAVX512.winogradInputFloat64($0, tile: $1) },
  winogradOutput: { EquiconvMicrokernelsAVX512.winogradOutputFloat64($0, tile: $1) },
  widestComplexPanel: EquiconvMicrokernelsAVX512.widestComplexPanel,
  complexMultiply: { EquiconvMicrokernelsAVX512.complexMultiplyFloat64($0, width: $1) },
  fourierForward: { EquiconvMicrokernelsAVX512.fourierForwardFloat64($0) },
  fourierInverse: { EquiconvMicrokernelsAVX512.fourierInverseFloat64($0) })
