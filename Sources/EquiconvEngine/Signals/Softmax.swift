// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory
import _EquiconvShims

/// Softmax over channels, for each place and each point of the fiber.
public enum Softmax {
  /// `output[b, c, i] = exp(input[b, c, i] − m) / Σ_c exp(input[b, c, i] − m)` with m the largest over c.
  ///
  /// Sums run over the channels in order. NaN in any channel gives NaN in all, as do infinities that cancel.
  ///
  /// - Parameters:
  ///   - inner: Numbers of a channel: |X| times those of a plane.
  ///   - input: (batch, channels, inner).
  ///   - output: The input, or memory apart from it.
  /// - Throws: `invalidSize`, `sizeOverflow`, `misalignedPointer`, `overlap`, `outOfMemory`, `cancelled`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public static func run<S: EngineScalar>(
    batch: Int, channels: Int, inner: Int, input: UnsafePointer<S>, output: UnsafeMutablePointer<S>,
    threads: Int? = nil
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try SignalSizes.check(batch, .batch)
      try SignalSizes.check(channels, .channels, atLeast: 1)
      try SignalSizes.check(inner, .inner)
      try Threads.check(threads)
      let rows = try ConvolutionDescriptor.product(batch, channels, .product(.batch, .channels))
      let count = try ConvolutionDescriptor.product(rows, inner, .size(of: .input))
      let inputRange = try ArrayRange(.input, input, count)
      try ArrayRange(.output, output, count).checkApartOrSame(as: inputRange)
      let threads = threads ?? Threads.count(reading: count)
      let width = min(inner, blockWidth)
      var layout = Workspace.Layout()
      let scratch = try layout.reserve(threads: threads) { each throws(ConvolutionError) in
        try each.reserve(S.self, 2, width)
      }
      let workspace = try Workspace(layout)
      let blocks = (inner + blockWidth - 1) / blockWidth
      let kernels = S.microkernels(.current)
      ThreadPool.run(batch * blocks, threads: threads) { worker, item in
        let first = item % max(blocks, 1) * blockWidth
        let place = item / max(blocks, 1) * channels * inner + first
        let shape = Columns(channels: channels, stride: inner, width: min(blockWidth, inner - first))
        shape.run(input + place, output + place, workspace[scratch, worker][scratch.each], kernels)
      }
    }
  }

  /// Places of a block: a row of them for each channel.
  private static var blockWidth: Int { 512 }

  /// Neighboring places of all channels of an image.
  private struct Columns {
    let channels: Int
    let stride: Int
    let width: Int

    /// - Parameter scratch: Two rows.
    func run<S: EngineScalar>(
      _ input: UnsafePointer<S>, _ output: UnsafeMutablePointer<S>, _ scratch: UnsafeMutablePointer<S>,
      _ kernels: Microkernels
    ) {
      let (largest, sum) = (NumberRows(scratch), NumberRows(scratch + width))
      let (source, target) = (NumberRows(input, stride: stride), NumberRows(output, stride: stride))
      let found = NumberRows(UnsafePointer(output), stride: stride)
      largest.start.copy(from: input, count: width)
      kernels.combine(
        rows: channels - 1, columns: width, NumberRows(input + (channels > 1 ? stride : 0), stride: stride),
        EQUICONV_COMBINE_LARGEST, NumberRows(UnsafePointer(largest.start)), into: largest)
      kernels.combine(
        rows: channels, columns: width, source, EQUICONV_COMBINE_SUBTRACT,
        NumberRows(UnsafePointer(largest.start)), EQUICONV_POINTWISE_EXPONENTIAL, into: target)
      sum.start.update(repeating: 0, count: width)
      kernels.combine(
        rows: channels, columns: width, found, EQUICONV_COMBINE_ADD, NumberRows(UnsafePointer(sum.start)), into: sum)
      kernels.combine(
        rows: channels, columns: width, found, EQUICONV_COMBINE_DIVIDE, NumberRows(UnsafePointer(sum.start)),
        into: target)
    }
  }
}
