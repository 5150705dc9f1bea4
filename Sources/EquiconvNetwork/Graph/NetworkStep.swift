// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvMemory

/// One of the steps that a network runs: an operation of the document, or several that became one.
package struct NetworkStep: Sendable {
  package var work: StepWork
  /// The operation of the document that it is named after; nil for the normalization of the input.
  package var operation: Int?
  /// Numbers of values.
  package var inputs: [Int]
  package var output: Int
  /// Applied to each number of the result.
  package var pointwise: Pointwise?
}

/// What a step computes, before its pointwise function.
package enum StepWork: Sendable {
  case convolution(Layer, StepParameters)
  /// The adjoint of a layer.
  case transposed(Layer, StepParameters)
  case linear(StepParameters)
  /// A number to multiply with and one to add for each channel.
  case affine(ChannelScaling)
  /// Nothing but the pointwise function.
  case pointwise
  case softmax
  /// Over so many points that lie beside each other.
  case groupPool(PoolMode, points: Int)
  /// The points of each fiber, in another order or several times.
  case gather(from: Int, points: FixedArray<Int>)
  case spatialPool(PoolMode, kernel: [Int], stride: [Int], padding: [Int])
  case spatialMean
  case upsample(NetworkOperation.UpsampleMode, factors: [Int])
  case add
  case concatenate
  /// The same numbers under another shape.
  case view
  /// The same numbers once more.
  case copy
}

/// The parameters of a layer or a linear map, and what is multiplied with and added to its results.
package struct StepParameters: Sendable {
  /// Names of tensors.
  package var weight: String
  package var bias: String?
  /// The axis of the weight that numbers the channels of the result.
  package var channelAxis: Int
  /// Parts of the channels of the result, those of a part being numbered by that axis and parts by the axes before it.
  package var channelGroups = 1
  package var scaling: ChannelScaling?
}

/// `scale[c] · x + shift[c]`, in Double.
package struct ChannelScaling: Sendable {
  package let scale: FixedArray<Double>
  package let shift: FixedArray<Double>

  /// This one after another.
  func after(_ first: ChannelScaling) throws(NetworkError) -> ChannelScaling {
    let scales = try NetworkTable<Double>(count: scale.count) { scale[$0] * first.scale[$0] }
    let shifts = try NetworkTable<Double>(count: scale.count) { scale[$0] * first.shift[$0] + shift[$0] }
    return ChannelScaling(scale: scales.frozen(), shift: shifts.frozen())
  }

  /// `(scale · x − mean[c]) / deviation[c]`.
  init(_ normalization: NetworkDocument.Normalization) throws(NetworkError) {
    let count = normalization.mean.count
    let scales = try NetworkTable<Double>(count: count) { normalization.scale / normalization.deviation[$0] }
    let shifts = try NetworkTable<Double>(count: count) { -normalization.mean[$0] / normalization.deviation[$0] }
    self.init(scale: scales.frozen(), shift: shifts.frozen())
  }

  init(scale: FixedArray<Double>, shift: FixedArray<Double>) {
    (self.scale, self.shift) = (scale, shift)
  }

  /// `(x − mean) / √(variance + ε) · weight + bias`.
  init(
    mean: FixedArray<Double>, variance: FixedArray<Double>, weight: FixedArray<Double>?, bias: FixedArray<Double>?,
    epsilon: Double
  ) throws(NetworkError) {
    let count = mean.count
    let scales = try NetworkTable<Double>(count: count) { (weight?[$0] ?? 1) / (variance[$0] + epsilon).squareRoot() }
    let shifts = try NetworkTable<Double>(count: count) { (bias?[$0] ?? 0) - mean[$0] * scales[$0] }
    self.init(scale: scales.frozen(), shift: shifts.frozen())
  }
}

/// A value that steps write: planes of the extents of a value of the graph.
package struct StepValue: Hashable, Sendable {
  package var channels: Int
  package var points: Int
  /// The value of the graph that has its extents.
  package var extents: Int
}
