// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups
import _EquiconvErrors

extension Layer {
  /// The layer with normalized spaces; or throws the first thing that is wrong with it for any sizes.
  public func validated() throws(ConvolutionError) -> Layer {
    try checkSampling()
    _ = try input.fiber(of: group, .inputSpace)
    _ = try output.fiber(of: group, .outputSpace)
    var resolved = self
    resolved.input = input.normalized(group)
    resolved.output = output.normalized(group)
    if let basis, basis.dimension != group.dimension {
      throw ConvolutionError(
        .invalidBasis, .basis, "\(basis)", expected: "functions of \(group.dimension) coordinates, as \(group.name)")
    }
    if groupBasis != .full { _ = try functionCount() }
    return resolved
  }

  /// The number of functions on H that kernels are made of, other than `full`.
  func functionCount() throws(ConvolutionError) -> Int {
    guard input.normalized(group) == .group else {
      throw ConvolutionError(
        .invalidBasis, .groupBasis, groupBasis.text, expected: "full, unless the input is a signal on the group")
    }
    do throws(BasisError) {
      return try groupBasis.count(for: group)
    } catch {
      throw ConvolutionError(
        .invalidBasis, .groupBasis, groupBasis.text, expected: { "a basis on H: \(error.message(in: $0))" })
    }
  }

  private func checkSampling() throws(ConvolutionError) {
    for (name, extents) in [(Argument.stride, stride), (.padding, padding), (.dilation, dilation)] {
      try Self.checkAxes(extents, name, group)
    }
    try ConvolutionDescriptor.checkSize(channelGroups, .channelGroups)
    for axis in stride.indices {
      try ConvolutionDescriptor.checkSize(stride[axis], .stride[axis], .invalidStride)
      try ConvolutionDescriptor.checkSize(dilation[axis], .dilation[axis], .invalidDilation)
      if padding[axis] < 0 && padding[axis] != Self.same {
        throw ConvolutionError(
          .invalidPadding, .padding[axis], padding[axis], expected: "a number of at least 0, or \"same\"")
      }
      if padding[axis] > ConvolutionDescriptor.sizeLimit {
        throw ConvolutionError(.sizeOverflow, .padding[axis], padding[axis], expected: "at most 2^48")
      }
    }
  }

  /// Throws unless there is a number for each axis that the group acts on.
  static func checkAxes(_ extents: Extents, _ name: Argument, _ group: PointGroup) throws(ConvolutionError) {
    if extents.count != group.dimension {
      throw ConvolutionError(
        .dimensionMismatch, name, extents, expected: "\(group.dimension) sizes, as the group \(group.name) acts on")
    }
  }

  /// Throws unless the numbers of axes that some element mixes are equal: turned kernels have no common grid otherwise.
  func checkIsotropy(_ numbers: [(name: Argument, extents: Extents)]) throws(ConvolutionError) {
    for (axis, other) in group.mixedAxes {
      for (name, extents) in numbers where extents[axis] != extents[other] {
        throw ConvolutionError(
          .anisotropic, name, extents,
          expected: "equal numbers on axes \(axis) and \(other), which \(group.name) exchanges")
      }
    }
  }
}

extension GroupBasis {
  /// For messages: long lists by their length.
  fileprivate var text: String {
    switch self {
    case .localized(let elements) where elements.count > 16: "localized(\(elements.count) elements)"
    case .bSpline(_, let centers, _) where centers.count > 16: "bSpline(\(centers.count) centers)"
    default: "\(self)"
    }
  }
}
