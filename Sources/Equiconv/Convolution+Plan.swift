// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups

/// From a layer and a signal, checked against each other, to the plan that computes.
extension Convolution {
  /// The plan of this layer on `x`, once everything is known to fit.
  func plan(for x: Signal<Scalar>) throws(ConvolutionError) -> ConvolutionPlan {
    try x.check("x", on: inputSpace, of: group)
    try checkWeight()
    if isDepthwise && weight.shape[0] != x.channels {
      throw ConvolutionError(
        .invalidSize, "weight", "of shape \(shapeText(weight.shape))",
        expected: "\(x.channels) on axis 0, the channels of x \(x.placeText), for a depthwise layer")
    }
    guard weight.shape[1] == (isDepthwise ? 1 : x.channels) else {
      throw ConvolutionError(
        .invalidSize, "weight", "of shape \(shapeText(weight.shape))",
        expected: isDepthwise
          ? "1 on axis 1, for a depthwise layer" : "\(x.channels) on axis 1, the channels of x \(x.placeText)")
    }
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
        .invalidSize, "outputGradient", outputGradient.placeText,
        expected: "a signal on the \(outputSpace), of shape \(shapeText(shape)) as the output")
    }
    return plan
  }

  /// Taps of the kernel of the identity.
  var kernel: Extents { basis.map { Extents($0.extents) } ?? Extents(weight.shape.suffix(group.dimension)) }

  /// - Parameter isAlone: Whether only the kernels are looked at: no stride, padding or dilation.
  func descriptor(spatial: Extents, isAlone: Bool = false) throws(ConvolutionError) -> ConvolutionDescriptor {
    let dimension = group.dimension
    var descriptor = ConvolutionDescriptor(
      from: inputSpace, to: outputSpace, group: group, inChannels: weight.shape[isDepthwise ? 0 : 1],
      outChannels: weight.shape[0],
      spatial: spatial, kernel: kernel, interpolation: interpolation, basis: basis, groupBasis: groupBasis,
      usesQuadrature: usesQuadrature)
    descriptor.isDepthwise = isDepthwise
    if isAlone { return descriptor }
    descriptor.stride = try stride.extents("stride", dimension: dimension)
    descriptor.padding = try padding.extents(dimension: dimension)
    descriptor.dilation = try dilation.extents("dilation", dimension: dimension)
    descriptor.paddingMode = paddingMode
    descriptor.algorithm = algorithm
    return descriptor
  }

  func checkWeight() throws(ConvolutionError) {
    let functions = try functionsOnFiber()
    let axes =
      ["O", "C"] + (functions.map { [$0.name] } ?? [])
      + (basis.map { ["J = \($0.count)"] } ?? [String](repeating: "k", count: group.dimension))
    let names = "(" + axes.joined(separator: ", ") + ")"
    let value = "of shape \(shapeText(weight.shape))"
    guard weight.shape.count == axes.count else {
      throw ConvolutionError(
        .dimensionMismatch, "weight", value,
        expected: "shape \(names) for the layer \(inputSpace) → \(outputSpace) of \(group)")
    }
    if let functions, weight.shape[2] != functions.count {
      throw ConvolutionError(
        .invalidSize, "weight", value,
        expected: "shape \(names) with \(functions.name) = \(functions.count) of \(group) on axis 2")
    }
    if let basis, weight.shape.last != basis.count {
      throw ConvolutionError(.invalidSize, "weight", value, expected: "shape \(names), one weight for each function")
    }
    if weight.shape.contains(0) {
      throw ConvolutionError(.invalidSize, "weight", value, expected: "a size of at least 1 on every axis")
    }
  }

  /// What axis 2 of the weight runs over, where there is one.
  private func functionsOnFiber() throws(ConvolutionError) -> (name: String, count: Int)? {
    switch inputSpace {
    case .plane: return nil
    case .group where groupBasis != .full:
      do throws(BasisError) {
        return ("I", try groupBasis.count(for: group))
      } catch {
        throw ConvolutionError(.invalidBasis, "groupBasis", "\(groupBasis)", expected: "a basis on H: \(error)")
      }
    case .group: return ("|H|", group.order)
    case .quotient: return ("|H/K|", try inputSpace.fiber(of: group, "input").count)
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
  /// Throws unless this is a signal on the space, with the axes and the fiber of the group.
  func check(_ name: String, on space: SignalSpace, of group: PointGroup) throws(ConvolutionError) {
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
