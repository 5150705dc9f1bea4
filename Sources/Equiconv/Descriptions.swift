// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

// What `print` shows: one line each.

extension Convolution: CustomStringConvertible {
  /// For example "Convolution<Float> plane → group of C4, weight of shape (8, 3, 5, 5), padding same".
  public var description: String {
    "Convolution<\(Scalar.self)> \(layer.spacesText), weight of shape \(shapeText(weight.shape))"
      + (bias == nil ? "" : ", bias") + layer.optionsText
  }
}

extension PreparedConvolution: CustomStringConvertible {
  /// For example "prepared Convolution<Float> plane → group of C4, …".
  public var description: String { "prepared \(convolution)" }
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
