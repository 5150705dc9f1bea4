// SPDX-License-Identifier: Apache-2.0
//
// What a variant offers to the engine: pointers, integers and scalars only, no SIMD value and no generic.

import _EquiconvShims

public let lanesFloat32 = Register32.scalarCount
public let lanesFloat64 = Register64.scalarCount

/// `multiply` in a panel of `width` outputs: a power of two up to `widestPanel`.
public func multiplyFloat32(_ call: UnsafePointer<equiconv_multiply_call>, width: Int) {
  multiplyPanel(call.pointee, width: width, Lanes32.self)
}

public func multiplyFloat64(_ call: UnsafePointer<equiconv_multiply_call>, width: Int) {
  multiplyPanel(call.pointee, width: width, Lanes64.self)
}

public func reduceFloat32(_ call: UnsafePointer<equiconv_reduce_call>) {
  reduceTiles(call.pointee, Lanes32.self)
}

public func reduceFloat64(_ call: UnsafePointer<equiconv_reduce_call>) {
  reduceTiles(call.pointee, Lanes64.self)
}

public func orbitSumFloat32(_ call: UnsafePointer<equiconv_orbit_sum_call>) {
  OrbitSum<Lanes32>.run(call.pointee)
}

public func orbitSumFloat64(_ call: UnsafePointer<equiconv_orbit_sum_call>) {
  OrbitSum<Lanes64>.run(call.pointee)
}

/// The transforms of tiles of `tile` × `tile` outputs, 4 or 2.
public func winogradInputFloat32(_ call: UnsafePointer<equiconv_winograd_input_call>, tile: Int) {
  winogradInput(call.pointee, tile: tile, Lanes32.self)
}

public func winogradInputFloat64(_ call: UnsafePointer<equiconv_winograd_input_call>, tile: Int) {
  winogradInput(call.pointee, tile: tile, Lanes64.self)
}

public func winogradOutputFloat32(_ call: UnsafePointer<equiconv_winograd_output_call>, tile: Int) {
  winogradOutput(call.pointee, tile: tile, Lanes32.self)
}

public func winogradOutputFloat64(_ call: UnsafePointer<equiconv_winograd_output_call>, tile: Int) {
  winogradOutput(call.pointee, tile: tile, Lanes64.self)
}

/// `complexMultiply` in a panel of `width` outputs: a power of two up to `widestComplexPanel`.
public func complexMultiplyFloat32(_ call: UnsafePointer<equiconv_complex_multiply_call>, width: Int) {
  complexMultiplyPanel(call.pointee, width: width, Lanes32.self)
}

public func complexMultiplyFloat64(_ call: UnsafePointer<equiconv_complex_multiply_call>, width: Int) {
  complexMultiplyPanel(call.pointee, width: width, Lanes64.self)
}

public func fourierForwardFloat32(_ call: UnsafePointer<equiconv_fourier_call>) {
  fourierForward(call.pointee, Lanes32.self)
}

public func fourierForwardFloat64(_ call: UnsafePointer<equiconv_fourier_call>) {
  fourierForward(call.pointee, Lanes64.self)
}

public func fourierInverseFloat32(_ call: UnsafePointer<equiconv_fourier_call>) {
  fourierInverse(call.pointee, Lanes32.self)
}

public func fourierInverseFloat64(_ call: UnsafePointer<equiconv_fourier_call>) {
  fourierInverse(call.pointee, Lanes64.self)
}
