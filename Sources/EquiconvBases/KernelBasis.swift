// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// What every family of kernel functions has; `KernelBasis` documents the members.
protocol BasisFamily {
  var dimension: Int { get }
  var count: Int { get }
  var extents: [Int] { get }
  var shape: [Int] { get }
  /// Finds the functions that may differ from 0 at the point u of `dimension` coordinates.
  func find(at u: UnsafePointer<Double>, into found: inout LocalValues) throws(BasisError)
}

/// The value of one function at a point.
package struct LocalValue {
  package var function: Int
  package var value: Double
}

/// The functions that may differ from 0 at a point, in increasing order. All others are 0 there.
package typealias LocalValues = CheckedArray<LocalValue, BasisError>

/// A finite family of functions B_0 … B_{J−1} on ℝᵈ, of which kernels are linear combinations: k(u) = Σ_j w_j B_j(u).
///
/// The weights of a layer are coefficients w. Since k is known at every point, it can be sampled at h⁻¹u for any matrix
/// h, not only for those that permute the grid:
///
///     let basis = KernelBasis.pixel(try PixelBasis(extents: [5, 5]))
///     let s = sampling(of: basis, at: try tapPoints(extents: [5, 5]))   // the identity matrix
///
/// Points are (x), (x, y) or (x, y, z) with y and z up, against the array axes.
///
/// Source: Bekkers, "B-Spline CNNs on Lie Groups", ICLR 2020, section 3.
public enum KernelBasis: Hashable, Sendable {
  /// Values on the grid of taps, interpolated.
  case pixel(PixelBasis)
  /// B-splines about centers anywhere.
  case bSpline(BSplineBasis)
  /// Circular harmonics on Gaussian rings: steerable and band-limited.
  case circularHarmonics(CircularHarmonicBasis)
  /// Derivatives of a Gaussian.
  case gaussianDerivatives(GaussianDerivativeBasis)
}

extension KernelBasis: BasisFamily {
  /// The number d of coordinates of a point: 1, 2 or 3.
  public var dimension: Int {
    switch self {
    case .pixel(let basis): basis.dimension
    case .bSpline(let basis): basis.dimension
    case .circularHarmonics(let basis): basis.dimension
    case .gaussianDerivatives(let basis): basis.dimension
    }
  }

  /// The number J of functions: coefficients for each pair of channels and each group element.
  public var count: Int {
    switch self {
    case .pixel(let basis): basis.count
    case .bSpline(let basis): basis.count
    case .circularHarmonics(let basis): basis.count
    case .gaussianDerivatives(let basis): basis.count
    }
  }

  /// The extents k of the grid of taps on which the identity samples, in array-axis order.
  public var extents: [Int] {
    switch self {
    case .pixel(let basis): basis.extents
    case .bSpline(let basis): basis.extents
    case .circularHarmonics(let basis): basis.extents
    case .gaussianDerivatives(let basis): basis.extents
    }
  }

  /// The trailing shape of weights: the extents for `pixel`, otherwise [J].
  public var shape: [Int] {
    switch self {
    case .pixel(let basis): basis.shape
    case .bSpline(let basis): basis.shape
    case .circularHarmonics(let basis): basis.shape
    case .gaussianDerivatives(let basis): basis.shape
    }
  }

  /// A bound on the functions that differ from 0 at any one point: few pixels do, while centers of splines may lie
  /// anywhere.
  package var mostFunctionsAtPoint: Int {
    if case .pixel(let basis) = self { basis.mostFunctionsAtPoint } else { count }
  }

  /// Whether functions decay like a Gaussian inside the grid, instead of being cut off at its edge.
  public var decays: Bool {
    switch self {
    case .pixel, .bSpline: false
    case .circularHarmonics, .gaussianDerivatives: true
    }
  }

  /// Writes B_j(u) for all j; `values` becomes an array of J numbers. A point that is not finite gives zeros.
  ///
  /// - Precondition: `u` has d coordinates.
  /// - Complexity: O(J) for d ≤ 3.
  public func evaluate(at u: [Double], into values: inout [Double]) {
    precondition(u.count == dimension, "the point does not have d coordinates")
    if values.count != count { values = [Double](repeating: 0, count: count) }
    var found = LocalValues()
    do throws(BasisError) {
      try write(at: u, to: &values, found: &found)
    } catch {
      // As where the array of J numbers does not fit.
      fatalError("\(error)")
    }
  }

  /// The same at an address with room for J numbers; `found` is scratch. It has its own name because Swift passes
  /// arrays as pointers.
  package func write(
    at u: UnsafePointer<Double>, to values: UnsafeMutablePointer<Double>, found: inout LocalValues
  ) throws(BasisError) {
    try find(at: u, into: &found)
    values.update(repeating: 0, count: count)
    for entry in found.elements { values[entry.function] = entry.value }
  }

  /// Finds the functions that may differ from 0 at u, in increasing order.
  ///
  /// - Complexity: O(found) for pixels; O(found · log J) for splines whose centers are in row-major order; otherwise O(J).
  package func find(at u: UnsafePointer<Double>, into found: inout LocalValues) throws(BasisError) {
    switch self {
    case .pixel(let basis): try basis.find(at: u, into: &found)
    case .bSpline(let basis): try basis.find(at: u, into: &found)
    case .circularHarmonics(let basis): try basis.find(at: u, into: &found)
    case .gaussianDerivatives(let basis): try basis.find(at: u, into: &found)
    }
  }
}

/// The matrix of B_j(u_i), shape (points, J), row-major: times coefficients it gives the kernel at the points.
///
/// - Precondition: every point has d coordinates.
/// - Complexity: O(points · J).
public func sampling(of basis: KernelBasis, at points: [[Double]]) -> [Double] {
  var values = [Double](repeating: 0, count: basis.count)
  var matrix: [Double] = []
  matrix.reserveCapacity(points.count * values.count)
  for point in points {
    basis.evaluate(at: point, into: &values)
    matrix += values
  }
  return matrix
}
