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

extension PerAxis: CustomStringConvertible {
  /// For example "2" or "(2, 1)".
  public var description: String {
    switch self {
    case .all(let value): "\(value)"
    case .each(let values): shapeText(values)
    }
  }
}
