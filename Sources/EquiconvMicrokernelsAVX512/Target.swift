// SPDX-License-Identifier: Apache-2.0
//
// AVX-512 (x86-64-v4): 32 registers of 512 bits. Compiled with -march=x86-64-v4.

import _EquiconvShims

typealias Register32 = SIMD16<Float>
typealias Register64 = SIMD8<Double>

/// The widest panel of `multiply`; narrower ones are its powers of two.
public let widestPanel = 8

/// The widest panel of `complexMultiply`: 16 accumulators.
public let widestComplexPanel = 8

/// multiply for each panel width. 24 accumulators: 14 × 2 was tried and spilled.
@inline(__always)
func multiplyPanel<V: Lanes>(_ call: equiconv_multiply_call, width: Int, _: V.Type) {
  switch width {
  case 8: sweep(call, Tile<V, 8, 3>.self, Tile<V, 8, 2>.self, Tile<V, 8, 1>.self)
  case 4: sweep(call, Tile<V, 4, 6>.self, Tile<V, 4, 2>.self, Tile<V, 4, 1>.self)
  case 2: sweep(call, Tile<V, 2, 8>.self, Tile<V, 2, 2>.self, Tile<V, 2, 1>.self)
  default: sweep(call, Tile<V, 1, 8>.self, Tile<V, 1, 2>.self, Tile<V, 1, 1>.self)
  }
}

/// reduce: 24 accumulators.
@inline(__always)
func reduceTiles<V: Lanes>(_ call: equiconv_reduce_call, _: V.Type) {
  var vector = 0
  while vector < call.vector_count {
    // Four vectors are better taken as 2 + 2 than as 3 + 1.
    let left = call.vector_count &- vector
    if left >= 3 && left != 4 {
      sweep(call, vector: vector, ReduceTile<V, 8, 3, 2>.self, ReduceTile<V, 4, 3, 2>.self)
      vector &+= 3
    } else if left >= 2 {
      sweep(call, vector: vector, ReduceTile<V, 12, 2, 2>.self, ReduceTile<V, 4, 2, 2>.self)
      vector &+= 2
    } else {
      sweep(call, vector: vector, ReduceTile<V, 24, 1, 2>.self, ReduceTile<V, 8, 1, 2>.self)
      vector &+= 1
    }
  }
}
