// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import Foundation
import _EquiconvTestSupport

/// How much the response of a sampled kernel changes when plane waves and kernel turn together, relative to it.
///
/// A kernel sampled on taps u answers the wave exp(iω·x) by the factor K(ω) = Σ_u k(u) exp(iω·u). Turned by R it should
/// answer exp(iRω·x) by the same factor. This is the root mean square of the difference over random kernels and
/// frequencies up to `band` times π, over the root mean square of K.
func equivarianceError(_ basis: KernelBasis, degrees: Double, band: Double) throws -> Double {
  let taps = try tapPoints(extents: basis.extents)
  let (c, s) = (cos(degrees * .pi / 180), sin(degrees * .pi / 180))
  let straight = sampling(of: basis, at: taps)
  let turned = sampling(of: basis, at: taps.map { [c * $0[0] + s * $0[1], c * $0[1] - s * $0[0]] })
  var random = SplitMix64(seed: 17)
  let waves = random.points(400, dimension: 2, bound: band * .pi).filter {
    $0[0] * $0[0] + $0[1] * $0[1] < band * .pi * band * .pi
  }
  // For independent coefficients of unit variance, the mean over kernels is the sum over basis functions.
  var (difference, total) = (0.0, 0.0)
  for wave in waves {
    let a = response(straight, taps, basis.count, wave)
    let b = response(turned, taps, basis.count, [c * wave[0] - s * wave[1], s * wave[0] + c * wave[1]])
    difference += zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    total += a.reduce(0) { $0 + $1 * $1 }
  }
  return (difference / total).squareRoot()
}

/// Real and imaginary part of Σ_u B_j(u) exp(iω·u) for all j.
private func response(_ matrix: [Double], _ taps: [[Double]], _ count: Int, _ wave: [Double]) -> [Double] {
  var sums = [Double](repeating: 0, count: 2 * count)
  for (row, u) in taps.enumerated() {
    let phase = wave[0] * u[0] + wave[1] * u[1]
    let (re, im) = (cos(phase), sin(phase))
    for j in 0..<count {
      sums[2 * j] += matrix[row * count + j] * re
      sums[2 * j + 1] += matrix[row * count + j] * im
    }
  }
  return sums
}
