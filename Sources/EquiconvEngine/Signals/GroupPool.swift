// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

/// How a signal on the group is pooled over H.
public enum PoolMode: Int32, Hashable, Sendable, CaseIterable {
  case mean = 0
  case max = 1
}

/// Mean or maximum over the middle axis: (outer, order, inner) → (outer, inner).
///
/// The mean is `Σ_h f[h] / |H|`, summed in Double from the smallest value to the largest, so that it commutes with every
/// permutation of H to the last bit. A NaN among the values gives NaN.
/// - Throws: `invalidSize`, `sizeOverflow`, `misalignedPointer`, `overlap`, `outOfMemory`.
/// - Complexity: O(outer · inner · |H| log² |H|) for the mean.
@_specialize(where S == Float)
@_specialize(where S == Double)
public func groupPool<S: EngineScalar>(
  _ mode: PoolMode, outer: Int, order: Int, inner: Int, input: UnsafePointer<S>, output: UnsafeMutablePointer<S>
) throws(ConvolutionError) {
  try Call.run(.exact) { () throws(ConvolutionError) in
    let count = try PoolShape.count(outer: outer, order: order, inner: inner)
    let inputRange = try ArrayRange(.input, input, count)
    try ArrayRange(.output, output, count / order).checkApart(from: inputRange)
    let network = mode == .mean ? try SortingNetwork(order) : nil
    let width = PoolShape.block
    let blocks = (inner + width - 1) / width
    let threads = count < 1 << 20 ? 1 : Threads.count
    var layout = Workspace.Layout()
    let scratch = try layout.reserve(threads: threads) { each throws(ConvolutionError) in
      try each.reserve(Double.self, network == nil ? 0 : order + 1, min(width, inner))
    }
    let workspace = try Workspace(layout)
    ThreadPool.run(outer * blocks, threads: threads) { worker, item in
      let (row, first) = (item / blocks, item % blocks * width)
      let source = input + row * order * inner + first
      let target = output + row * inner + first
      let length = min(width, inner - first)
      if let network {
        MeanPool.run(
          source, target, order: order, stride: inner, length: length, network: network,
          values: workspace[scratch, worker][scratch.each])
      } else {
        MaxPool.run(source, target, order: order, stride: inner, length: length)
      }
    }
  }
}

/// The adjoint of `groupPool` at `input`: (outer, inner) → (outer, order, inner).
///
/// The mean spreads the gradient evenly; the maximum gives it to the largest value, in equal parts where several are equal,
/// so that it commutes with permutations of H. `input` may be nil for the mean.
@_specialize(where S == Float)
@_specialize(where S == Double)
public func groupPoolGradient<S: EngineScalar>(
  _ mode: PoolMode, outer: Int, order: Int, inner: Int, outputGradient: UnsafePointer<S>, input: UnsafePointer<S>?,
  inputGradient: UnsafeMutablePointer<S>
) throws(ConvolutionError) {
  try Call.run(.exact) { () throws(ConvolutionError) in
    let count = try PoolShape.count(outer: outer, order: order, inner: inner)
    let gradRange = try ArrayRange(.outputGradient, outputGradient, count / order)
    var inputRange: ArrayRange?
    if let input { inputRange = try ArrayRange(.input, input, count) }
    try ArrayRange(.inputGradient, inputGradient, count).checkApart(from: gradRange, inputRange)
    if mode == .max && input == nil {
      throw ConvolutionError(.nullPointer, .input, "NULL", expected: "the input of the maximum")
    }
    ThreadPool.run(outer, threads: count < 1 << 20 ? 1 : Threads.count) { _, row in
      let gradient = outputGradient + row * inner
      let target = inputGradient + row * order * inner
      if mode == .max, let input {
        MaxPool.gradient(gradient, input + row * order * inner, target, order: order, inner: inner)
      } else {
        for h in 0..<order { for x in 0..<inner { target[h * inner + x] = gradient[x] / S(order) } }
      }
    }
  }
}

private enum PoolShape {
  /// Numbers pooled at a time: order · block doubles should stay in the first-level cache for usual orders.
  static let block = 64

  static func count(outer: Int, order: Int, inner: Int) throws(ConvolutionError) -> Int {
    for (name, size, least) in [(Argument.outer, outer, 0), (.order, order, 1), (.inner, inner, 0)] where size < least {
      throw ConvolutionError(.invalidSize, name, size, expected: "a number of at least \(least)")
    }
    if order > 4096 { throw ConvolutionError(.invalidSize, .order, order, expected: "at most 4096") }
    for (name, size) in [(Argument.outer, outer), (.inner, inner)] where size > ConvolutionDescriptor.sizeLimit {
      throw ConvolutionError(.sizeOverflow, name, size, expected: "at most 2^48")
    }
    let planes = try ConvolutionDescriptor.product(outer, inner, .product(.outer, .inner))
    return try ConvolutionDescriptor.product(planes, order, .product(.product(.outer, .inner), .order))
  }
}

/// Comparators that sort any `count` values: Batcher's merge exchange (Knuth, TAOCP 3, 5.2.2, algorithm M).
struct SortingNetwork {
  let comparators: FixedArray<(Int, Int)>

  init(_ count: Int) throws(ConvolutionError) {
    var comparators = Table<(Int, Int)>()
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

private enum MeanPool {
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

private enum MaxPool {
  static func run<S: EngineScalar>(
    _ source: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>, order: Int, stride: Int, length: Int
  ) {
    target.update(from: source, count: length)
    for h in 1..<max(order, 1) {
      let values = source + h * stride
      for x in 0..<length {
        let (best, value) = (target[x], values[x])
        // Of 0 and −0 the sum is 0 in either order.
        target[x] = value > best || value.isNaN ? value : value == best && value == 0 ? best + value : best
      }
    }
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
