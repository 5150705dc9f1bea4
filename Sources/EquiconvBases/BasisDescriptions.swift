// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

// What `print` shows: one line each, and no tables.

extension KernelBasis: CustomStringConvertible {
  /// For example "25 B-splines of degree 2, 1.0 taps wide, on (5, 5) taps".
  public var description: String {
    switch self {
    case .pixel(let basis): basis.description
    case .bSpline(let basis): basis.description
    case .circularHarmonics(let basis): basis.description
    case .gaussianDerivatives(let basis): basis.description
    }
  }
}

extension PixelBasis: CustomStringConvertible {
  /// For example "pixels on (5, 5) taps, bilinear".
  public var description: String { "pixels on \(tapsText(extents)), \(interpolation)" }
}

extension BSplineBasis: CustomStringConvertible {
  /// For example "25 B-splines of degree 2, 1.0 taps wide, on (5, 5) taps".
  public var description: String {
    "\(count) B-splines of degree \(degree), \(scale) taps wide, on \(tapsText(extents))"
  }
}

extension CircularHarmonicBasis: CustomStringConvertible {
  /// For example "15 circular harmonics on 3 rings, on (7, 7) taps".
  public var description: String { "\(count) circular harmonics on \(radii.count) rings, on \(tapsText(extents))" }
}

extension GaussianDerivativeBasis: CustomStringConvertible {
  /// For example "6 derivatives of a Gaussian of width 1.2, on (7, 7) taps".
  public var description: String { "\(count) derivatives of a Gaussian of width \(sigma), on \(tapsText(extents))" }
}

extension GroupBasis: CustomStringConvertible {
  /// As it is written, for example "localized([0, 1, 7])"; of a long list the number of its entries.
  public var description: String {
    switch self {
    case .full: "full"
    case .localized(let elements): "localized(\(shortText(elements, "elements")))"
    case .bSpline(let degree, let centers, let scale):
      "bSpline(degree: \(degree), centers: \(shortText(centers, "centers")), scale: \(scale))"
    }
  }
}

private func shortText(_ list: [some CustomStringConvertible], _ name: String) -> String {
  list.count <= 8 ? listText(list) : "\(list.count) \(name)"
}

private func tapsText(_ extents: [Int]) -> String {
  "(" + extents.map(String.init).joined(separator: ", ") + ") taps"
}
