// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import Foundation
import Testing
import _EquiconvTestSupport

/// Derivatives of a Gaussian.
@Suite struct GaussianDerivativeTests {
  static func basis(_ dimension: Int, order: Int, sigma: Double) throws -> GaussianDerivativeBasis {
    try GaussianDerivativeBasis(
      dimension: dimension, order: order, sigma: sigma, extents: [Int](repeating: 5, count: dimension))
  }

  @Test func order_isFrozen() throws {
    #expect(try Self.basis(1, order: 3, sigma: 1).derivatives == [[0], [1], [2], [3]])
    #expect(
      try Self.basis(2, order: 2, sigma: 1).derivatives == [[0, 0], [1, 0], [0, 1], [2, 0], [1, 1], [0, 2]])
    #expect(
      try Self.basis(3, order: 2, sigma: 1).derivatives == [
        [0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [2, 0, 0], [1, 1, 0], [1, 0, 1], [0, 2, 0], [0, 1, 1], [0, 0, 2],
      ])
    #expect(KernelBasis.gaussianDerivatives(try Self.basis(3, order: 10, sigma: 1)).count == 286)
  }

  /// Derivatives of the Gaussian by Cauchy's formula on a circle in the complex plane, a/2πi ∮ g(z) / (z−t)^{a+1} dz:
  /// differences of values, as finite differences are, but without their loss of digits.
  @Test(arguments: 1...3)
  func functions_areDerivativesOfTheGaussian(dimension: Int) throws {
    let (order, sigma) = (6, 0.8)
    let basis = try Self.basis(dimension, order: order, sigma: sigma)
    func derivative(_ a: Int, _ t: Double) -> Double {
      let (n, radius) = (64, 1.0)
      let mean = (0..<n).reduce(0.0) { sum, i in
        let angle = 2 * Double.pi * Double(i) / Double(n)
        let (x, y) = (t + radius * cos(angle), radius * sin(angle))
        // The real part of exp(−z²/2σ²) e^{−iaφ}.
        let modulus = exp(-(x * x - y * y) / (2 * sigma * sigma))
        return sum + modulus * cos(-x * y / (sigma * sigma) - Double(a) * angle) / Double(n)
      }
      return factorial(a) * mean
    }
    var random = SplitMix64(seed: 1)
    let points = random.points(30, dimension: dimension, bound: 3)
    let expected = matrix(points, count: basis.derivatives.count) { j, u in
      zip(basis.derivatives[j], u).reduce(1) { product, pair in
        product * derivative(pair.0, pair.1) * pow(sigma, Double(pair.0)) / factorial(pair.0).squareRoot()
      }
    }
    // Values on the circle are at most e^{1/2σ²} ≈ 2.2, times σ⁶ √6! ≈ 7.
    #expect(distance(sampling(of: .gaussianDerivatives(basis), at: points), expected) < 1e-13)
  }

  /// Central differences of one order give the next: d/dx B_α = √(α_x + 1) / σ · B_{α + e_x}.
  @Test(arguments: 1...3)
  func centralDifferences_raiseTheOrder(dimension: Int) throws {
    let (sigma, step) = (1.1, 1e-4)
    let basis = try Self.basis(dimension, order: 5, sigma: sigma)
    let sample = { (u: [Double]) in sampling(of: .gaussianDerivatives(basis), at: [u]) }
    var random = SplitMix64(seed: 2)
    for u in random.points(10, dimension: dimension, bound: 3) {
      let values = sample(u)
      for axis in 0..<dimension {
        var (left, right) = (u, u)
        left[axis] -= step
        right[axis] += step
        let slopes = zip(sample(left), sample(right)).map { ($1 - $0) / (2 * step) }
        for (j, alpha) in basis.derivatives.enumerated() where alpha.reduce(0, +) < 5 {
          var raised = alpha
          raised[axis] += 1
          let next = values[basis.derivatives.firstIndex(of: raised)!] * Double(raised[axis]).squareRoot() / sigma
          // Third derivatives are below 20, times step²/6; rounding is 10⁻¹⁶/step.
          #expect(abs(slopes[j] - next) < 1e-7)
        }
      }
    }
  }

  /// Functions of one order at a turned point are combinations of those at the point: fitted on some points, they
  /// hold on others.
  @Test func rotations_mixEachOrderAlone() throws {
    let basis = try Self.basis(2, order: 4, sigma: 0.9)
    let (c, s) = (cos(0.7), sin(0.7))
    let turn = { (u: [Double]) in [c * u[0] + s * u[1], c * u[1] - s * u[0]] }
    var random = SplitMix64(seed: 3)
    for order in 0...4 {
      let members = basis.derivatives.indices.filter { basis.derivatives[$0].reduce(0, +) == order }
      let rows = { (points: [[Double]]) in
        points.map { u in
          let row = sampling(of: .gaussianDerivatives(basis), at: [u])
          return members.map { row[$0] }
        }
      }
      let points = random.points(members.count, dimension: 2, bound: 1.5)
      let others = random.points(20, dimension: 2, bound: 1.5)
      let (system, turned) = (rows(points), rows(points.map(turn)))
      for function in members.indices {
        let mix = solve(system, turned.map { $0[function] })
        for (row, image) in zip(rows(others), rows(others.map(turn))) {
          #expect(abs(zip(row, mix).reduce(0) { $0 + $1.0 * $1.1 } - image[function]) < 1e-9)
        }
      }
    }
  }
}
