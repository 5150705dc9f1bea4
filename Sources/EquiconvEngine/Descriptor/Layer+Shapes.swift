// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups
import _EquiconvErrors

// Which arrays fit a layer, and the shape of its output.

extension Layer {
  /// The shape of the weight: (O, C, [points or functions on H,] kernel…), with (J) for the kernel's extents where
  /// kernels are made of J other functions than pixels, and C / channelGroups for C.
  ///
  /// - Parameter kernel: taps of the kernel of the identity.
  /// - Throws: `notASubgroup` or `invalidBasis` for spaces and a basis on H that do not fit the group.
  public func weightShape(
    outChannels: Int, inChannels: Int, kernel: Extents
  ) throws(ConvolutionError) -> [Int] {
    try ConvolutionDescriptor.checkSize(channelGroups, .channelGroups)
    return [outChannels, inChannels / channelGroups] + (try functionsOnFiber().map { [$0.count] } ?? [])
      + (basis?.shape ?? kernel.values)
  }

  /// The shape of the output, (batch, O, spatial…) or (batch, O, |H/K|, spatial…), for an input and a weight of these
  /// shapes.
  ///
  /// - Throws: the first thing that is wrong with the layer or the shapes, as a plan of them would.
  public func outputShape(input: [Int], weight: [Int]) throws(ConvolutionError) -> [Int] {
    let descriptor = try descriptor(input: input, weight: weight).resolved()
    let points = descriptor.layer.output == .plane ? [] : [try output.fiber(of: group, .outputSpace).count]
    let shape = [input[0], descriptor.outChannels] + points + (try descriptor.outputs().counts.values)
    do throws(ConvolutionError) {
      _ = try ConvolutionPlan.count(shape, .output)
    } catch {
      // Which argument makes it so large is said by the limits of plans.
      try descriptor.checkLimits()
      throw error
    }
    return shape
  }

  /// (size + 2 padding − reach) mod stride on each axis; see `ConvolutionPlan.strideRemainder`.
  ///
  /// - Throws: as `outputShape`.
  public func strideRemainder(input: [Int], weight: [Int]) throws(ConvolutionError) -> Extents {
    try descriptor(input: input, weight: weight).resolved().outputs().remainders
  }

  /// The layer with the sizes that these shapes have.
  ///
  /// - Parameters:
  ///   - input: (batch, C, spatial…) or (batch, C, |H/K|, spatial…).
  ///   - weight: see `weightShape`.
  /// - Throws: `dimensionMismatch` for a wrong number of axes, `invalidSize` for a size that does not fit the layer or the
  ///   other shape, naming `input` or `weight`.
  public func descriptor(input: [Int], weight: [Int]) throws(ConvolutionError) -> ConvolutionDescriptor {
    try checkInput(input)
    try checkWeight(weight)
    try checkChannels(weight, of: input[1], "input of shape \(Self.text(input))")
    return ConvolutionDescriptor(
      layer: self, inChannels: input[1], outChannels: weight[0], spatial: Extents(input.suffix(group.dimension)),
      kernel: kernel(ofWeight: weight))
  }

  /// The layer on a signal of the size of its kernels, without stride, padding and dilation: all that the filter bank of
  /// the equal ordinary convolution depends on.
  ///
  /// - Throws: what is wrong with the weight's shape.
  package func descriptorOfKernels(weight: [Int]) throws(ConvolutionError) -> ConvolutionDescriptor {
    try checkWeight(weight)
    let kernel = kernel(ofWeight: weight)
    let layer = Layer(
      from: input, to: output, group: group, interpolation: interpolation, basis: basis, groupBasis: groupBasis,
      usesQuadrature: usesQuadrature, channelGroups: channelGroups)
    return ConvolutionDescriptor(
      layer: layer, inChannels: inChannels(ofWeight: weight), outChannels: weight[0], spatial: kernel, kernel: kernel)
  }

  /// The channels that a layer with such a weight reads.
  ///
  /// - Parameter weight: a shape that `checkWeight` has passed.
  package func inChannels(ofWeight weight: [Int]) -> Int { weight[1] * channelGroups }

  /// Taps of the kernel of the identity.
  ///
  /// - Parameter weight: a shape that `checkWeight` has passed.
  package func kernel(ofWeight weight: [Int]) -> Extents { Extents(basis?.extents ?? weight.suffix(group.dimension)) }

  /// Throws unless an input may have this shape.
  package func checkInput(_ shape: [Int]) throws(ConvolutionError) {
    let fiber = try fiberAxis(input, .inputSpace)
    let names = ["batch", "C"] + (fiber.map { [$0.name] } ?? []) + Self.spatialNames[group.dimension - 1]
    let expected = "shape (\(names.joined(separator: ", "))) for the layer \(input) → \(output) of \(group)"
    guard shape.count == names.count else {
      throw ConvolutionError(.dimensionMismatch, .input, "of shape \(Self.text(shape))", expected: expected)
    }
    if let fiber, shape[2] != fiber.count {
      throw ConvolutionError(
        .invalidSize, .input, "of shape \(Self.text(shape))",
        expected: "\(expected) with \(fiber.name) = \(fiber.count) on axis 2")
    }
    try ConvolutionPlan.checkBatch(shape[0])
  }

  /// Throws unless a weight may have this shape.
  package func checkWeight(_ shape: [Int]) throws(ConvolutionError) {
    try ConvolutionDescriptor.checkSize(channelGroups, .channelGroups)
    let functions = try functionsOnFiber()
    let axes =
      ["O", "C"] + (functions.map { [$0.name] } ?? [])
      + (hasTapAxes ? [String](repeating: "k", count: group.dimension) : ["J = \(basis?.count ?? 0)"])
    let names = "(" + axes.joined(separator: ", ") + ")"
    let value = "of shape \(Self.text(shape))"
    guard shape.count == axes.count else {
      throw ConvolutionError(
        .dimensionMismatch, .weight, value,
        expected: "shape \(names) for the layer \(input) → \(output) of \(group)")
    }
    if let functions, shape[2] != functions.count {
      throw ConvolutionError(
        .invalidSize, .weight, value,
        expected: "shape \(names) with \(functions.name) = \(functions.count) of \(group) on axis 2")
    }
    if let basis, Array(shape.suffix(basis.shape.count)) != basis.shape {
      throw ConvolutionError(
        .invalidSize, .weight, value,
        expected: hasTapAxes
          ? "shape \(names) that ends in \(Extents(basis.extents)), the extents of the basis"
          : "shape \(names), one weight for each function")
    }
    if shape.contains(where: { $0 < 1 }) {
      throw ConvolutionError(.invalidSize, .weight, value, expected: "a size of at least 1 on every axis")
    }
    if shape[0] % channelGroups != 0 {
      throw ConvolutionError(
        .invalidSize, .weight, value, expected: "a multiple of \(channelGroups), the groups of channels, on axis 0")
    }
    _ = try ConvolutionDescriptor.product(shape[1], channelGroups, .product(.channelGroups, .inChannels))
  }

  /// Throws unless a weight of this shape reads so many channels.
  ///
  /// - Parameter signal: the signal that has them, for the message.
  package func checkChannels(_ weight: [Int], of channels: Int, _ signal: @autoclosure () -> String)
    throws(ConvolutionError)
  {
    if channels % channelGroups != 0 {
      throw ConvolutionError(
        .invalidSize, .channelGroups, channelGroups, expected: "a divisor of \(channels), the channels of \(signal())")
    }
    if weight[1] != channels / channelGroups {
      let groups = channelGroups == 1 ? "" : " in each of \(channelGroups) groups"
      throw ConvolutionError(
        .invalidSize, .weight, "of shape \(Self.text(weight))",
        expected: "\(channels / channelGroups) on axis 1, the channels of \(signal())\(groups)")
    }
  }

  /// Whether weights have an axis for each axis of the kernel, and not one axis of functions.
  private var hasTapAxes: Bool {
    switch basis {
    case nil, .pixel: true
    case .bSpline, .circularHarmonics, .gaussianDerivatives: false
    }
  }

  /// What axis 2 of the weight runs over, where there is one.
  private func functionsOnFiber() throws(ConvolutionError) -> (name: String, count: Int)? {
    guard groupBasis != .full else { return try fiberAxis(input, .inputSpace) }
    return ("I", try functionCount())
  }

  /// What axis 2 of a signal on a space runs over, where there is one.
  private func fiberAxis(
    _ space: SignalSpace, _ argument: Argument
  ) throws(ConvolutionError) -> (name: String, count: Int)? {
    switch space.normalized(group) {
    case .plane: return nil
    case .group: return ("|H|", group.order)
    case .quotient: return ("|H/K|", try space.fiber(of: group, argument).count)
    }
  }

  private static let spatialNames = [["width"], ["rows", "columns"], ["depth", "rows", "columns"]]

  private static func text(_ shape: [Int]) -> String { "(" + shape.map { "\($0)" }.joined(separator: ", ") + ")" }
}
