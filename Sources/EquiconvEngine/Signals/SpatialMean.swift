// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// The mean over all of space.
public enum SpatialMean {
  /// `output[p] = mean of input[p, i] over i`, whose bits do not depend on the order of the pixels: it is exact to some 100
  /// bits below the largest number, and rounded once. NaN gives NaN.
  ///
  /// - Parameters:
  ///   - planes: batch · channels · |X|.
  ///   - volume: Pixels of a plane, at least 1.
  ///   - input: (planes, volume).
  ///   - output: (planes).
  /// - Throws: `invalidSize`, `sizeOverflow`, `misalignedPointer`, `overlap`, `cancelled`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public static func run<S: EngineScalar>(
    planes: Int, volume: Int, input: UnsafePointer<S>, output: UnsafeMutablePointer<S>, threads: Int? = nil
  ) throws(ConvolutionError) {
    try Call.run(.exact) { () throws(ConvolutionError) in
      try SignalSizes.check(planes, .planeCount)
      try SignalSizes.check(volume, .inner, atLeast: 1)
      try Threads.check(threads)
      let count = try ConvolutionDescriptor.product(planes, volume, .size(of: .input))
      let inputRange = try ArrayRange(.input, input, count)
      try ArrayRange(.output, output, planes).checkApart(from: inputRange)
      let mean = ExactMean(of: volume, given: volume)
      let group = max(1, NumberBlocks.size / volume)
      ThreadPool.run((planes + group - 1) / group, threads: threads ?? Threads.count(reading: count)) { _, item in
        for plane in item * group..<min(planes, (item + 1) * group) {
          output[plane] = S(mean.mean(input + plane * volume, volume))
        }
      }
    }
  }
}
