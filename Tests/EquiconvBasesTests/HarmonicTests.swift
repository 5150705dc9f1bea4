// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups
import Foundation
import Testing
import _EquiconvTestSupport

/// Circular harmonics.
@Suite struct HarmonicTests {
  static func harmonics() throws -> CircularHarmonicBasis {
    try CircularHarmonicBasis(extent: 7, radii: [0, 0.5, 1, 2.3, 3], frequencies: [0, 1, 3, 7, 4], sigma: 0.7)
  }

  /// The functions as (ring, m, whether sine), in the frozen order.
  static func functions(_ basis: CircularHarmonicBasis) -> [(ring: Int, m: Int, isSine: Bool)] {
    basis.radii.indices.flatMap { ring in
      [(ring, 0, false)] + (0..<basis.frequencies[ring]).flatMap { [(ring, $0 + 1, false), (ring, $0 + 1, true)] }
    }
  }

  /// A harmonic on a circle blurred by a Gaussian, by the trapezoidal rule on the circle, divided by its value on it.
  @Test func functions_areBlurredHarmonicsOnCircles() throws {
    let basis = try Self.harmonics()
    let functions = Self.functions(basis)
    #expect(KernelBasis.circularHarmonics(basis).shape == [functions.count])
    func blurred(_ ring: Int, _ m: Int, _ isSine: Bool, _ u: [Double]) -> Double {
      let (r, n) = (basis.radii[ring], 256)
      return (0..<n).reduce(0) { sum, i in
        let a = 2 * Double.pi * Double(i) / Double(n)
        let square = (u[0] - r * cos(a)) * (u[0] - r * cos(a)) + (u[1] - r * sin(a)) * (u[1] - r * sin(a))
        let harmonic = isSine ? sin(Double(m) * a) : cos(Double(m) * a)
        return sum + harmonic * exp(-square / (2 * basis.sigma * basis.sigma))
      }
    }
    var random = SplitMix64(seed: 1)
    let points = random.points(40, dimension: 2, bound: 4) + [[0, 0], [1e-9, 0], [0, -1e-300]]
    let expected = matrix(points, count: functions.count) { j, u in
      let (ring, m, isSine) = functions[j]
      return blurred(ring, m, isSine, u) / blurred(ring, m, false, [basis.radii[ring], 0])
    }
    // The least divisor, of m = 7 on the ring of 2.3, is 10⁻² of the sum's terms.
    #expect(distance(sampling(of: .circularHarmonics(basis), at: points), expected) < 1e-12)
  }

  @Test func rotations_mixEachFrequencyAlone() throws {
    let basis = try Self.harmonics()
    let functions = Self.functions(basis)
    var random = SplitMix64(seed: 2)
    for u in random.points(50, dimension: 2, bound: 4) {
      let theta = Double.random(in: 0...7, using: &random)
      let back = [cos(theta) * u[0] + sin(theta) * u[1], cos(theta) * u[1] - sin(theta) * u[0]]
      let before = sampling(of: .circularHarmonics(basis), at: [u])
      let after = sampling(of: .circularHarmonics(basis), at: [back])
      let expected = functions.indices.map { j in
        let (c, s) = (cos(Double(functions[j].m) * theta), sin(Double(functions[j].m) * theta))
        if functions[j].m == 0 { return before[j] }
        return functions[j].isSine ? c * before[j] - s * before[j - 1] : c * before[j] + s * before[j + 1]
      }
      #expect(distance(after, expected) < 1e-13)
    }
  }

  @Test func standard_hasTheDocumentedRings() throws {
    let rings = { (k: Int) throws in
      let basis = try CircularHarmonicBasis.standard(extent: k)
      return zip(basis.radii, basis.frequencies).map { [$0, Double($1)] }
    }
    #expect(try rings(1) == [[0, 0]])
    #expect(try rings(2) == [[0.5, 1]])
    #expect(try rings(3) == [[0, 0], [1, 2]])
    #expect(try rings(6) == [[0.5, 1], [1.5, 3]])
    #expect(try rings(7) == [[0, 0], [1, 2], [2, 4]])
    #expect(
      try [3, 5, 7, 9].map { KernelBasis.circularHarmonics(try .standard(extent: $0)).count } == [6, 6, 15, 28])
    #expect(try CircularHarmonicBasis.standard(extent: 7, highestFrequency: 0).frequencies == [0, 0, 0])
    #expect(CircularHarmonicBasis.highestFrequency(radius: 0) == 0)
    #expect(CircularHarmonicBasis.highestFrequency(radius: 2) == 6)
    _ = try CircularHarmonicBasis.standard(extent: 128)
  }

  /// On images limited to half of the Nyquist frequency; bilinear pixels are off by a fifth and more.
  @Test(arguments: [5, 7, 9], [22.5, 45])
  func standard_isNearlyEquivariant(extent: Int, degrees: Double) throws {
    let harmonics = KernelBasis.circularHarmonics(try .standard(extent: extent))
    let error = try equivarianceError(harmonics, degrees: degrees, band: 0.5)
    let pixels = try equivarianceError(.pixel(try PixelBasis(extents: [extent, extent])), degrees: degrees, band: 0.5)
    #expect(error < 0.01)
    #expect(error < pixels / 10)
  }

  @Test func extremes_areFinite() throws {
    for sigma in [0.25, 4] {
      let basis = try CircularHarmonicBasis(
        extent: 3, radii: [0, 0.32, 10, 64], frequencies: [0, 1, 31, 201], sigma: sigma)
      let far =
        stride(from: 0.0, to: 300, by: 7.3).map { [$0, -$0 / 3] } + [[.leastNonzeroMagnitude, 0], [1e200, 1e200]]
      #expect(sampling(of: .circularHarmonics(basis), at: far).allSatisfy { $0.isFinite })
    }
  }
}
