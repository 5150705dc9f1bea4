// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

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
    let width = network == nil ? NumberBlocks.size / order : PoolShape.block
    let kernels = S.microkernels(.current)
    let blocks = (inner + width - 1) / width
    let threads = Threads.count(reading: count)
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
        MaxPool.run(source, target, order: order, stride: inner, length: length, kernels)
      }
    }
  }
}

/// The adjoint of `groupPool` at `input`: (outer, inner) → (outer, order, inner).
///
/// The mean spreads the gradient evenly; the maximum passes it to the largest value, in equal parts if several are
/// equal, so that it commutes with permutations of H. `input` may be nil for the mean.
@_specialize(where S == Float)
@_specialize(where S == Double)
public func groupPoolGradient<S: EngineScalar>(
  _ mode: PoolMode, outer: Int, order: Int, inner: Int, outputGradient: UnsafePointer<S>, input: UnsafePointer<S>?,
  inputGradient: UnsafeMutablePointer<S>
) throws(ConvolutionError) {
  try Call.run(.exact) { () throws(ConvolutionError) in
    let count = try PoolShape.count(outer: outer, order: order, inner: inner)
    let gradRange = try ArrayRange(.outputGradient, outputGradient, count / order)
    let inputRange = try ArrayRange(.input, input, count)
    try ArrayRange(.inputGradient, inputGradient, count).checkApart(from: gradRange, inputRange)
    if mode == .max && input == nil {
      throw ConvolutionError(.nullPointer, .input, "NULL", expected: "the input of the maximum")
    }
    ThreadPool.run(outer, threads: Threads.count(reading: count)) { _, row in
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
  /// Points of a fiber; the networks that sort more grow large.
  private static let mostPoints = 4096

  static func count(outer: Int, order: Int, inner: Int) throws(ConvolutionError) -> Int {
    for (name, size, least) in [(Argument.outer, outer, 0), (.order, order, 1), (.inner, inner, 0)] where size < least {
      throw ConvolutionError(.invalidSize, name, size, expected: "a number of at least \(least)")
    }
    if order > mostPoints {
      throw ConvolutionError(.invalidSize, .order, order, expected: "at most \(mostPoints)")
    }
    for (name, size) in [(Argument.outer, outer), (.inner, inner)] where size > ConvolutionDescriptor.sizeLimit {
      throw ConvolutionError(.sizeOverflow, name, size, expected: "at most 2^48")
    }
    let planes = try ConvolutionDescriptor.product(outer, inner, .product(.outer, .inner))
    return try ConvolutionDescriptor.product(planes, order, .product(.product(.outer, .inner), .order))
  }
}
