// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvShims

/// A matrix times vectors.
public enum LinearMap {
  /// `output[b, o] = pointwise(Σ_f weight[o, f] · input[b, f] + bias[o])`.
  ///
  /// Sums of a number of features have one order: bits depend on neither the batch nor threads.
  ///
  /// - Parameters:
  ///   - input: (batch, features).
  ///   - weight: (outputs, features).
  ///   - bias: (outputs), or nil.
  ///   - output: (batch, outputs).
  /// - Throws: `invalidSize`, `sizeOverflow`, `misalignedPointer`, `overlap`, `cancelled`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public static func run<S: EngineScalar>(
    batch: Int, features: Int, outputs: Int, input: UnsafePointer<S>, weight: UnsafePointer<S>,
    bias: UnsafePointer<S>?, pointwise: Pointwise? = nil, output: UnsafeMutablePointer<S>, threads: Int? = nil
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      for (name, size) in [(Argument.batch, batch), (.inChannels, features), (.outChannels, outputs)] {
        try SignalSizes.check(size, name)
      }
      try Threads.check(threads)
      let inputs = try ConvolutionDescriptor.product(batch, features, .size(of: .input))
      let weights = try ConvolutionDescriptor.product(outputs, features, .size(of: .weight))
      let results = try ConvolutionDescriptor.product(batch, outputs, .size(of: .output))
      let (inputRange, weightRange) = (
        try ArrayRange(.input, input, inputs), try ArrayRange(.weight, weight, weights)
      )
      let biasRange = try ArrayRange(.bias, bias, outputs)
      try ArrayRange(.output, output, results).checkApart(from: inputRange, weightRange, biasRange)
      let product = Product(
        batch: batch, features: features, outputs: outputs, kernels: S.microkernels(.current), input: input,
        weight: weight, bias: bias, output: output)
      let threads = threads ?? (Double(batch) * Double(weights) < smallestSharedWork ? 1 : Threads.count)
      let epilogue = Epilogue<S>(pointwise, product.kernels)
      ThreadPool.run((outputs + block - 1) / block, threads: threads) { _, item in
        let columns = item * block..<min(outputs, (item + 1) * block)
        product.run(columns)
        epilogue.run(
          output, OutputRectangle(place: columns.lowerBound, rows: batch, columns: columns.count, stride: outputs))
      }
    }
  }

  /// Outputs of an item: whole tiles of `inner`.
  private static var block: Int { 12 }
  private static var smallestSharedWork: Double { 2e6 }

  private struct Product<S: EngineScalar> {
    let batch: Int
    let features: Int
    let outputs: Int
    let kernels: Microkernels
    let input: UnsafePointer<S>
    let weight: UnsafePointer<S>
    let bias: UnsafePointer<S>?
    let output: UnsafeMutablePointer<S>

    /// Vectors that are summed up in one go: rows of a tile stay in the first-level cache. A part of what a sum is.
    private static var chunk: Int { 64 }

    func run(_ columns: Range<Int>) {
      for image in 0..<batch {
        for column in columns { output[image * outputs + column] = bias?[column] ?? 0 }
      }
      let vectors = features / kernels.lanes
      for first in stride(from: 0, to: vectors, by: Self.chunk) {
        if Call.isEnded { return }
        let place = first * kernels.lanes
        var call = equiconv_inner_call(
          left: input + place, left_count: batch, left_stride: features,
          right: weight + (columns.lowerBound * features + place), right_count: columns.count, right_stride: features,
          vector_count: min(Self.chunk, vectors - first), sums: output + columns.lowerBound, sum_stride: outputs)
        kernels.inner(&call)
      }
      addRest(columns, from: vectors * kernels.lanes)
    }

    /// Features that fill no vector.
    private func addRest(_ columns: Range<Int>, from first: Int) {
      if first == features { return }
      for image in 0..<batch {
        for column in columns {
          var sum = output[image * outputs + column]
          for f in first..<features { sum += weight[column * features + f] * input[image * features + f] }
          output[image * outputs + column] = sum
        }
      }
    }
  }
}
