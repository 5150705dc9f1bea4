// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups

extension ExtentRule {
  /// Whether the places that an operation writes for a moved signal are the moved places that it writes for the signal.
  ///
  /// Not so where a stride leaves a remainder on an axis that is reversed, or where the operation differs between axes
  /// that are exchanged.
  ///
  /// - Parameter extents: of the signal before it is moved.
  func commutes(with action: AxisAction, extents: [Int]) throws(ConvolutionError) -> Bool {
    if action.count != extents.count { return true }
    for axis in extents.indices {
      let read = action.axis(axis)
      if numbers(axis) != numbers(read) { return false }
      if action.sign(axis) < 0 {
        if try remainder(read, extents[read]) != 0 { return false }
      }
    }
    return true
  }

  /// What the rule says of an axis.
  private func numbers(_ axis: Int) -> [Int] {
    switch self {
    case .same, .none: []
    case .layer(let layer, let kernel): Self.numbers(layer, kernel, axis)
    case .adjoint(let layer, let kernel, let outputPadding):
      Self.numbers(layer, kernel, axis) + [outputPadding[axis]]
    case .windows(let kernel, let stride, let padding): [kernel[axis], stride[axis], padding[axis]]
    case .enlarged(let factors, _): [factors[axis]]
    }
  }

  private static func numbers(_ layer: Layer, _ kernel: Extents, _ axis: Int) -> [Int] {
    [kernel[axis], layer.stride[axis], layer.padding[axis], layer.dilation[axis]]
  }

  /// The pixels at the end of an axis that no place reads, or that only the end has.
  private func remainder(_ axis: Int, _ extent: Int) throws(ConvolutionError) -> Int {
    switch self {
    case .same, .none, .enlarged: 0
    case .layer(let layer, let kernel): try layer.outputs(axis, size: extent, kernel: kernel[axis]).remainder
    case .adjoint(_, _, let outputPadding): outputPadding[axis]
    case .windows(let kernel, let stride, let padding): (extent + 2 * padding[axis] - kernel[axis]) % stride[axis]
    }
  }
}
