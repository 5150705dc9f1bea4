// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import _EquiconvTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A sum of plane waves `Σ a cos(ω·x + φ)` with |ω| at most a band limit: known everywhere, so that moving it resamples
/// nothing.
struct PlaneWaves: Sendable {
  private let waves: [(amplitude: Double, frequency: [Double], phase: Double)]

  /// Frequencies are uniform in the ball of radius `band`, in radians per pixel.
  init(_ count: Int, dimension: Int, band: Double, _ random: inout SplitMix64) {
    waves = (0..<count).map { _ in
      var frequency: [Double]
      repeat {
        frequency = (0..<dimension).map { _ in Double.random(in: -band...band, using: &random) }
      } while frequency.reduce(0, { $0 + $1 * $1 }) > band * band
      return (
        Double.random(in: 0.5...1, using: &random), frequency, Double.random(in: -Double.pi...Double.pi, using: &random)
      )
    }
  }

  func callAsFunction(_ x: [Double]) -> Double {
    waves.reduce(0) { sum, wave in
      sum + wave.amplitude * cos(zip(wave.frequency, x).reduce(wave.phase) { $0 + $1.0 * $1.1 })
    }
  }
}

/// Signals on ℝᵈ × H/K that are known everywhere, one function for each image, channel and point of H/K.
struct AnalyticSignal {
  let space: HomogeneousSpace
  /// (batch, channels, points)
  let functions: [PlaneWaves]

  /// Random sums of eight waves for all images and channels of a layer's input.
  init(_ descriptor: ConvolutionDescriptor, batch: Int, band: Double, _ random: inout SplitMix64) throws {
    space = try descriptor.layer.input.fiber(of: descriptor.layer.group, .inputSpace)
    let d = descriptor.layer.group.dimension
    functions = (0..<batch * descriptor.inChannels * space.count).map { _ in
      PlaneWaves(8, dimension: d, band: band, &random)
    }
  }

  /// (L_g f)(p, x) = f(g⁻¹p, g⁻¹x) at the pixels x of a grid about the origin; of a truncated set, points p that g does
  /// not reach keep their own function, which is as good as any other there.
  func samples(_ spatial: Extents, movedBy g: Int = 0) throws -> [Double] {
    let pixels = try tapPoints(extents: spatial.values)
    let inverse = space.group.matrixOfInverse(g)
    let points = pixels.map { multiply(inverse, $0) }
    return functions.indices.flatMap { i in
      let point = i % space.count
      let function = functions[i - point + (space.relative(g, point) ?? point)]
      return points.map { function($0) }
    }
  }
}

/// A matrix, row by row, times a vector.
func multiply(_ matrix: [Double], _ x: [Double]) -> [Double] {
  x.indices.map { row in x.indices.reduce(0) { $0 + matrix[row * x.count + $1] * x[$1] } }
}

extension ConvolutionPlan {
  /// The layer without bias.
  func callAsFunction(_ input: [Double], _ weight: [Double], batch: Int) throws -> [Double] {
    try forward(LayerNumbers(input: input, weight: weight, bias: [], gradient: []), batch: batch, hasBias: false)
  }
}

/// ‖a − b‖ / ‖b‖ in the mean of squares.
struct RelativeError {
  private var difference = 0.0
  private var size = 0.0

  mutating func add(_ a: Double, expected b: Double) {
    difference += (a - b) * (a - b)
    size += b * b
  }

  var value: Double { size > 0 ? (difference / size).squareRoot() : .infinity }
}
