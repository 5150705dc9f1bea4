// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvShims

extension Pointwise {
  /// `target[i] = f(source[i])`.
  ///
  /// What a number becomes depends on the instruction set and on nothing else: not on its place, the count or threads. NaN
  /// gives NaN, infinities give the limits, and subnormal numbers are zeros, as in convolutions. Results in Float are within
  /// 3.5 units in the last place, 5 for `gelu`, and those in Double within 1e-15 of themselves.
  ///
  /// - Parameter target: The source itself, or memory apart from it.
  /// - Throws: `invalidSize`, `sizeOverflow`, `misalignedPointer`, `overlap`, `cancelled`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public func apply<S: EngineScalar>(
    _ source: UnsafePointer<S>, to target: UnsafeMutablePointer<S>, count: Int
  ) throws(ConvolutionError) {
    try apply(source, to: target, count: count, instructions: .current, threads: nil)
  }

  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func apply<S: EngineScalar>(
    _ source: UnsafePointer<S>, to target: UnsafeMutablePointer<S>, count: Int, instructions: InstructionSet,
    threads: Int?
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try SignalSizes.check(count, .count)
      let sourceRange = try ArrayRange(.input, source, count)
      try ArrayRange(.output, target, count).checkApartOrSame(as: sourceRange)
      let (kernels, kernel) = (S.microkernels(instructions), kernel)
      NumberBlocks(count).forEach(threads: threads ?? Threads.count(reading: count)) { block in
        kernels.map(
          columns: block.count, NumberRows(source + block.lowerBound), kernel.function, p: kernel.p,
          into: NumberRows(target + block.lowerBound))
      }
    }
  }
}

/// Numbers in a row, shared by threads block by block.
struct NumberBlocks {
  /// Numbers of a block: they stay in a second-level cache, and take some ten microseconds.
  static let size = 16 << 10
  let count: Int

  init(_ count: Int) { self.count = count }

  @inline(__always)
  func forEach(threads: Int, _ body: (Range<Int>) -> Void) {
    ThreadPool.run((count + Self.size - 1) / Self.size, threads: threads) { _, block in
      body(block * Self.size..<min(count, (block + 1) * Self.size))
    }
  }
}

/// Checks of the sizes that functions of signals are given.
enum SignalSizes {
  static func check(_ size: Int, _ name: Argument, atLeast least: Int = 0) throws(ConvolutionError) {
    if size < least {
      throw ConvolutionError(.invalidSize, name, size, expected: "a number of at least \(least)")
    }
    if size > ConvolutionDescriptor.sizeLimit {
      throw ConvolutionError(.sizeOverflow, name, size, expected: "at most 2^48")
    }
  }

  /// Numbers of so many planes of these extents.
  static func count(planes: Int, _ spatial: Extents, of array: Argument) throws(ConvolutionError) -> Int {
    try check(planes, .planeCount)
    var count = planes
    for axis in spatial.indices {
      try check(spatial[axis], .spatial[axis], atLeast: 1)
      count = try ConvolutionDescriptor.product(count, spatial[axis], .size(of: array))
    }
    return count
  }
}
