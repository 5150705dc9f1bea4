// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups

extension ConvolutionDescriptor {
  /// The largest |X| · |Y| · taps a plan takes: its stencils hold so many entries of 16 bytes.
  static let stencilLimit = 1 << 22
  /// Sizes beyond this cannot be those of an array in memory; below it, sums of a few of them do not overflow.
  static let sizeLimit = 1 << 48
  /// The most numbers of one padded image. Plans multiply it by small factors (bytes, phases, overlaps of blocks).
  static let imageLimit = 1 << 52

  /// The most entries of a sampling operator, of 16 bytes each.
  static let samplingLimit = 1 << 25

  /// The descriptor with "same" padding and spaces resolved, or the first thing that is wrong with it.
  func validated() throws(ConvolutionError) -> ConvolutionDescriptor {
    try checkSizes()
    var resolved = try resolvingPadding()
    _ = try input.fiber(of: group, "input_stabilizer")
    _ = try output.fiber(of: group, "output_stabilizer")
    resolved.input = input.normalized(group)
    resolved.output = output.normalized(group)
    try resolved.checkReach()
    try resolved.checkIsotropy()
    try resolved.checkBasis()
    try resolved.checkLimits()
    return resolved
  }

  /// The grid all elements sample the kernel on, with padding that grows with it, checked to be of a size to plan.
  func sampledKernel() throws(ConvolutionError) -> SampledKernel {
    let sampled = try SampledKernel(self)
    let entries = try stencilEntries(sampled.extents)
    if basis != nil || !group.isLattice {
      // Each row is a mean over the elements of an output point, of as many values as there are functions.
      let functions = basis == nil ? min(sampled.basis.count, 64) : sampled.basis.count
      let values = try Self.product(
        try Self.product(entries, group.order / points(output), "the sampling operator"), functions,
        "the sampling operator")
      if values > Self.samplingLimit {
        throw ConvolutionError(
          .tooLarge, "basis", "\(functions) functions", expected: "at most 2^25 sampled values, not \(values)")
      }
    }
    try checkImage(inChannels, input, "in_channels", sampled.extents)
    return sampled
  }

  /// |X| |Y| taps, if that is within the limit.
  private func stencilEntries(_ extents: Extents) throws(ConvolutionError) -> Int {
    var entries = try Self.product(try points(input), try points(output), "|X| times |Y|")
    for axis in kernel.indices {
      entries = try Self.product(entries, extents[axis], "the number of stencil entries")
    }
    if entries > Self.stencilLimit {
      throw ConvolutionError(
        .tooLarge, "kernel", kernel, expected: "at most 2^22 stencil entries |X| * |Y| * taps, not \(entries)")
    }
    return entries
  }

  /// (O, C, [points or functions on H,] kernel… or J).
  func weightShape(_ basis: KernelBasis) throws(ConvolutionError) -> [Int] {
    let points = try functionCount(input.fiber(of: group, "input_stabilizer"))
    return [outChannels, isDepthwise ? 1 : inChannels] + (input == .plane ? [] : [points]) + basis.shape
  }

  private func points(_ space: SignalSpace) throws(ConvolutionError) -> Int {
    try space.fiber(of: group, "stabilizer").count
  }

  private func checkBasis() throws(ConvolutionError) {
    if let basis, basis.extents != kernel.values {
      throw ConvolutionError(
        .invalidBasis, "kernel", kernel, expected: "\(Extents(basis.extents)), the extents of the basis")
    }
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
    if isDepthwise && outChannels != inChannels {
      throw ConvolutionError(
        .invalidSize, "out_channels", outChannels,
        expected: "\(inChannels), the number of input channels, for a depthwise layer")
    }
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

  /// Axes that some element mixes must be treated alike, or turned kernels have no common grid.
  private func checkIsotropy() throws(ConvolutionError) {
    for (axis, other) in mixedAxes() {
      for (name, extents) in [
        ("kernel", kernel), ("stride", stride), ("padding", padding), ("dilation", dilation),
      ] where extents[axis] != extents[other] {
        throw ConvolutionError(
          .anisotropic, name, extents,
          expected: "equal numbers on axes \(axis) and \(other), which \(group.name) exchanges")
      }
    }
  }

  /// Pairs of array axes that the matrix of some element mixes.
  private func mixedAxes() -> [(Int, Int)] {
    let d = group.dimension
    return (0..<d * d).filter { entry in
      entry / d < entry % d
        && (0..<group.order).contains {
          let matrix = group.matrix($0)
          return matrix[entry] != 0 || matrix[entry % d * d + entry / d] != 0
        }
      // Coordinate i runs along array axis d − 1 − i.
    }.map { (d - 1 - $0 % d, d - 1 - $0 / d) }
  }

  private func checkLimits() throws(ConvolutionError) {
    _ = try stencilEntries(kernel)
    try checkImage(inChannels, input, "in_channels", kernel)
    try checkImage(outChannels, output, "out_channels", kernel)
  }

  /// One image of so many channels on the padded plane; outputs are never larger.
  private func checkImage(
    _ channels: Int, _ space: SignalSpace, _ name: String, _ extents: Extents
  ) throws(ConvolutionError) {
    let name = "\(name) times the padded spatial"
    var count = try Self.product(channels, try points(space), name)
    for axis in spatial.indices {
      let margin = try Self.product(dilation[axis], extents[axis] - kernel[axis], name)
      count = try Self.product(count, spatial[axis] + 2 * padding[axis] + margin, name)
    }
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
