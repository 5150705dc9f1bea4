// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups

extension ConvolutionDescriptor {
  /// The largest |H|² · taps a plan takes: its stencils hold so many entries of 16 bytes.
  static let stencilLimit = 1 << 22
  /// Sizes beyond this cannot be those of an array in memory; below it, sums of a few of them do not overflow.
  static let sizeLimit = 1 << 48
  /// The most numbers of one padded image. Plans multiply it by small factors (bytes, phases, overlaps of blocks).
  static let imageLimit = 1 << 52

  /// The descriptor with "same" padding resolved, or the first thing that is wrong with it.
  func validated() throws(ConvolutionError) -> ConvolutionDescriptor {
    try checkSizes()
    try checkSupport()
    let resolved = try resolvingPadding()
    try resolved.checkReach()
    try resolved.checkIsotropy()
    try resolved.checkLimits()
    return resolved
  }

  private func checkSizes() throws(ConvolutionError) {
    let dimension = group.dimension
    for (name, extents) in [
      ("spatial", spatial), ("kernel", kernel), ("stride", stride), ("padding", padding), ("dilation", dilation),
    ] where extents.count != dimension {
      throw ConvolutionError(
        .dimensionMismatch, name, extents, expected: "\(dimension) sizes, as the group \(group.name) acts on")
    }
    try Self.checkSize(inChannels, "in_channels")
    try Self.checkSize(outChannels, "out_channels")
    for axis in spatial.indices {
      try Self.checkSize(spatial[axis], "spatial[\(axis)]")
      try Self.checkSize(kernel[axis], "kernel[\(axis)]")
      try Self.checkSize(stride[axis], "stride[\(axis)]", .invalidStride)
      try Self.checkSize(dilation[axis], "dilation[\(axis)]", .invalidDilation)
      if padding[axis] < 0 && padding[axis] != Self.same {
        throw ConvolutionError(
          .invalidPadding, "padding[\(axis)]", padding[axis], expected: "a number of at least 0, or \"same\"")
      }
      if padding[axis] > Self.sizeLimit {
        throw ConvolutionError(.sizeOverflow, "padding[\(axis)]", padding[axis], expected: "at most 2^48")
      }
    }
  }

  static func checkSize(
    _ value: Int, _ name: String, _ kind: ConvolutionError.Kind = .invalidSize
  ) throws(ConvolutionError) {
    if value < 1 { throw ConvolutionError(kind, name, value, expected: "a positive number") }
    if value > sizeLimit { throw ConvolutionError(.sizeOverflow, name, value, expected: "at most 2^48") }
  }

  private func checkSupport() throws(ConvolutionError) {
    if !group.isLattice {
      throw ConvolutionError(
        .unsupportedGroup, "group", group.name,
        expected: "a lattice group, whose matrices are signed permutations (in the plane C1, C2, C4, D1, D2, D4)")
    }
    if algorithm != .auto && algorithm != .direct {
      throw ConvolutionError(
        .unsupportedAlgorithm, "algorithm", "\(algorithm)", expected: "auto or direct in this version")
    }
  }

  private func resolvingPadding() throws(ConvolutionError) -> ConvolutionDescriptor {
    var resolved = self
    for axis in spatial.indices where padding[axis] == Self.same {
      guard kernel[axis] % 2 == 1 else {
        throw ConvolutionError(
          .evenKernel, "kernel[\(axis)]", kernel[axis],
          expected: "an odd extent with padding \"same\": an even kernel has no symmetric padding that keeps the size")
      }
      resolved.padding[axis] = try Self.product(
        dilation[axis], (kernel[axis] - 1) / 2, "dilation[\(axis)] times kernel[\(axis)]")
    }
    return resolved
  }

  private func checkReach() throws(ConvolutionError) {
    for axis in spatial.indices {
      let reach = try Self.product(dilation[axis], kernel[axis] - 1, "dilation[\(axis)] times kernel[\(axis)]") + 1
      let padded = spatial[axis] + 2 * padding[axis]
      if reach > padded {
        throw ConvolutionError(
          .kernelTooLarge, "kernel[\(axis)]", kernel[axis],
          expected: "a reach of dilation (kernel - 1) + 1 = \(reach) within the padded input of \(spatial[axis])"
            + " + 2 * \(padding[axis]) = \(padded)")
      }
    }
  }

  /// An axis and the one it is turned into must be treated alike, or turned kernels have no common grid.
  private func checkIsotropy() throws(ConvolutionError) {
    for element in 0..<group.order {
      guard let action = group.axisAction(element) else { continue }
      for axis in spatial.indices where action.axis(axis) != axis {
        let other = action.axis(axis)
        for (name, extents) in [
          ("kernel", kernel), ("stride", stride), ("padding", padding), ("dilation", dilation),
        ] where extents[axis] != extents[other] {
          throw ConvolutionError(
            .anisotropic, name, extents,
            expected: "equal numbers on axes \(min(axis, other)) and \(max(axis, other)), which \(group.name) exchanges"
          )
        }
      }
    }
  }

  private func checkLimits() throws(ConvolutionError) {
    var entries = try Self.product(group.order, group.order, "|H| squared")
    for axis in kernel.indices { entries = try Self.product(entries, kernel[axis], "the number of stencil entries") }
    if entries > Self.stencilLimit {
      throw ConvolutionError(
        .tooLarge, "kernel", kernel, expected: "at most 2^22 stencil entries |H| * |H| * taps, not \(entries)")
    }
    try checkImage(inChannels, onGroup: layer.readsGroup, "in_channels")
    try checkImage(outChannels, onGroup: layer.writesGroup, "out_channels")
  }

  /// One image of so many channels on the padded plane; outputs are never larger.
  private func checkImage(_ channels: Int, onGroup: Bool, _ name: String) throws(ConvolutionError) {
    let name = "\(name) times the padded spatial"
    var count = try Self.product(channels, onGroup ? group.order : 1, name)
    for axis in spatial.indices { count = try Self.product(count, spatial[axis] + 2 * padding[axis], name) }
    if count > Self.imageLimit {
      throw ConvolutionError(.sizeOverflow, name, "\(count) numbers", expected: "at most 2^52")
    }
  }

  /// a · b, or the error that names it.
  static func product(_ a: Int, _ b: Int, _ name: String) throws(ConvolutionError) -> Int {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    // Eight bytes an element must still fit in 63 bits, and a little arithmetic on top.
    if overflow || value > 1 << 59 {
      throw ConvolutionError(.sizeOverflow, name, "\(a) * \(b)", expected: "a size in bytes that fits in 63 bits")
    }
    return value
  }
}
