// SPDX-License-Identifier: Apache-2.0

/// Sizes of a layer, checked: every number is in range and every product below fits.
///
/// Elements that enlarge a kernel sample it on a larger grid of taps. Kernel, reach and padding here are those of the largest
/// grid; padding grows with it, so that all elements give outputs on the grid of the kernel itself.
struct Geometry: Sendable {
  /// Input, output and kernel sizes; stride, padding and dilation: leading axes that the signal lacks have size 1.
  var input: Box
  let output: Box
  let kernel: Box
  let stride: Box
  var padding: Box
  let dilation: Box
  /// dilation (kernel − 1) + 1.
  let reach: Box

  /// - Parameters:
  ///   - sampled: The extents of the largest grid of taps, as odd or even as the kernel's.
  ///   - output: Sizes of the output, which are those of the kernel itself.
  init(checked descriptor: ConvolutionDescriptor, sampled: Extents, output: Extents) throws(ConvolutionError) {
    let layer = descriptor.layer
    var (padding, reach) = (layer.padding, sampled)
    for axis in sampled.indices {
      padding[axis] += layer.dilation[axis] * (sampled[axis] - descriptor.kernel[axis]) / 2
      reach[axis] = try layer.reach(axis, kernel: sampled[axis])
    }
    input = Box(descriptor.spatial, leading: 1)
    kernel = Box(sampled, leading: 1)
    stride = Box(layer.stride, leading: 1)
    dilation = Box(layer.dilation, leading: 1)
    self.padding = Box(padding, leading: 0)
    self.reach = Box(reach, leading: 1)
    self.output = Box(output, leading: 1)
  }

  /// The number of taps of one kernel plane.
  var taps: Int { kernel.volume }

  /// Input sizes with the padding on both sides.
  var padded: Box {
    Box(z: input.z + 2 * padding.z, y: input.y + 2 * padding.y, x: input.x + 2 * padding.x)
  }
}
