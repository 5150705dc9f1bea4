// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups
import _EquiconvErrors
import _EquiconvMemory

/// The values of a kernel at h⁻¹u: the rows of the sampling matrices S_h, for the taps u of a grid that all elements
/// share.
///
/// Where h permutes the grid and the basis is that of pixels, S_h is exactly a permutation. Otherwise the basis is
/// evaluated at h⁻¹u. Unless H is a lattice group, pixels and splines are evaluated only at taps with |u| ≤ s k/2, s
/// being the scale of h, so that all orientations have one support. Harmonics and derivatives decay by themselves, and
/// a disc within the square would cut off more of them: they are evaluated where each |u_i| ≤ s k/2.
struct KernelSampler {
  let group: PointGroup
  let basis: KernelBasis
  let turns: TapTurns
  private let axes: ArrayAxes
  /// The coordinates of each tap of the shared grid, (taps, d).
  private let points: FixedArray<Double>
  /// h⁻¹, (|H|, d, d).
  private let inverseMatrices: FixedArray<Double>
  private let scales: [Double]

  init(_ descriptor: ConvolutionDescriptor, geometry: Geometry, sampled: SampledKernel) throws(ConvolutionError) {
    let group = descriptor.layer.group
    self.group = group
    basis = sampled.basis
    turns = TapTurns(group: group, geometry: geometry)
    scales = sampled.scales
    let d = group.dimension
    axes = ArrayAxes(count: d)
    var matrices = try PlanTable<Double>(capacity: group.order * d * d)
    for h in 0..<group.order { try matrices.append(contentsOf: group.matrixOfInverse(h)) }
    inverseMatrices = matrices.frozen()
    let extents = sampled.extents.values
    var points = try PlanTable<Double>(capacity: turns.taps * d)
    for tap in 0..<turns.taps { try points.append(contentsOf: tapPoint(tap, extents: extents)) }
    self.points = points.frozen()
  }

  /// Scratch for the look-up of one tap.
  struct Scratch: ~Copyable {
    /// h⁻¹u, and the functions that may differ from 0 there.
    fileprivate var point = PlanTable<Double>()
    fileprivate var found = LocalValues()
    /// The values B_j(h⁻¹u) / |det h| that are not 0, by j.
    fileprivate(set) var entries = PlanTable<SamplingOperator.Entry>()
  }

  /// Finds the values B_j(h⁻¹u) / |det h| that are not 0; none where u is outside the support of h.
  func sample(_ h: Int, tap u: Int, into scratch: inout Scratch) throws(ConvolutionError) {
    scratch.entries.removeAll()
    if case .pixel = basis, group.axisAction(h) != nil, group.isLattice || contains(u, h) {
      // The same grid for all elements may be larger than the kernel's own.
      if let tap = kernelTap(turns.tap(u, turnedBy: group.inverse(h))) {
        try scratch.entries.append(.init(weight: tap, value: 1))
      }
      return
    }
    guard group.isLattice || contains(u, h) else { return }
    try turn(u, by: h, into: &scratch.point)
    do throws(BasisError) {
      try basis.find(at: scratch.point.elements.baseAddress!, into: &scratch.found)
    } catch {
      guard case .outOfMemory(let bytes) = error else {
        throw ConvolutionError(
          .invalidBasis, .basis, basis, expected: { "a basis that is known at every point: \(error.message(in: $0))" })
      }
      throw .outOfMemory(bytes: bytes)
    }
    let factor = 1 / abs(group.determinants[h])
    for entry in scratch.found.elements where entry.value != 0 {
      try scratch.entries.append(.init(weight: entry.function, value: entry.value * factor))
    }
  }

  /// Whether |u| ≤ s k/2, with an ellipse for the disc where extents differ; the maximum norm where functions decay.
  private func contains(_ u: Int, _ h: Int) -> Bool {
    let d = group.dimension
    var (sum, largest) = (0.0, 0.0)
    for i in 0..<d {
      let x = points[u * d + i]
      let radius = scales[h] * Double(basis.extents[axes.counterpart(i)]) / 2
      let square = (x / radius) * (x / radius)
      sum += square
      largest = max(largest, square)
    }
    return (basis.decays ? largest : sum) <= 1 + 1e-9
  }

  /// The tap of the kernel's own grid for a tap of the shared grid, or nil if it lies outside.
  private func kernelTap(_ tap: Int) -> Int? {
    let d = group.dimension
    var index = 0
    for axis in 0..<d {
      let own = basis.extents[axis]
      let i = axes.counterpart(axis)
      let place = points[tap * d + i] * Double(axes.direction(ofCoordinate: i)) + Double(own - 1) / 2
      guard place >= 0, place <= Double(own - 1) else { return nil }
      index = index * own + Int(place)
    }
    return index
  }

  /// h⁻¹u.
  private func turn(_ u: Int, by h: Int, into point: inout PlanTable<Double>) throws(ConvolutionError) {
    let d = group.dimension
    point.removeAll()
    for row in 0..<d {
      try point.append((0..<d).reduce(0) { $0 + inverseMatrices[(h * d + row) * d + $1] * points[u * d + $1] })
    }
  }
}
