// SPDX-License-Identifier: Apache-2.0

/// An algorithm whose signal passes read weights in a basis of its own, which plans keep between calls.
protocol WeightTransformingAlgorithm: ConvolutionAlgorithm {
  /// The weights for signal passes with a tile.
  func transform(_ core: CoreWeights<Scalar>, tile: Tile) throws(ConvolutionError) -> TransformedWeights<Scalar>
}

extension WeightTransformingAlgorithm {
  func withWeights(
    _ weight: WeightSource<Scalar>, tile: Tile,
    _ body: (UnsafePointer<Scalar>) throws(ConvolutionError) -> Void
  ) throws(ConvolutionError) {
    let weights = try transformed(weight, tile: tile)
    try body(weights.base)
    withExtendedLifetime(weights.memory) {}
  }

  /// The transforms: kept from an earlier call, or made now.
  private func transformed(
    _ weight: WeightSource<Scalar>, tile: Tile
  ) throws(ConvolutionError) -> TransformedWeights<Scalar> {
    let plan = task.plan
    let key = TransformKey(
      pass: task.pass, method: Method(Self.name, tile: tile), instructions: task.options.instructions,
      scalarBytes: MemoryLayout<Scalar>.stride)
    let make = { () throws(ConvolutionError) in
      let made = try plan.withCore(weight.pointer) { core throws(ConvolutionError) in
        let strides = task.coreStrides
        return try transform(
          CoreWeights(numbers: core, outputStride: strides.output, channelStride: strides.channel), tile: tile)
      }
      // Only complete transforms are kept.
      try Call.checkNotEnded()
      return made
    }
    switch weight {
    case .array(let array):
      return try plan.weightCache.transformed(key, weight: array, count: try plan.weightCount(), make)
    case .prepared(let prepared):
      return try prepared.transformed(plan.descriptor, key, make)
    }
  }
}

/// ŵ as a signal pass reads it: coefficients of a pair of channels are contiguous.
struct CoreWeights<S: EngineScalar> {
  var numbers: UnsafePointer<S>
  /// From one output of the pass to the next, and from one channel it reads to the next.
  var outputStride: Int
  var channelStride: Int
}
