// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups

/// What a kernel is at h⁻¹u: the rows of the sampling matrices S_h, for the taps u of a grid that all elements share.
///
/// Where h permutes the grid and the basis is that of pixels, S_h is exactly a permutation. Otherwise the basis is
/// evaluated at h⁻¹u. Unless H is a lattice group, pixels and splines are evaluated only at taps with |u| ≤ s k/2, s
/// being the scale of h, so that all orientations have one support. Harmonics and derivatives decay by themselves, and
/// a disc within the square would cut off more of them: they are evaluated where each |u_i| ≤ s k/2.
struct KernelSampler {
  let group: PointGroup
  let basis: KernelBasis
  let turns: TapTurns
  /// The coordinates of each tap of the shared grid.
  private let points: [[Double]]
  /// h⁻¹, row by row.
  private let inverseMatrices: [[Double]]
  private let scales: [Double]

  init(_ descriptor: ConvolutionDescriptor, geometry: Geometry, sampled: SampledKernel) throws(ConvolutionError) {
    let group = descriptor.group
    self.group = group
    basis = sampled.basis
    turns = TapTurns(group: group, geometry: geometry)
    scales = sampled.scales
    inverseMatrices = (0..<group.order).map(group.matrixOfInverse)
    do throws(BasisError) {
      points = try tapPoints(extents: sampled.extents.values)
    } catch {
      throw ConvolutionError(.invalidBasis, "kernel", descriptor.kernel, expected: "a grid of taps: \(error)")
    }
  }

  /// The nonzero values B_j(h⁻¹u) / |det h|, by j; nil where u is outside the support of h.
  func row(_ h: Int, tap u: Int) -> [SamplingOperator.Entry]? {
    if case .pixel = basis, group.axisAction(h) != nil, group.isLattice || contains(u, h) {
      // The same grid for all elements may be larger than the kernel's own.
      return kernelTap(turns.tap(u, turnedBy: group.inverse(h))).map { [.init(weight: $0, value: 1)] }
    }
    guard group.isLattice || contains(u, h) else { return nil }
    let point = multiply(inverseMatrices[h], points[u])
    var values: [Double] = []
    basis.evaluate(at: point, into: &values)
    let factor = 1 / abs(group.determinants[h])
    return values.enumerated().filter { $0.element != 0 }.map { .init(weight: $0.offset, value: $0.element * factor) }
  }

  /// Whether |u| ≤ s k/2, with an ellipse for the disc where extents differ; the maximum norm where functions decay.
  private func contains(_ u: Int, _ h: Int) -> Bool {
    let d = group.dimension
    var (sum, largest) = (0.0, 0.0)
    for (i, x) in points[u].enumerated() {
      // Coordinate i runs along array axis d − 1 − i.
      let radius = scales[h] * Double(basis.extents[d - 1 - i]) / 2
      let square = (x / radius) * (x / radius)
      sum += square
      largest = max(largest, square)
    }
    return (basis.decays ? largest : sum) <= 1 + 1e-9
  }

  /// The tap of the kernel's own grid that a tap of the shared grid is, or nil if it lies outside.
  private func kernelTap(_ tap: Int) -> Int? {
    let d = group.dimension
    var index = 0
    for axis in 0..<d {
      let own = basis.extents[axis]
      let place = points[tap][d - 1 - axis] * (axis == d - 1 ? 1 : -1) + Double(own - 1) / 2
      guard place >= 0, place <= Double(own - 1) else { return nil }
      index = index * own + Int(place)
    }
    return index
  }

  private func multiply(_ matrix: [Double], _ point: [Double]) -> [Double] {
    let d = point.count
    return (0..<d).map { row in (0..<d).reduce(0) { $0 + matrix[row * d + $1] * point[$1] } }
  }
}

/// The grid that all elements sample the kernel on, found before anything of its size is made.
struct SampledKernel {
  let basis: KernelBasis
  /// The largest |h x| / |x| of each element.
  let scales: [Double]
  /// Extents of the shared grid: 2⌈s (k − 1)/2⌉ + 1 for odd k and the largest scale s, and as many for even k.
  let extents: Extents

  init(_ descriptor: ConvolutionDescriptor) throws(ConvolutionError) {
    let group = descriptor.group
    scales =
      group.isLattice
      ? [Double](repeating: 1, count: group.order)
      : (0..<group.order).map(group.scale(of:))
    let largest = scales.max() ?? 1
    var extents = descriptor.kernel
    do throws(BasisError) {
      if let given = descriptor.basis {
        basis = given
      } else {
        basis = .pixel(
          try PixelBasis(extents: descriptor.kernel.values, interpolation: descriptor.interpolation))
      }
      for axis in extents.indices {
        extents[axis] = try max(extents[axis], scaledExtent(extents[axis], scale: largest))
      }
    } catch {
      throw ConvolutionError(.invalidBasis, "kernel", descriptor.kernel, expected: "extents of a basis: \(error)")
    }
    self.extents = extents
  }
}
