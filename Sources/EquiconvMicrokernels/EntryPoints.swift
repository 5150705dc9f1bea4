// SPDX-License-Identifier: Apache-2.0
//
// What a variant offers to the engine: one table of C functions of pointers and integers, no SIMD value and no generic.
// The engine gets it through a C function of `EquiconvMicrokernels.h` and does not import the module: it would compile
// its own copies of what is in it, for another processor.

import _EquiconvShims

/// The entry points of this variant. A C function cannot come from generic code, so each scalar type has its own list.
func microkernels() -> equiconv_microkernel_table {
  equiconv_microkernel_table(
    float32: equiconv_microkernels(
      lanes: Lanes32.count, widestPanel: widestPanel, widestComplexPanel: widestComplexPanel,
      multiply: { multiplyPanel($0.pointee, width: $1, Lanes32.self) },
      reduce: { reduceTiles($0.pointee, Lanes32.self) },
      orbitSum: { OrbitSum<Lanes32>.run($0.pointee) },
      complexMultiply: { complexMultiplyPanel($0.pointee, width: $1, Lanes32.self) },
      fourierForward: { fourierForward($0.pointee, Lanes32.self) },
      fourierInverse: { fourierInverse($0.pointee, Lanes32.self) },
      winogradInput: { winogradInput($0.pointee, tile: $1, Lanes32.self) },
      winogradOutput: { winogradOutput($0.pointee, tile: $1, Lanes32.self) },
      transform: { TransformSteps<Lanes32>.run($0.pointee) },
      inner: { innerProducts($0.pointee, Lanes32.self) },
      pad: { PadRows<Lanes32>.run($0.pointee) },
      transpose: { Transposition.run($0.pointee, Lanes32.self) },
      pointwise: { PointwiseRows<Lanes32>.run($0.pointee) }),
    float64: equiconv_microkernels(
      lanes: Lanes64.count, widestPanel: widestPanel, widestComplexPanel: widestComplexPanel,
      multiply: { multiplyPanel($0.pointee, width: $1, Lanes64.self) },
      reduce: { reduceTiles($0.pointee, Lanes64.self) },
      orbitSum: { OrbitSum<Lanes64>.run($0.pointee) },
      complexMultiply: { complexMultiplyPanel($0.pointee, width: $1, Lanes64.self) },
      fourierForward: { fourierForward($0.pointee, Lanes64.self) },
      fourierInverse: { fourierInverse($0.pointee, Lanes64.self) },
      winogradInput: { winogradInput($0.pointee, tile: $1, Lanes64.self) },
      winogradOutput: { winogradOutput($0.pointee, tile: $1, Lanes64.self) },
      transform: { TransformSteps<Lanes64>.run($0.pointee) },
      inner: { innerProducts($0.pointee, Lanes64.self) },
      pad: { PadRows<Lanes64>.run($0.pointee) },
      transpose: { Transposition.run($0.pointee, Lanes64.self) },
      pointwise: { PointwiseRows<Lanes64>.run($0.pointee) }))
}
