// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvErrors

/// A stride or a dilation: one number for all spatial axes, `2`, or one for each, `[2, 1]`.
public enum PerAxis: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  case all(Int)
  /// In the order of the array axes.
  case each([Int])

  public init(integerLiteral value: Int) { self = .all(value) }
  public init(arrayLiteral elements: Int...) { self = .each(elements) }

  func extents(_ name: Argument, dimension: Int) throws(ConvolutionError) -> Extents {
    switch self {
    case .all(let value): return Extents(repeating: value, count: dimension)
    case .each(let values):
      guard values.count == dimension else {
        throw ConvolutionError(
          .dimensionMismatch, name, shapeText(values), expected: "\(dimension) numbers, as the group acts on")
      }
      return Extents(values)
    }
  }
}

/// What is added on both sides of each spatial axis: `.same`, `.valid`, a number for all axes, `1`, or one for each, `[1, 0]`.
public enum Padding: Hashable, Sendable, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  /// dilation (kernel − 1) / 2, which keeps the size at stride 1. Needs an odd kernel.
  case same
  /// None.
  case valid
  case all(Int)
  /// In the order of the array axes.
  case each([Int])

  public init(integerLiteral value: Int) { self = .all(value) }
  public init(arrayLiteral elements: Int...) { self = .each(elements) }

  func extents(dimension: Int) throws(ConvolutionError) -> Extents {
    let amounts: PerAxis
    switch self {
    case .same: return Extents(repeating: Layer.same, count: dimension)
    case .valid: amounts = .all(0)
    case .all(let value): amounts = .all(value)
    case .each(let values): amounts = .each(values)
    }
    let extents = try amounts.extents(.padding, dimension: dimension)
    // The layer's number for "same" is negative, so a negative number must not get there.
    for axis in extents.indices where extents[axis] < 0 {
      throw ConvolutionError(
        .invalidPadding, .padding[axis], extents[axis], expected: "a number of at least 0, or .same")
    }
    return extents
  }
}
