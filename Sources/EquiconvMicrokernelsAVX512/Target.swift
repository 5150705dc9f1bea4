// SPDX-License-Identifier: Apache-2.0
//
// AVX-512 (x86-64-v4): 32 registers of 512 bits. Compiled with -march=x86-64-v4.

import _EquiconvShims

@_cdecl("_equiconv_microkernels_avx512") @implementation
public func _equiconv_microkernels_avx512() -> equiconv_microkernel_table { microkernels() }

typealias Register32 = SIMD16<Float>
typealias Register64 = SIMD8<Double>

/// The widest panel of `multiply`; narrower ones are its powers of two.
let widestPanel = 8

/// The widest panel of `complexMultiply`: 16 accumulators.
let widestComplexPanel = 8

/// multiply for each panel width. 24 accumulators: 14 × 2 was tried and spilled.
@inline(__always)
func multiplyPanel<V: Lanes>(_ call: equiconv_multiply_call, width: Int, _: V.Type) {
  switch width {
  case 8: sweep(call, MultiplyTile<V, 8, 3>.self, MultiplyTile<V, 8, 2>.self, MultiplyTile<V, 8, 1>.self)
  case 4: sweep(call, MultiplyTile<V, 4, 6>.self, MultiplyTile<V, 4, 2>.self, MultiplyTile<V, 4, 1>.self)
  case 2: sweep(call, MultiplyTile<V, 2, 8>.self, MultiplyTile<V, 2, 2>.self, MultiplyTile<V, 2, 1>.self)
  default: sweep(call, MultiplyTile<V, 1, 8>.self, MultiplyTile<V, 1, 2>.self, MultiplyTile<V, 1, 1>.self)
  }
}

// reduce: 24 accumulators. For three, two and one vectors the tile, and the smaller one for the last few scalars.
typealias ReduceThree<V: Lanes> = ReduceTile<V, 8, 3, 2>
typealias ReduceThreeRest<V: Lanes> = ReduceTile<V, 4, 3, 2>
typealias ReduceTwo<V: Lanes> = ReduceTile<V, 12, 2, 2>
typealias ReduceTwoRest<V: Lanes> = ReduceTile<V, 4, 2, 2>
typealias ReduceOne<V: Lanes> = ReduceTile<V, 24, 1, 2>
typealias ReduceOneRest<V: Lanes> = ReduceTile<V, 8, 1, 2>

/// inner for the next rows of the right side: 24 accumulators, 4 vectors of the left side, 1 of the right one.
/// Seven rows are four and three: one alone has too few accumulators.
/// - Returns: How many rows it took.
@inline(__always)
func innerColumns<V: Lanes>(_ call: equiconv_inner_call, from n: Int, _: V.Type) -> Int {
  let left = call.right_count &- n
  switch left == 7 ? 4 : min(left, 6) {
  case 6: return innerColumns(call, n, InnerTile<V, 4, 6>.self, InnerTile<V, 1, 6>.self)
  case 5: return innerColumns(call, n, InnerTile<V, 4, 5>.self, InnerTile<V, 1, 5>.self)
  case 4: return innerColumns(call, n, InnerTile<V, 4, 4>.self, InnerTile<V, 1, 4>.self)
  case 3: return innerColumns(call, n, InnerTile<V, 4, 3>.self, InnerTile<V, 1, 3>.self)
  case 2: return innerColumns(call, n, InnerTile<V, 4, 2>.self, InnerTile<V, 1, 2>.self)
  default: return innerColumns(call, n, InnerTile<V, 4, 1>.self, InnerTile<V, 1, 1>.self)
  }
}
