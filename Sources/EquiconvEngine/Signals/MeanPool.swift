// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// The mean over the points of a fiber, for neighboring places.
enum MeanPool {
  /// - Parameter values: Scratch for (order + 1) · length numbers.
  static func run<S: EngineScalar>(
    _ source: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>, order: Int, stride: Int, length: Int,
    network: SortingNetwork, values: UnsafeMutablePointer<Double>
  ) {
    let notANumber = values + order * length
    notANumber.update(repeating: 0, count: length)
    for h in 0..<order {
      for x in 0..<length {
        let value = Double(source[h * stride + x])
        values[h * length + x] = value
        if value.isNaN { notANumber[x] = value }
      }
    }
    for (low, high) in network.comparators.elements { sort(values + low * length, values + high * length, length) }
    sum(values, notANumber, into: target, order: order, length: length)
  }

  @inline(__always)
  private static func sort(_ a: UnsafeMutablePointer<Double>, _ b: UnsafeMutablePointer<Double>, _ length: Int) {
    for x in 0..<length {
      let (p, q) = (a[x], b[x])
      a[x] = q < p ? q : p
      b[x] = q < p ? p : q
    }
  }

  private static func sum<S: EngineScalar>(
    _ values: UnsafePointer<Double>, _ notANumber: UnsafePointer<Double>, into target: UnsafeMutablePointer<S>,
    order: Int, length: Int
  ) {
    for x in 0..<length {
      var sum = values[x]
      for h in 1..<max(order, 1) { sum += values[h * length + x] }
      // NaN has no place in an order, so it is looked for apart.
      target[x] = S((notANumber[x].isNaN ? notANumber[x] : sum) / Double(order))
    }
  }
}
