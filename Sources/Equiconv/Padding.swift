// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvErrors

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

extension Padding: CustomStringConvertible {
  /// For example "same", "1" or "(1, 0)".
  public var description: String {
    switch self {
    case .same: "same"
    case .valid: "valid"
    case .all(let value): "\(value)"
    case .each(let values): shapeText(values)
    }
  }
}
