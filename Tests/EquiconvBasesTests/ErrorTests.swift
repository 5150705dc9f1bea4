// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import Testing

/// Wrong arguments are errors that name the argument, its value and what was expected; none crashes.
@Suite struct ErrorTests {
  private func message(_ make: () throws(BasisError) -> Void) -> String {
    do throws(BasisError) {
      try make()
      return "no error"
    } catch { return error.description }
  }

  @Test(arguments: [[], [0], [3, -1], [3, 3, 3, 3]])
  func extents_areChecked(extents: [Int]) {
    let expected = "extents is \(extents), expected 1, 2 or 3 positive numbers"
    #expect(message { () throws(BasisError) in _ = try PixelBasis(extents: extents) } == expected)
    #expect(message { () throws(BasisError) in _ = try tapPoints(extents: extents) } == expected)
    #expect(message { () throws(BasisError) in _ = try BSplineBasis.dense(extents: extents, degree: 3) } == expected)
    #expect(message { () throws(BasisError) in _ = try BSplineBasis.round(extents: extents, degree: 3) } == expected)
    let atrous = message { () throws(BasisError) in
      _ = try BSplineBasis.atrous(extents: extents, degree: 3, spacing: 2)
    }
    #expect(atrous == expected)
  }

  @Test(arguments: [[1 << 31], [1 << 62, 4], [Int.max, Int.max, Int.max]])
  func extents_areSmallEnough(extents: [Int]) {
    let result = message { () throws(BasisError) in _ = try PixelBasis(extents: extents) }
    #expect(result == "extents is \(extents), expected a product below 2³¹")
    #expect(throws: BasisError.self) { try BSplineBasis.dense(extents: extents, degree: 1) }
  }

  @Test func largePixelBasis_isOnlyItsExtents() throws {
    #expect(KernelBasis.pixel(try PixelBasis(extents: [46_340, 46_340])).count == 46_340 * 46_340)
  }

  @Test func splines_areChecked() {
    func make(
      _ dimension: Int = 2, _ degree: Int = 3, _ centers: [[Double]] = [[0, 0]], _ scale: Double = 1,
      _ extents: [Int] = [5, 5]
    ) -> String {
      message { () throws(BasisError) in
        _ = try BSplineBasis(
          dimension: dimension, degree: degree, centers: centers, scale: scale, extents: extents)
      }
    }
    #expect(make() == "no error")
    #expect(make(4) == "dimension is 4, expected 1...3")
    #expect(make(2, -1) == "degree is -1, expected 0...5")
    #expect(make(2, 6) == "degree is 6, expected 0...5")
    #expect(make(2, 3, []) == "centers has 0 entries, expected one center or more")
    #expect(make(2, 3, [[0, 0], [1]]) == "centers[1] has 1 entries, expected 2 coordinates")
    #expect(make(2, 3, [[0, .infinity]]) == "centers[0][1] is inf, expected a finite number")
    #expect(make(2, 3, [[0, 0]], 0) == "scale is 0.0, expected a positive finite number")
    #expect(make(2, 3, [[0, 0]], .nan) == "scale is nan, expected a positive finite number")
    #expect(make(2, 3, [[0, 0]], 1, [5]) == "extents has 1 entries, expected one for each of 2 axes")
    let small = message { () throws(BasisError) in
      _ = try BSplineBasis.dense(extents: [5, 5], degree: 3, scale: 1e-300)
    }
    #expect(small == "centers has \(Int.max) entries, expected at most 1048576 on a grid")
    for radius in [-1, .nan, .infinity] {
      let round = message { () throws(BasisError) in
        _ = try BSplineBasis.round(extents: [5, 5], degree: 3, radius: radius)
      }
      #expect(round == "radius is \(radius), expected a finite number, 0 or more")
    }
  }

  @Test func harmonics_areChecked() {
    func make(
      _ extent: Int = 5, _ radii: [Double] = [0, 1], _ frequencies: [Int] = [0, 3], _ sigma: Double = 0.6
    ) -> String {
      message { () throws(BasisError) in
        _ = try CircularHarmonicBasis(extent: extent, radii: radii, frequencies: frequencies, sigma: sigma)
      }
    }
    #expect(make() == "no error")
    #expect(make(0) == "extent is 0, expected 1...46340")
    #expect(make(5, [], []) == "radii has 0 entries, expected one radius or more")
    #expect(make(5, [1], [0, 1]) == "frequencies has 2 entries, expected one for each of 1 radii")
    #expect(make(5, [-1], [0]) == "radii[0] is -1.0, expected 0.0...64.0")
    #expect(make(5, [.nan], [0]) == "radii[0] is nan, expected 0.0...64.0")
    #expect(make(5, [0], [1]) == "frequencies[0] is 1, expected 0...0")
    #expect(make(5, [0, 1], [0, 4]) == "frequencies[1] is 4, expected 0...3")
    #expect(make(5, [0], [-1]) == "frequencies[0] is -1, expected 0...0")
    #expect(make(5, [0], [0], .nan) == "sigma is nan, expected 0.25...4.0")
    #expect(make(5, [0], [0], 0.2) == "sigma is 0.2, expected 0.25...4.0")
    for extent in [0, 129, Int.max, Int.min] {
      let standard = message { () throws(BasisError) in _ = try CircularHarmonicBasis.standard(extent: extent) }
      #expect(standard == "extent is \(extent), expected 1...128")
    }
    let frequency = message { () throws(BasisError) in
      _ = try CircularHarmonicBasis.standard(extent: 5, highestFrequency: -1)
    }
    #expect(frequency == "highestFrequency is -1, expected 0 or more")
  }

  @Test func gaussians_areChecked() {
    func make(_ dimension: Int = 2, _ order: Int = 2, _ sigma: Double = 1, _ extents: [Int] = [5, 5]) -> String {
      message { () throws(BasisError) in
        _ = try GaussianDerivativeBasis(dimension: dimension, order: order, sigma: sigma, extents: extents)
      }
    }
    #expect(make() == "no error")
    #expect(make(0) == "dimension is 0, expected 1...3")
    #expect(make(2, 11) == "order is 11, expected 0...10")
    #expect(make(2, -1) == "order is -1, expected 0...10")
    #expect(make(2, 2, .infinity) == "sigma is inf, expected a positive finite number")
    #expect(make(2, 2, -1) == "sigma is -1.0, expected a positive finite number")
    #expect(make(3) == "extents has 2 entries, expected one for each of 3 axes")
  }

  /// Points that are not finite, or are far away, give zeros for every basis.
  @Test func wildPoints_giveZeros() throws {
    let extents = [5, 5]
    var bases = try Interpolation.allCases.map {
      KernelBasis.pixel(try PixelBasis(extents: extents, interpolation: $0))
    }
    for degree in 0...5 { bases.append(.bSpline(try .dense(extents: extents, degree: degree, scale: 0.5))) }
    bases.append(.circularHarmonics(try .standard(extent: 5)))
    bases.append(.gaussianDerivatives(try .init(dimension: 2, order: 4, sigma: 0.7, extents: extents)))
    let wild: [Double] = [.nan, .infinity, -.infinity, 1e300, -1e19, .greatestFiniteMagnitude]
    for basis in bases {
      for value in wild {
        #expect(sampling(of: basis, at: [[value, 0], [0, value], [value, value]]).allSatisfy { $0 == 0 })
      }
    }
  }

  @Test func evaluate_replacesAnArrayOfAnyLength() throws {
    let basis = KernelBasis.pixel(try PixelBasis(extents: [3]))
    for length in [0, 2, 3, 9] {
      var values = [Double](repeating: 7, count: length)
      basis.evaluate(at: [0.25], into: &values)
      #expect(values == [0, 0.75, 0.25])
    }
    #expect(sampling(of: basis, at: []).isEmpty)
  }
}

/// Extents of dilated kernels.
@Suite struct ScaledExtentTests {
  @Test(arguments: 1...200)
  func scaleOne_keepsTheExtent(k: Int) throws {
    #expect(try scaledExtent(k, scale: 1) == k)
    let root = 2.0.squareRoot()
    #expect(try scaledExtent(k, scale: root * (1 / root)) == k)
    #expect(try scaledExtent(k, scale: 1 + 1e-12) == k)
  }

  /// The least extent of the same parity that reaches the dilated outermost tap.
  @Test(arguments: 1...30, [0.3, 0.5, 2.0.squareRoot(), 1.5, 2, 3.7, 8])
  func extent_isTheLeastThatReaches(k: Int, scale: Double) throws {
    let extent = try scaledExtent(k, scale: scale)
    let reach = scale * Double(k - 1) / 2
    #expect(extent % 2 == k % 2)
    #expect(Double(extent - 1) / 2 >= reach - 1e-6)
    #expect(extent <= 2 || Double(extent - 3) / 2 < reach - 1e-12)
  }

  @Test func knownExtents() throws {
    #expect(try scaledExtent(5, scale: 2) == 9 && scaledExtent(4, scale: 2) == 8 && scaledExtent(2, scale: 2) == 4)
    #expect(try scaledExtent(3, scale: 2.0.squareRoot()) == 5 && scaledExtent(1, scale: 100) == 1)
  }

  @Test func wrongArguments_areErrors() {
    for scale in [0, -1, .nan, .infinity, 1e12] {
      #expect(throws: BasisError.self) { try scaledExtent(5, scale: scale) }
    }
    #expect(throws: BasisError.invalidInteger(.extent, value: 0, expected: "1...2147483647")) {
      try scaledExtent(0, scale: 1)
    }
  }
}
