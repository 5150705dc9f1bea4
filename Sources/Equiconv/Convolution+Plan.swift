// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors

/// From a layer and a signal, checked against each other, to the plan that computes.
extension Convolution {
  /// The plan of this layer on `x`, once everything is known to fit.
  func plan(for x: Signal<Scalar>) throws(ConvolutionError) -> ConvolutionPlan {
    try x.check(.x, on: inputSpace, of: group)
    try checkWeight()
    try layer.checkChannels(weight.shape, of: x.channels, "x \(x.placeText)")
    try checkBias()
    return try .cached(descriptor(spatial: x.spatial))
  }

  /// The plan of this layer on `x`, if `outputGradient` has the shape of its output.
  func plan(
    outputGradient: Signal<Scalar>, for x: Signal<Scalar>
  ) throws(ConvolutionError) -> ConvolutionPlan {
    let plan = try plan(for: x)
    let shape = try plan.outputShape(batch: x.batch)
    guard outputGradient.space.normalized(group) == outputSpace, outputGradient.shape == shape else {
      throw ConvolutionError(
        .invalidSize, .outputGradient, outputGradient.placeText,
        expected: "a signal on the \(outputSpace), of shape \(shapeText(shape)) as the output")
    }
    return plan
  }

  func descriptor(spatial: Extents) -> ConvolutionDescriptor {
    ConvolutionDescriptor(
      layer: layer, inChannels: layer.inChannels(ofWeight: weight.shape), outChannels: weight.shape[0],
      spatial: spatial, kernel: layer.kernel(ofWeight: weight.shape))
  }

  func checkWeight() throws(ConvolutionError) { try layer.checkWeight(weight.shape) }

  func checkBias() throws(ConvolutionError) {
    if let bias, bias.count != weight.shape[0] {
      throw ConvolutionError(
        .invalidSize, .bias, "of \(bias.count) numbers",
        expected: "\(weight.shape[0]), one for each output channel of weight of shape \(shapeText(weight.shape))")
    }
  }
}

extension Signal {
  /// Throws unless this is a signal on the space, with the axes and the fiber of the group.
  func check(_ name: Argument, on space: SignalSpace, of group: PointGroup) throws(ConvolutionError) {
    let axes = "\(group.dimension) spatial \(group.dimension == 1 ? "axis" : "axes")"
    guard self.space.normalized(group) == space.normalized(group) else {
      throw ConvolutionError(
        .dimensionMismatch, name, placeText, expected: "a signal on the \(space) with \(axes), as \(group) acts on")
    }
    guard spatial.count == group.dimension else {
      throw ConvolutionError(.dimensionMismatch, name, placeText, expected: "\(axes), as \(group) acts on")
    }
    if space == .plane { return }
    let count = try space.fiber(of: group, name).count
    if order != count {
      let fiber = space == .group ? "|H|" : "|H/K|"
      throw ConvolutionError(
        .invalidSize, name, placeText, expected: "\(fiber) = \(count) of \(group) on axis 2")
    }
  }
}
