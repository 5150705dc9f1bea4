// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups

/// The turned kernels of the plain reference: k[o,c](h⁻¹e, h⁻¹u), from the matrices and the Cayley table.
struct ReferenceKernels {
  private let d: ConvolutionDescriptor
  private let group: PointGroup
  private let basis: KernelBasis
  /// The coordinates of the taps of the bank.
  private let points: [[Double]]
  /// values[h][u][j] = B_j(h⁻¹u) / |det h|, zero outside the support.
  private let values: [[[Double]]]
  /// functions[d][i]: the functions on H at a relative element or point.
  private let functions: [[Double]]?

  init(_ d: ConvolutionDescriptor, extents: [Int]) {
    self.d = d
    group = d.layer.group
    // Lattice elements take pixels to pixels, whatever lies between them.
    let interpolation = d.layer.group.isLattice ? .bilinear : d.layer.interpolation
    let basis =
      d.layer.basis ?? .pixel(try! PixelBasis(extents: d.kernel.values, interpolation: interpolation))
    let points = try! tapPoints(extents: extents)
    self.basis = basis
    self.points = points
    functions = d.layer.groupBasis == .full ? nil : try! d.layer.groupBasis.matrix(for: d.layer.group)
    values = (0..<d.layer.group.order).map { h in
      points.map { u in
        Self.isInSupport(u, h, d, basis)
          ? Self.sample(basis, h, u, d.layer.group) : [Double](repeating: 0, count: basis.count)
      }
    }
  }

  /// The mean over the elements h of an output point of k(h⁻¹e, h⁻¹u) / |det h|, for all taps u.
  func mean(over target: [Int], at source: [Int], _ sources: [[Int]], _ weights: [Double]) -> [Double] {
    points.indices.map { u in
      target.reduce(0) { $0 + kernel($1, source, sources, u, weights) } / Double(target.count)
        * (d.layer.usesQuadrature && sources.count > 1 ? source.reduce(0) { $0 + group.quadratureWeights[$1] } : 1)
    }
  }

  private func kernel(_ h: Int, _ source: [Int], _ sources: [[Int]], _ u: Int, _ weights: [Double]) -> Double {
    guard let point = relative(h, source, sources) else { return 0 }
    let row = functions?[point] ?? sources.indices.map { $0 == point ? 1 : 0 }
    var sum = 0.0
    for (i, a) in row.enumerated() where a != 0 {
      for (j, b) in values[h][u].enumerated() { sum += a * b * weights[i * basis.count + j] }
    }
    return sum
  }

  /// The number of the coset q with h·q = source, if it is in the set.
  private func relative(_ h: Int, _ source: [Int], _ sources: [[Int]]) -> Int? {
    if sources.count == 1 { return 0 }
    return sources.firstIndex { source.contains(group.product(h, $0[0])) }
  }

  /// Whether a tap lies in the disc of diameter s k, which groups that are not lattice groups cut pixels and splines
  /// to, or in the square of that side, for functions that decay.
  private static func isInSupport(_ u: [Double], _ h: Int, _ d: ConvolutionDescriptor, _ basis: KernelBasis) -> Bool {
    if d.layer.group.isLattice { return true }
    let radii = basis.extents.reversed().map { d.layer.group.scale(of: h) * Double($0) / 2 }
    let ratios = zip(u, radii).map { ($0 / $1) * ($0 / $1) }
    return switch basis {
    case .pixel, .bSpline: ratios.reduce(0, +) <= 1 + 1e-9
    case .circularHarmonics, .gaussianDerivatives: ratios.allSatisfy { $0 <= 1 + 1e-9 }
    }
  }

  private static func sample(_ basis: KernelBasis, _ h: Int, _ u: [Double], _ group: PointGroup) -> [Double] {
    let (inverse, n) = (group.matrixOfInverse(h), u.count)
    let turned = (0..<n).map { row in (0..<n).reduce(0) { $0 + inverse[row * n + $1] * u[$1] } }
    var values: [Double] = []
    basis.evaluate(at: turned, into: &values)
    return values.map { $0 / abs(group.determinants[h]) }
  }
}
