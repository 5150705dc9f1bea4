// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvShims

/// A factor and a summand for each channel, as batch normalization in evaluation is.
public enum ChannelAffine {
  /// `output[b, c, i] = pointwise(scale[c] · input[b, c, i] + shift[c])`.
  ///
  /// Product and sum are rounded once where the processor has such an instruction.
  ///
  /// - Parameters:
  ///   - inner: Numbers of a channel: |X| times those of a plane.
  ///   - input: (batch, channels, inner).
  ///   - output: The input, or memory apart from it.
  /// - Throws: `invalidSize`, `sizeOverflow`, `misalignedPointer`, `overlap`, `cancelled`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public static func run<S: EngineScalar>(
    batch: Int, channels: Int, inner: Int, input: UnsafePointer<S>, scale: UnsafePointer<S>, shift: UnsafePointer<S>,
    pointwise: Pointwise? = nil, output: UnsafeMutablePointer<S>, threads: Int? = nil
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      for (name, size) in [(Argument.batch, batch), (.channels, channels), (.inner, inner)] {
        try SignalSizes.check(size, name)
      }
      try Threads.check(threads)
      let rows = try ConvolutionDescriptor.product(batch, channels, .product(.batch, .channels))
      let count = try ConvolutionDescriptor.product(rows, inner, .size(of: .input))
      let inputRange = try ArrayRange(.input, input, count)
      let (scaleRange, shiftRange) = (
        try ArrayRange(.weight, scale, channels), try ArrayRange(.bias, shift, channels)
      )
      let outputRange = try ArrayRange(.output, output, count)
      try outputRange.checkApart(from: scaleRange, shiftRange)
      try outputRange.checkApartOrSame(as: inputRange)
      let kernels = S.microkernels(.current)
      let epilogue = Epilogue<S>(pointwise, kernels)
      PlaneBlocks(planes: rows, volume: inner).forEach(threads: threads ?? Threads.count(reading: count)) {
        row, numbers in
        let (place, channel) = (row * inner + numbers.lowerBound, row % channels)
        kernels.map(
          columns: numbers.count, NumberRows(input + place), EQUICONV_POINTWISE_AFFINE, p: Double(scale[channel]),
          q: Double(shift[channel]), into: NumberRows(output + place))
        epilogue.run(output + place, count: numbers.count)
      }
    }
  }
}

/// Planes, or parts of large ones, shared by threads: some small planes to an item.
struct PlaneBlocks {
  private let planes: Int
  private let volume: Int
  /// Planes of an item, and parts of a plane.
  private let group: Int
  private let parts: Int

  init(planes: Int, volume: Int) {
    self.planes = planes
    self.volume = volume
    group = max(1, NumberBlocks.size / max(volume, 1))
    parts = (volume + NumberBlocks.size - 1) / NumberBlocks.size
  }

  /// Calls `body` with a plane and numbers of it.
  @inline(__always)
  func forEach(threads: Int, _ body: (_ plane: Int, _ numbers: Range<Int>) -> Void) {
    if parts == 1 {
      ThreadPool.run((planes + group - 1) / group, threads: threads) { _, item in
        for plane in item * group..<min(planes, (item + 1) * group) { body(plane, 0..<volume) }
      }
    } else {
      ThreadPool.run(planes * parts, threads: threads) { _, item in
        let first = item % parts * NumberBlocks.size
        body(item / parts, first..<min(volume, first + NumberBlocks.size))
      }
    }
  }
}
