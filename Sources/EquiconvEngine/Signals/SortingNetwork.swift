// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// Comparators that sort any `count` values: Batcher's merge exchange (Knuth, TAOCP 3, 5.2.2, algorithm M).
struct SortingNetwork {
  let comparators: FixedArray<(Int, Int)>

  init(_ count: Int) throws(ConvolutionError) {
    var comparators = PlanTable<(Int, Int)>()
    var top = 1
    while top < count { top *= 2 }
    var p = top / 2
    while p > 0 {
      var (q, r, d) = (top / 2, 0, p)
      while true {
        for i in 0..<max(0, count - d) where i & p == r { try comparators.append((i, i + d)) }
        if q == p { break }
        d = q - p
        q /= 2
        r = p
      }
      p /= 2
    }
    self.comparators = comparators.frozen()
  }
}
