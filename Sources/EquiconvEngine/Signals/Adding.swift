// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvShims

/// Sums of signals, number by number in the order given.
public enum Adding {
  /// `output[i] = pointwise(inputs[0][i] + inputs[1][i] + …)`.
  ///
  /// - Parameters:
  ///   - inputs: Two or more, of `count` numbers each.
  ///   - output: One of the first two inputs, or memory apart from all.
  /// - Throws: `invalidSize` for fewer inputs, `sizeOverflow`, `misalignedPointer`, `overlap`, `cancelled`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public static func run<S: EngineScalar>(
    _ inputs: [UnsafePointer<S>], count: Int, pointwise: Pointwise? = nil, output: UnsafeMutablePointer<S>,
    threads: Int? = nil
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try SignalSizes.check(count, .count)
      try Threads.check(threads)
      if inputs.count < 2 {
        throw ConvolutionError(.invalidSize, .input, "\(inputs.count) signals", expected: "at least 2")
      }
      let range = try ArrayRange(.output, output, count)
      for (place, input) in inputs.enumerated() {
        let inputRange = try ArrayRange(.input[place], input, count)
        if place < 2 { try range.checkApartOrSame(as: inputRange) } else { try range.checkApart(from: inputRange) }
      }
      let kernels = S.microkernels(.current)
      let epilogue = Epilogue<S>(pointwise, kernels)
      NumberBlocks(count).forEach(threads: threads ?? Threads.count(reading: count)) { block in
        add(inputs, block, output, epilogue, kernels)
      }
    }
  }

  private static func add<S: EngineScalar>(
    _ inputs: [UnsafePointer<S>], _ block: Range<Int>, _ output: UnsafeMutablePointer<S>, _ epilogue: Epilogue<S>,
    _ kernels: Microkernels
  ) {
    let target = output + block.lowerBound
    for place in 1..<inputs.count {
      kernels.combine(
        columns: block.count, NumberRows(place == 1 ? inputs[0] + block.lowerBound : UnsafePointer(target)),
        EQUICONV_COMBINE_ADD, NumberRows(inputs[place] + block.lowerBound), into: NumberRows(target))
    }
    epilogue.run(target, count: block.count)
  }
}
