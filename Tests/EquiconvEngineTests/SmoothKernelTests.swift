// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Kernels that taps resolve turn with the image by angles that do not permute the taps.
///
/// Images are sums of plane waves of |ω| ≤ π/4, a quarter of the Nyquist frequency, and are turned by evaluating them
/// at turned points. The rotation leaves the central pixel where it is, so y_g[g·p, 0] = y[p, 0] is compared there, and
/// no output is resampled either: all of the error is that of the layer.
///
/// Where it comes from: a layer answers a wave with Σ_u k(u) e^{iω·u}, which by Poisson's formula is Σ_n k̂(ω + 2πn).
/// The term n = 0 turns with the kernel; the others, and what the grid cuts off k, do not.
@Suite struct SmoothKernelTests {
  /// Kernels on 7 × 7 taps that are smooth and fall off inside the grid.
  static let smooth: [(name: String, basis: KernelBasis)] = [
    ("circular harmonics", .circularHarmonics(try! .standard(extent: 7))),
    ("harmonics of low frequency", .circularHarmonics(try! .standard(extent: 7, highestFrequency: 2))),
    ("cubic splines", .bSpline(try! .round(extents: [7, 7], degree: 3))),
    ("quartic splines", .bSpline(try! .round(extents: [7, 7], degree: 4, radius: 1.5))),
    ("derivatives", .gaussianDerivatives(try! .init(dimension: 2, order: 3, sigma: 0.8, extents: [7, 7]))),
  ]

  /// All pixels, and the pixels at the centers of the round splines: linear splines are bilinear interpolation.
  static let bilinear: [(name: String, basis: KernelBasis)] = [
    ("all pixels", .pixel(try! .init(extents: [7, 7]))),
    ("pixels of a disc", .bSpline(try! .round(extents: [7, 7], degree: 1))),
  ]

  /// 22.5° in C16, 45° in C16 and in C8.
  static let turns: [(order: Int, element: Int)] = [(16, 1), (16, 2), (8, 1)]

  /// Measured: at most 0.81 %, of cubic splines; bilinear pixels of the same centers are off by 9 to 17 % where kernels
  /// turn, and all pixels by 18 to 45 %, because the border of the kernel is cut off too.
  @Test(arguments: [LayerKind.lifting, .group, .projection])
  func smoothKernels_turnWithin1Percent_andBetterThanBilinearOnes(_ layer: LayerKind) throws {
    for turn in Self.turns {
      let bilinear = try Self.bilinear.map { try error([layer], turn, $0.basis) }.min()!
      for (name, basis) in Self.smooth {
        let smooth = try error([layer], turn, basis)
        #expect(smooth <= 0.01, "\(name) \(turn)")
        #expect(smooth < bilinear, "\(name) \(turn)")
      }
      // The measure is able to fail: bilinear kernels miss the bound by far.
      #expect(bilinear > 0.05, "\(turn)")
    }
  }

  /// The kernel of an isotropic layer is a mean over all turns, which takes most of the error out of any kernel.
  @Test func isotropicLayers_turnWithin1Percent_andBetterThanBilinearPixels() throws {
    for turn in Self.turns {
      let bilinear = try error([.isotropic], turn, Self.bilinear[0].basis)
      for (name, basis) in Self.smooth {
        let smooth = try error([.isotropic], turn, basis)
        #expect(smooth <= 0.01, "\(name) \(turn)")
        #expect(smooth < bilinear, "\(name) \(turn)")
      }
    }
  }

  /// The output of a lifting layer is a sum of the same waves, so the next layer adds an error of its own to that of its
  /// input, as of one layer each: 2 % are allowed. Measured: at most 1.3 %.
  @Test func twoLayers_turnWithin2Percent_andBetterThanBilinearOnes() throws {
    for turn in Self.turns {
      let bilinear = try Self.bilinear.map { try error([.lifting, .group], turn, $0.basis) }.min()!
      for (name, basis) in Self.smooth {
        let smooth = try error([.lifting, .group], turn, basis)
        #expect(smooth <= 0.02, "\(name) \(turn)")
        #expect(smooth < bilinear, "\(name) \(turn)")
      }
    }
  }

  // MARK: -

  /// ‖layer(L_g f) − L_g layer(f)‖ / ‖layer(f)‖ at the central pixel, over 32 random images and 4 random kernels.
  private func error(
    _ layers: [LayerKind], _ turn: (order: Int, element: Int), _ basis: KernelBasis
  ) throws -> Double {
    let (batch, channels) = (32, 4)
    let group = try PointGroup.cyclic(turn.order)
    var random = SplitMix64(seed: 71)
    let plans = try layers.indices.map { depth in
      // Valid layers: the last one has just its central pixel left.
      let size = 7 + 6 * (layers.count - 1 - depth)
      return try ConvolutionPlan(
        ConvolutionDescriptor(
          kind: layers[depth], group: group, inChannels: depth == 0 ? 2 : channels, outChannels: channels,
          spatial: [size, size], kernel: [7, 7], basis: basis))
    }
    let weights: [[Double]] = plans.map { plan in
      (0..<plan.weightShape.reduce(1, *)).map { _ in Double.random(in: -1...1, using: &random) }
    }
    let image = try AnalyticSignal(plans[0].descriptor, batch: batch, band: .pi / 4, &random)
    let outputs = try [0, turn.element].map { g in
      try zip(plans, weights).reduce(try image.samples(plans[0].descriptor.spatial, movedBy: g)) { signal, layer in
        try layer.0(signal, layer.1, batch: batch)
      }
    }
    let fiber = try plans[plans.count - 1].descriptor.layer.output.fiber(of: group, .outputSpace)
    var error = RelativeError()
    for row in 0..<batch * channels {
      for point in 0..<fiber.count {
        let moved = outputs[1][row * fiber.count + fiber.act(turn.element, point)]
        error.add(moved, expected: outputs[0][row * fiber.count + point])
      }
    }
    return error.value
  }
}
