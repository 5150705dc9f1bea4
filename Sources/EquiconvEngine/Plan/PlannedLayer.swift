// SPDX-License-Identifier: Apache-2.0

/// A layer that finds the plans of its recent shapes without building a descriptor.
///
/// Plans are in the cache of all simple calls, of the 64 most recent ones: any number of layers keep no more than that. Safe
/// to share between threads.
public final class PlannedLayer: Sendable {
  /// The layer, checked, with normalized spaces.
  public let layer: Layer
  /// Identifies this layer's calls in the cache; never reused.
  private let number: UInt64

  /// Guarded by `ProcessLock`.
  private nonisolated(unsafe) static var count: UInt64 = 0

  /// - Throws: what is wrong with the layer for any sizes.
  public init(_ layer: Layer) throws(ConvolutionError) {
    let call = Call.begin(.flushing)
    defer { call.end() }
    self.layer = try layer.validated()
    number = ProcessLock.withLock {
      Self.count += 1
      return Self.count
    }
  }

  /// The plan for an input and a weight of these shapes, whatever the batch.
  ///
  /// - Throws: as `Layer.descriptor(input:weight:)` and `ConvolutionPlan.init`.
  public func plan(input: Shape, weight: Shape) throws(ConvolutionError) -> ConvolutionPlan {
    let call = call(input, weight)
    if let plan = ConvolutionPlan.known(call) { return plan }
    return try .cached(try layer.descriptor(input: input.values, weight: weight.values), for: call)
  }

  /// The shape of the output and the remainders of the strides; see `Layer.outputShape`. Makes no plan.
  public func output(
    input: Shape, weight: Shape
  ) throws(ConvolutionError) -> (shape: Shape, strideRemainder: Extents) {
    if let plan = ConvolutionPlan.known(call(input, weight)) {
      return (try plan.outputSizes(batch: input[0]), plan.strideRemainder)
    }
    let sizes = try layer.outputShape(input: input.values, weight: weight.values)
    return (
      Shape(rank: sizes.count) { sizes[$0] }, try layer.strideRemainder(input: input.values, weight: weight.values)
    )
  }

  /// The plan of the layer on one kernel, for `ConvolutionPlan.expand`.
  public func planOfKernels(weight: Shape) throws(ConvolutionError) -> ConvolutionPlan {
    try .cached(try layer.descriptorOfKernels(weight: weight.values))
  }

  private func call(_ input: Shape, _ weight: Shape) -> LayerCall {
    var input = input
    if input.rank > 0 { input[0] = 0 }
    return LayerCall(layer: number, input: input, weight: weight)
  }
}
