// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

// How a kernel lies on an axis of the signal: the only place where sizes follow from stride, padding and dilation.

extension Layer {
  /// The pixels from the first to the last tap on an axis: dilation (kernel − 1) + 1.
  /// - Throws: `sizeOverflow`.
  package func reach(_ axis: Int, kernel: Int) throws(ConvolutionError) -> Int {
    try ConvolutionDescriptor.product(dilation[axis], kernel - 1, .product(.dilation[axis], .kernel[axis])) + 1
  }

  /// The pixels of padding on each side of an axis; `same` means dilation (kernel − 1) / 2.
  /// - Throws: `evenKernel` where `same` has no symmetric meaning, `sizeOverflow`.
  package func paddingAmount(_ axis: Int, kernel: Int) throws(ConvolutionError) -> Int {
    guard padding[axis] == Self.same else { return padding[axis] }
    guard kernel % 2 == 1 else {
      throw ConvolutionError(
        .evenKernel, .kernel[axis], kernel,
        expected: "an odd extent with padding \"same\": an even kernel has no symmetric padding that keeps the size")
    }
    return try ConvolutionDescriptor.product(
      dilation[axis], (kernel - 1) / 2, .product(.dilation[axis], .kernel[axis]))
  }

  /// The outputs along an axis, (size + 2 padding − reach) / stride + 1 rounded down, and the remainder of that division.
  ///
  /// Where the remainder is not 0, the strided grid is not symmetric about the center, and elements that turn or reflect
  /// the axis do not commute with the layer.
  /// - Precondition: sizes and the layer's numbers are in range.
  /// - Throws: `kernelTooLarge` if the kernel does not fit; as `reach` and `paddingAmount`.
  package func outputs(
    _ axis: Int, size: Int, kernel: Int
  ) throws(ConvolutionError) -> (count: Int, remainder: Int) {
    let reach = try reach(axis, kernel: kernel)
    let padding = try paddingAmount(axis, kernel: kernel)
    let padded = size + 2 * padding
    if reach > padded {
      throw ConvolutionError(
        .kernelTooLarge, .kernel[axis], kernel,
        expected: "a reach of dilation (kernel - 1) + 1 = \(reach) within the padded input of \(size)"
          + " + 2 * \(padding) = \(padded)")
    }
    let (quotient, remainder) = (padded - reach).quotientAndRemainder(dividingBy: stride[axis])
    return (quotient + 1, remainder)
  }
}
