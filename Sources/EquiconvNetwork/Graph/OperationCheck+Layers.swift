// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors

// Operations of layers and on the fiber.

extension OperationCheck {
  func convolution(
    _ layer: Layer, _ weight: String, _ bias: String?
  ) throws(NetworkError) -> (SignalType, ExtentRule) {
    let shape = try checkLayer(layer, weight)
    try checkSpace(layer.input, layer)
    do throws(ConvolutionError) {
      try layer.checkChannels(shape, of: inputs[0].channels, "\(inputs[0])")
    } catch { throw .layer(error, place: place) }
    try checkChannelParameter(bias, "bias", shape[0])
    let type = try signal(shape[0], on: layer.output, layer)
    return (type, .layer(layer, kernel: layer.kernel(ofWeight: shape)))
  }

  func transposed(
    _ layer: Layer, _ weight: String, _ bias: String?, _ outputPadding: [Int]
  ) throws(NetworkError) -> (SignalType, ExtentRule) {
    let shape = try checkLayer(layer, weight)
    try checkSpace(layer.output, layer)
    try checkAxes(outputPadding, "output_padding", least: 0)
    for (axis, extra) in outputPadding.enumerated() where extra >= layer.stride[axis] {
      throw .document(
        "output_padding of \(place)", extra, expected: "less than \(layer.stride[axis]), the stride of axis \(axis)")
    }
    if shape[0] != inputs[0].channels {
      throw .document(
        "tensor \"\(weight)\", weight of \(place)", "of shape \(NetworkError.text(shape))",
        expected: "\(inputs[0].channels) on axis 0, the channels of \(inputs[0])")
    }
    let channels = layer.inChannels(ofWeight: shape)
    try checkChannelParameter(bias, "bias", channels)
    let type = try signal(channels, on: layer.input, layer)
    return (type, .adjoint(layer, kernel: layer.kernel(ofWeight: shape), outputPadding: outputPadding))
  }

  /// Checks a layer and its weight by themselves.
  /// - Returns: the shape of the weight.
  private func checkLayer(_ layer: Layer, _ weight: String) throws(NetworkError) -> [Int] {
    if inputs[0].dimension != layer.group.dimension {
      throw unfit(expected: "a signal with \(layer.group.dimension) spatial axes, as \(layer.group) acts on")
    }
    let shape = try shape(weight, "weight")
    do throws(ConvolutionError) {
      let layer = try layer.validated()
      try layer.checkWeight(shape)
      try layer.checkSmallest(weight: shape)
    } catch {
      throw .layer(error, place: place)
    }
    return shape
  }

  private func checkSpace(_ space: SignalSpace, _ layer: Layer) throws(NetworkError) {
    let space = space.normalized(layer.group)
    if !inputs[0].livesOn(space, of: layer.group) {
      throw unfit(expected: "a signal on \(SignalType.name(space, layer.group)), as its layer says")
    }
  }

  private func signal(_ channels: Int, on space: SignalSpace, _ layer: Layer) throws(NetworkError) -> SignalType {
    do throws(ConvolutionError) {
      return try SignalType(channels: channels, space: space, group: layer.group, extents: inputs[0].extents)
    } catch {
      throw .layer(error, place: place)
    }
  }

  // MARK: - The fiber

  /// What checks of a subgroup of the input's group take time and memory for: the square of its order.
  var subgroupWork: Int {
    guard let order = inputs.first?.group?.order else { return 0 }
    return switch operation.kind {
    case .restrict, .groupPool(_, stabilizer: .some): order * order
    default: 0
    }
  }

  func groupPool(_ stabilizer: [Int]?) throws(NetworkError) -> SignalType {
    let input = inputs[0]
    guard let group = input.group else { throw unfit(expected: "a signal on a group or a quotient") }
    guard let stabilizer else { return SignalType(channels: input.channels, extents: input.extents) }
    if input.space != .group { throw unfit(expected: "a signal on a group, to be pooled over cosets") }
    let type = try quotient(group, stabilizer, input.channels)
    return type
  }

  func restriction(_ subgroup: [Int]) throws(NetworkError) -> SignalType {
    let input = inputs[0]
    guard let group = input.group, input.space == .group, group.isClosed else {
      throw unfit(expected: "a signal on a closed group")
    }
    let restricted: PointGroup
    do throws(GroupError) {
      restricted = try group.subgroup(subgroup)
    } catch {
      throw .group(error, place: "subgroup of \(place)")
    }
    let (channels, overflow) = input.channels.multipliedReportingOverflow(by: group.order / restricted.order)
    return try onGroup(try checked(overflow ? .max : channels), restricted)
  }

  func induction(_ name: String, _ stabilizer: [Int]) throws(NetworkError) -> SignalType {
    guard let group = document.groups[name] else {
      throw .document("group of \(place)", "\"\(name)\"", expected: "one of the document's groups")
    }
    let input = inputs[0]
    let base = try quotient(group, stabilizer, input.channels)
    let fits = input.dimension == group.dimension || input.dimension == 0
    if !fits || !input.livesOn(base.space, of: group) {
      throw unfit(expected: "a signal on \(SignalType.name(base.space, group))")
    }
    return try onGroup(input.channels, group)
  }

  /// A signal on H/K, K being what an operation names.
  private func quotient(_ group: PointGroup, _ stabilizer: [Int], _ channels: Int) throws(NetworkError) -> SignalType {
    do throws(ConvolutionError) {
      return try SignalType(
        channels: channels, space: .quotient(stabilizer: stabilizer), group: group, extents: inputs[0].extents)
    } catch {
      throw .layer(error, place: place)
    }
  }

  private func onGroup(_ channels: Int, _ group: PointGroup) throws(NetworkError) -> SignalType {
    do throws(ConvolutionError) {
      return try SignalType(channels: channels, space: .group, group: group, extents: inputs[0].extents)
    } catch {
      throw .layer(error, place: place)
    }
  }
}

extension Layer {
  /// Checks all that does not depend on the sizes of signals, on the smallest that the kernel fits.
  fileprivate func checkSmallest(weight: [Int]) throws(ConvolutionError) {
    let kernel = kernel(ofWeight: weight)
    let points = input.normalized(group) == .plane ? [] : [try input.fiber(of: group, .inputSpace).count]
    var spatial: [Int] = []
    for axis in kernel.indices { spatial.append(try reach(axis, kernel: kernel[axis])) }
    _ = try outputShape(input: [1, inChannels(ofWeight: weight)] + points + spatial, weight: weight)
  }
}
