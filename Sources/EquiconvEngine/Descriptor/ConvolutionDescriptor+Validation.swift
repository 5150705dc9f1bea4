// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups
import _EquiconvErrors
import _EquiconvMemory

extension ConvolutionDescriptor {
  /// The largest |X| · |Y| · taps of a plan: its stencils hold so many entries of 16 bytes.
  static let stencilLimit = 1 << 22
  /// Sizes beyond this cannot be those of an array in memory; below it, sums of a few of them do not overflow.
  static let sizeLimit = Int.limit(48)
  /// The most numbers of one padded image. Plans multiply it by small factors (bytes, phases, overlaps of blocks).
  static let imageLimit = Int.limit(52)

  /// The most entries of a sampling operator, of 16 bytes each.
  static let samplingLimit = 1 << 25

  /// The descriptor with "same" padding and spaces resolved, or the first thing that is wrong with it.
  func validated() throws(ConvolutionError) -> ConvolutionDescriptor {
    let resolved = try resolved()
    try resolved.checkLimits()
    return resolved
  }

  /// The same for a layer of any size, also one that no plan is made of.
  func resolved() throws(ConvolutionError) -> ConvolutionDescriptor {
    var resolved = self
    resolved.layer = try layer.validated()
    try checkSizes()
    for axis in spatial.indices {
      resolved.layer.padding[axis] = try layer.paddingAmount(axis, kernel: kernel[axis])
    }
    _ = try resolved.outputs()
    try layer.checkIsotropy([
      (.kernel, kernel), (.stride, layer.stride), (.padding, resolved.layer.padding), (.dilation, layer.dilation),
    ])
    try resolved.checkBasis()
    return resolved
  }

  /// The outputs along each axis, and what the stride leaves over; see `Layer.outputs`.
  func outputs() throws(ConvolutionError) -> (counts: Extents, remainders: Extents) {
    var (counts, remainders) = (spatial, spatial)
    for axis in spatial.indices {
      (counts[axis], remainders[axis]) = try layer.outputs(axis, size: spatial[axis], kernel: kernel[axis])
    }
    return (counts, remainders)
  }

  /// The grid all elements sample the kernel on, with padding that grows with it, checked to be of a size to plan.
  func sampledKernel() throws(ConvolutionError) -> SampledKernel {
    let sampled = try SampledKernel(self)
    _ = try stencilEntries(sampled.extents)
    if layer.basis != nil || !layer.group.isLattice { try checkSampling(sampled) }
    try checkImage(inChannels, layer.input, .inChannels, sampled.extents)
    return sampled
  }

  /// The extents of that grid.
  package func sampledExtents() throws(ConvolutionError) -> Extents { try SampledKernel(self).extents }

  /// Checks the size of the sampling operator: a bank has a row for each point of the input and tap, a mean over the
  /// elements of one output point, of the functions that are not 0 at the tap.
  private func checkSampling(_ sampled: SampledKernel) throws(ConvolutionError) {
    let input = try layer.input.fiber(of: layer.group, .stabilizer)
    let output = try layer.output.fiber(of: layer.group, .stabilizer)
    let taps = sampled.extents.values.reduce(1, *)
    let carriers = StencilBuilder.carriers(layer.group, input, output, taps: taps)
    let banks = output.orbits(of: carriers).count
    var values = 1
    for factor in sampled.extents.values + [
      input.count, banks, layer.group.order / output.count, sampled.basis.mostFunctionsAtPoint,
    ] {
      values = try Self.product(values, factor, .samplingOperator)
    }
    if values > Self.samplingLimit {
      throw ConvolutionError(
        .tooLarge, .basis, "\(sampled.basis.count) functions",
        expected: "at most 2^25 sampled values, not \(values)")
    }
  }

  /// |X| |Y| taps, if that is within the limit.
  private func stencilEntries(_ extents: Extents) throws(ConvolutionError) -> Int {
    var entries = try Self.product(try points(layer.input), try points(layer.output), .fiberPairs)
    for axis in kernel.indices {
      entries = try Self.product(entries, extents[axis], .stencilEntries)
    }
    if entries > Self.stencilLimit {
      throw ConvolutionError(
        .tooLarge, .kernel, kernel, expected: "at most 2^22 stencil entries |X| * |Y| * taps, not \(entries)")
    }
    return entries
  }

  private func points(_ space: SignalSpace) throws(ConvolutionError) -> Int {
    try space.fiber(of: layer.group, .stabilizer).count
  }

  private func checkBasis() throws(ConvolutionError) {
    if let basis = layer.basis, basis.extents != kernel.values {
      throw ConvolutionError(
        .invalidBasis, .kernel, kernel, expected: "\(Extents(basis.extents)), the extents of the basis")
    }
  }

  private func checkSizes() throws(ConvolutionError) {
    try Layer.checkAxes(spatial, .spatial, layer.group)
    try Layer.checkAxes(kernel, .kernel, layer.group)
    try Self.checkSize(inChannels, .inChannels)
    try Self.checkSize(outChannels, .outChannels)
    for (count, name) in [(inChannels, Argument.inChannels), (outChannels, .outChannels)]
    where count % layer.channelGroups != 0 {
      throw ConvolutionError(
        .invalidSize, name, count, expected: "a multiple of \(layer.channelGroups), the groups of channels")
    }
    for axis in spatial.indices {
      try Self.checkSize(spatial[axis], .spatial[axis])
      try Self.checkSize(kernel[axis], .kernel[axis])
    }
  }

  static func checkSize(
    _ value: Int, _ name: @autoclosure () -> Argument, _ kind: ConvolutionError.Kind = .invalidSize
  ) throws(ConvolutionError) {
    if value < 1 { throw ConvolutionError(kind, name(), value, expected: "a positive number") }
    if value > sizeLimit { throw ConvolutionError(.sizeOverflow, name(), value, expected: "at most 2^48") }
  }

  func checkLimits() throws(ConvolutionError) {
    _ = try stencilEntries(kernel)
    try checkImage(inChannels, layer.input, .inChannels, kernel)
    try checkImage(outChannels, layer.output, .outChannels, kernel)
  }

  /// One image of so many channels on the padded plane; outputs are never larger.
  private func checkImage(
    _ channels: Int, _ space: SignalSpace, _ channelCount: Argument, _ extents: Extents
  ) throws(ConvolutionError) {
    let name = Argument.product(channelCount, .paddedSpatial)
    var count = try Self.product(channels, try points(space), name)
    for axis in spatial.indices {
      let margin = try Self.product(layer.dilation[axis], extents[axis] - kernel[axis], name)
      count = try Self.product(count, spatial[axis] + 2 * layer.padding[axis] + margin, name)
    }
    if count > Self.imageLimit {
      throw ConvolutionError(.sizeOverflow, name, "\(count) numbers", expected: "at most 2^52")
    }
  }

  /// a · b, or the error that names it.
  static func product(_ a: Int, _ b: Int, _ name: @autoclosure () -> Argument) throws(ConvolutionError) -> Int {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    // Eight bytes an element must still fit in 63 bits, and a little arithmetic on top.
    if overflow || value > Int.limit(59) {
      throw ConvolutionError(.sizeOverflow, name(), "\(a) * \(b)", expected: "a size in bytes that fits in 63 bits")
    }
    return value
  }
}
