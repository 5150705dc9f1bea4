// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// The maximum over the points of a fiber, and where it came from.
enum MaxPool {
  static func run<S: EngineScalar>(
    _ source: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>, order: Int, stride: Int, length: Int,
    _ kernels: Microkernels
  ) {
    target.copy(from: source, count: length)
    let largest = NumberRows(target)
    kernels.combine(
      rows: order - 1, columns: length, NumberRows(source + (order > 1 ? stride : 0), stride: stride),
      EQUICONV_COMBINE_LARGEST, NumberRows(UnsafePointer(target)), into: largest)
  }

  static func gradient<S: EngineScalar>(
    _ gradient: UnsafePointer<S>, _ input: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>, order: Int, inner: Int
  ) {
    for x in 0..<inner {
      var largest = input[x]
      for h in 1..<max(order, 1) {
        let value = input[h * inner + x]
        if value > largest || value.isNaN { largest = value }
      }
      // The maximum of values with a NaN is NaN, and comes from there.
      func isLargest(_ value: S) -> Bool { largest.isNaN ? value.isNaN : value == largest }
      var ties = 0
      for h in 0..<order where isLargest(input[h * inner + x]) { ties += 1 }
      for h in 0..<order {
        target[h * inner + x] = isLargest(input[h * inner + x]) ? gradient[x] / S(ties) : 0
      }
    }
  }
}
