// SPDX-License-Identifier: Apache-2.0
//
// AVX2 with FMA (x86-64-v3): 16 registers of 256 bits. Compiled with -march=x86-64-v3.

import _EquiconvShims

@_cdecl("_equiconv_microkernels_avx2") @implementation
public func _equiconv_microkernels_avx2() -> equiconv_microkernel_table { microkernels() }

typealias Register32 = SIMD8<Float>
typealias Register64 = SIMD4<Double>

/// The widest panel of `multiply`; narrower ones are its powers of two.
let widestPanel = 4

/// The widest panel of `complexMultiply`: 8 accumulators.
let widestComplexPanel = 4

/// multiply for each panel width: 12 accumulators, 3 pixels, 1 weight.
@inline(__always)
func multiplyPanel<V: Lanes>(_ call: equiconv_multiply_call, width: Int, _: V.Type) {
  switch width {
  case 4: sweep(call, MultiplyTile<V, 4, 3>.self, MultiplyTile<V, 4, 2>.self, MultiplyTile<V, 4, 1>.self)
  case 2: sweep(call, MultiplyTile<V, 2, 6>.self, MultiplyTile<V, 2, 2>.self, MultiplyTile<V, 2, 1>.self)
  default: sweep(call, MultiplyTile<V, 1, 8>.self, MultiplyTile<V, 1, 2>.self, MultiplyTile<V, 1, 1>.self)
  }
}

// reduce: 12 accumulators. For three, two and one vectors the tile, and the smaller one for the last few scalars.
typealias ReduceThree<V: Lanes> = ReduceTile<V, 4, 3, 1>
typealias ReduceThreeRest<V: Lanes> = ReduceTile<V, 2, 3, 1>
typealias ReduceTwo<V: Lanes> = ReduceTile<V, 6, 2, 1>
typealias ReduceTwoRest<V: Lanes> = ReduceTile<V, 2, 2, 1>
typealias ReduceOne<V: Lanes> = ReduceTile<V, 12, 1, 2>
typealias ReduceOneRest<V: Lanes> = ReduceTile<V, 4, 1, 2>

/// inner for the next rows of the right side: 12 accumulators, 3 vectors of the left side, 1 of the right one.
/// Five rows are three and two: one alone has too few accumulators.
/// - Returns: How many rows it took.
@inline(__always)
func innerColumns<V: Lanes>(_ call: equiconv_inner_call, from n: Int, _: V.Type) -> Int {
  let left = call.right_count &- n
  switch left == 5 ? 3 : min(left, 4) {
  case 4: return innerColumns(call, n, InnerTile<V, 3, 4>.self, InnerTile<V, 1, 4>.self)
  case 3: return innerColumns(call, n, InnerTile<V, 3, 3>.self, InnerTile<V, 1, 3>.self)
  case 2: return innerColumns(call, n, InnerTile<V, 3, 2>.self, InnerTile<V, 1, 2>.self)
  default: return innerColumns(call, n, InnerTile<V, 3, 1>.self, InnerTile<V, 1, 1>.self)
  }
}
