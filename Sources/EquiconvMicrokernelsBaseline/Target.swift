// SPDX-License-Identifier: Apache-2.0
//
// What every processor of the architecture has: 128-bit registers, 16 of them on x86-64. No flags of its own.

import _EquiconvShims

typealias Register32 = SIMD4<Float>
typealias Register64 = SIMD2<Double>

/// The widest panel of `multiply`; narrower ones are its powers of two.
public let widestPanel = 4

/// The widest panel of `complexMultiply`: 8 accumulators.
public let widestComplexPanel = 4

/// multiply for each panel width: 8 accumulators, 2 pixels, 1 weight and its product; 4 × 3 was tried and spilled.
@inline(__always)
func multiplyPanel<V: Lanes>(_ call: equiconv_multiply_call, width: Int, _: V.Type) {
  switch width {
  case 4: sweep(call, Tile<V, 4, 2>.self, Tile<V, 4, 1>.self, Tile<V, 4, 1>.self)
  case 2: sweep(call, Tile<V, 2, 6>.self, Tile<V, 2, 2>.self, Tile<V, 2, 1>.self)
  default: sweep(call, Tile<V, 1, 8>.self, Tile<V, 1, 2>.self, Tile<V, 1, 1>.self)
  }
}

/// reduce: 12 accumulators.
@inline(__always)
func reduceTiles<V: Lanes>(_ call: equiconv_reduce_call, _: V.Type) {
  var vector = 0
  while vector < call.vector_count {
    // Four vectors are better taken as 2 + 2 than as 3 + 1.
    let left = call.vector_count &- vector
    if left >= 3 && left != 4 {
      sweep(call, vector: vector, ReduceTile<V, 4, 3, 1>.self, ReduceTile<V, 2, 3, 1>.self)
      vector &+= 3
    } else if left >= 2 {
      sweep(call, vector: vector, ReduceTile<V, 6, 2, 1>.self, ReduceTile<V, 2, 2, 1>.self)
      vector &+= 2
    } else {
      sweep(call, vector: vector, ReduceTile<V, 12, 1, 2>.self, ReduceTile<V, 4, 1, 2>.self)
      vector &+= 1
    }
  }
}
