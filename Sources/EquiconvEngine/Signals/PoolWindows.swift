// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// Windows of a plane: output o reads `stride · o + t − padding` for the taps t, on three axes.
struct PoolWindows {
  private(set) var size: Box
  let kernel: Box
  let stride: Box
  let padding: Box
  private(set) var outputs: Box

  /// - Throws: `dimensionMismatch`, `invalidSize`, `invalidStride`, `invalidPadding`, `kernelTooLarge`, `sizeOverflow`.
  init(spatial: Extents, kernel: Extents, stride: Extents, padding: Extents) throws(ConvolutionError) {
    let outputs = try Self.outputs(spatial: spatial, kernel: kernel, stride: stride, padding: padding)
    size = Box(spatial, leading: 1)
    self.kernel = Box(kernel, leading: 1)
    self.stride = Box(stride, leading: 1)
    self.padding = Box(padding, leading: 0)
    self.outputs = Box(outputs, leading: 1)
  }

  /// The windows of so many planes one below the other, where none would reach into the next plane; else nil.
  func stacked(_ planes: Int) -> PoolWindows? {
    let isExact = padding.y == 0 && kernel.y <= stride.y && size.y == stride.y * outputs.y
    if size.z > 1 || outputs.z > 1 || !isExact { return nil }
    var all = self
    all.size.y *= planes
    all.outputs.y *= planes
    return all
  }

  /// ⌊(n + 2 padding − kernel) / stride⌋ + 1 on each axis.
  static func outputs(
    spatial: Extents, kernel: Extents, stride: Extents, padding: Extents
  ) throws(ConvolutionError) -> Extents {
    for (name, extents) in [(Argument.kernel, kernel), (.stride, stride), (.padding, padding)]
    where extents.count != spatial.count {
      throw ConvolutionError(
        .dimensionMismatch, name, extents, expected: "\(spatial.count) numbers, one for each spatial axis")
    }
    var outputs = spatial
    for axis in spatial.indices {
      try SignalSizes.check(spatial[axis], .spatial[axis], atLeast: 1)
      try SignalSizes.check(kernel[axis], .kernel[axis], atLeast: 1)
      if stride[axis] < 1 {
        throw ConvolutionError(.invalidStride, .stride[axis], stride[axis], expected: "a positive number")
      }
      try SignalSizes.check(stride[axis], .stride[axis])
      if !(0...kernel[axis] / 2).contains(padding[axis]) {
        throw ConvolutionError(
          .invalidPadding, .padding[axis], padding[axis], expected: "0 to \(kernel[axis] / 2), half the kernel")
      }
      let room = spatial[axis] + 2 * padding[axis] - kernel[axis]
      if room < 0 {
        throw ConvolutionError(
          .kernelTooLarge, .kernel[axis], kernel[axis],
          expected: "at most \(spatial[axis] + 2 * padding[axis]), the padded size")
      }
      outputs[axis] = room / stride[axis] + 1
    }
    return outputs
  }

  /// Outputs that read a place of the plane through a tap.
  @inline(__always)
  func reading(_ tap: Int, axis: Int) -> Range<Int> {
    let before = padding[axis] - tap
    let low = max(0, (before + stride[axis] - 1) / stride[axis])
    let end = size[axis] - 1 + before
    let high = end < 0 ? 0 : min(outputs[axis], end / stride[axis] + 1)
    return low..<max(low, high)
  }

  /// Taps through which any output reads a place of the plane: twice as many as the plane has places at most, however large
  /// the kernel.
  func taps(axis: Int) -> Range<Int> {
    let first = max(0, padding[axis] - stride[axis] * (outputs[axis] - 1))
    return first..<max(first, min(kernel[axis], padding[axis] + size[axis]))
  }

  /// What output 0 reads through a tap.
  @inline(__always)
  func place(_ tap: Int, axis: Int) -> Int { tap - padding[axis] }

  /// Taps of a window.
  func tapCount() throws(ConvolutionError) -> Int {
    let slice = try ConvolutionDescriptor.product(kernel.y, kernel.x, .kernelTaps)
    return try ConvolutionDescriptor.product(kernel.z, slice, .kernelTaps)
  }
}
