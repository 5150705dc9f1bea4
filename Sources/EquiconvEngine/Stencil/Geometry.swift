// SPDX-License-Identifier: Apache-2.0

/// Sizes of a layer, checked: every number is in range and every product below fits.
///
/// Elements that enlarge a kernel sample it on a larger grid of taps. Kernel, reach and padding here are those of the largest
/// grid; padding grows with it, so that all elements give outputs on the grid of the kernel itself.
struct Geometry: Sendable {
  /// Input, output and kernel sizes; stride, padding and dilation: leading axes that the signal lacks have size 1.
  let input: Box
  let output: Box
  let kernel: Box
  let stride: Box
  let padding: Box
  let dilation: Box
  /// dilation (kernel − 1) + 1.
  let reach: Box

  /// - Parameter sampled: The extents of the largest grid of taps, as odd or even as the kernel's.
  init(checked descriptor: ConvolutionDescriptor, sampled: Extents) {
    input = Box(descriptor.spatial, leading: 1)
    kernel = Box(sampled, leading: 1)
    stride = Box(descriptor.stride, leading: 1)
    dilation = Box(descriptor.dilation, leading: 1)
    var padding = Box(descriptor.padding, leading: 0)
    var reach = kernel
    var output = input
    for axis in 0..<3 {
      padding[axis] += dilation[axis] * (kernel[axis] - Box(descriptor.kernel, leading: 1)[axis]) / 2
      reach[axis] = dilation[axis] * (kernel[axis] - 1) + 1
      output[axis] = (input[axis] + 2 * padding[axis] - reach[axis]) / stride[axis] + 1
    }
    self.padding = padding
    self.reach = reach
    self.output = output
  }

  /// The number of taps of one kernel plane.
  var taps: Int { kernel.volume }

  /// Input sizes with the padding on both sides.
  var padded: Box {
    Box(z: input.z + 2 * padding.z, y: input.y + 2 * padding.y, x: input.x + 2 * padding.x)
  }
}
