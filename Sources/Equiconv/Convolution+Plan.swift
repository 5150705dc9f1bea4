// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// From a layer and a signal, checked against each other, to the plan that computes.
extension Convolution {
  var inputSpace: SignalSpace { layer.readsGroup ? .group : .plane }
  var outputSpace: SignalSpace { layer.writesGroup ? .group : .plane }

  /// The plan of this layer on `x`, once everything is known to fit.
  func plan(for x: Signal<Scalar>) throws(ConvolutionError) -> ConvolutionPlan {
    try x.check("x", on: inputSpace, of: group)
    try checkWeight()
    guard weight.shape[1] == x.channels else {
      throw ConvolutionError(
        .invalidSize, "weight", "of shape \(shapeText(weight.shape))",
        expected: "\(x.channels) on axis 1, the channels of x \(x.placeText)")
    }
    try checkBias()
    return try .cached(descriptor(spatial: x.spatial))
  }

  /// The plan of this layer on `x`, if `gradOutput` has the shape of its output.
  func plan(
    gradOutput: Signal<Scalar>, for x: Signal<Scalar>
  ) throws(ConvolutionError) -> ConvolutionPlan {
    let plan = try plan(for: x)
    let shape = try plan.outputShape(batch: x.batch)
    guard gradOutput.space == outputSpace, gradOutput.shape == shape else {
      throw ConvolutionError(
        .invalidSize, "gradOutput", gradOutput.placeText,
        expected: "a signal on the \(outputSpace), of shape \(shapeText(shape)) as the output")
    }
    return plan
  }

  func descriptor(spatial: Extents) throws(ConvolutionError) -> ConvolutionDescriptor {
    let dimension = group.dimension
    return ConvolutionDescriptor(
      layer: layer, group: group, inChannels: weight.shape[1], outChannels: weight.shape[0], spatial: spatial,
      kernel: Extents(weight.shape.suffix(dimension)), stride: try stride.extents("stride", dimension: dimension),
      padding: try padding.extents(dimension: dimension),
      dilation: try dilation.extents("dilation", dimension: dimension), paddingMode: paddingMode, algorithm: algorithm)
  }

  func checkWeight() throws(ConvolutionError) {
    let axes = ["O", "C"] + (layer.readsGroup ? ["|H|"] : []) + [String](repeating: "k", count: group.dimension)
    let names = "(" + axes.joined(separator: ", ") + ")"
    let value = "of shape \(shapeText(weight.shape))"
    guard weight.shape.count == axes.count else {
      throw ConvolutionError(
        .dimensionMismatch, "weight", value, expected: "shape \(names) for the \(layer) layer of \(group)")
    }
    if layer.readsGroup && weight.shape[2] != group.order {
      throw ConvolutionError(
        .invalidSize, "weight", value, expected: "shape \(names) with |H| = \(group.order) of \(group) on axis 2")
    }
    if weight.shape.contains(0) {
      throw ConvolutionError(.invalidSize, "weight", value, expected: "a size of at least 1 on every axis")
    }
  }

  func checkBias() throws(ConvolutionError) {
    if let bias, bias.count != weight.shape[0] {
      throw ConvolutionError(
        .invalidSize, "bias", "of \(bias.count) numbers",
        expected: "\(weight.shape[0]), one for each output channel of weight of shape \(shapeText(weight.shape))")
    }
  }
}

extension Signal {
  /// Throws unless this is a signal on the space, with the axes and the order of the group.
  func check(_ name: String, on space: SignalSpace, of group: PointGroup) throws(ConvolutionError) {
    let axes = "\(group.dimension) spatial \(group.dimension == 1 ? "axis" : "axes")"
    guard self.space == space else {
      throw ConvolutionError(
        .dimensionMismatch, name, placeText, expected: "a signal on the \(space) with \(axes), as \(group) acts on")
    }
    guard spatial.count == group.dimension else {
      throw ConvolutionError(.dimensionMismatch, name, placeText, expected: "\(axes), as \(group) acts on")
    }
    if space == .group && order != group.order {
      throw ConvolutionError(
        .invalidSize, name, placeText, expected: "|H| = \(group.order) of \(group) on axis 2")
    }
  }
}
