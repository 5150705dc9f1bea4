// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing

/// What is printed is one line, without tables.
@Suite struct DescriptionTests {
  private func layer(_ basis: KernelBasis?, _ shape: [Int]) throws -> Convolution<Float> {
    try Convolution(
      .lifting, group: .cyclic(8), weight: .zeros(shape: shape), bias: [0, 0], padding: .same, algorithm: .direct,
      basis: basis)
  }

  @Test func layersSayWhatTheyAre() throws {
    let pixels = try layer(nil, [2, 3, 5, 5])
    #expect(
      "\(pixels)"
        == "Convolution<Float> plane → group of C8, weight of shape (2, 3, 5, 5), bias, padding same, direct")
    #expect(try "\(pixels.prepared())" == "prepared \(pixels)")
    let strided = try Convolution<Double>(
      from: .quotient(stabilizer: [0, 2]), to: .plane, group: .cyclic(4), weight: .zeros(shape: [1, 1, 2, 3, 3]),
      stride: 2, padding: 1, dilation: [2, 2], paddingMode: .circular)
    #expect(
      "\(strided)"
        == "Convolution<Double> quotient(stabilizer: [0, 2]) → plane of C4, weight of shape (1, 1, 2, 3, 3), stride (2, 2), "
        + "padding (1, 1), dilation (2, 2), circular")
  }

  @Test func basesSayWhatTheyAre() throws {
    let bases: [(KernelBasis, String)] = [
      (.pixel(try PixelBasis(extents: [5, 5])), "pixels on (5, 5) taps, bilinear"),
      (
        .bSpline(try .dense(extents: [5, 5], degree: 2, scale: 2)),
        "9 B-splines of degree 2, 2.0 taps wide, on (5, 5) taps"
      ),
      (.circularHarmonics(try .standard(extent: 7)), "15 circular harmonics on 3 rings, on (7, 7) taps"),
      (
        .gaussianDerivatives(try GaussianDerivativeBasis(dimension: 2, order: 2, sigma: 1.25, extents: [7, 7])),
        "6 derivatives of a Gaussian of width 1.25, on (7, 7) taps"
      ),
    ]
    for (basis, text) in bases { #expect("\(basis)" == text) }
    #expect("\(GroupBasis.localized([0, 1, 7]))" == "localized([0, 1, 7])")
    #expect("\(GroupBasis.localized(Array(0..<60)))" == "localized(60 elements)")
    #expect(
      try "\(GroupBasis.bSpline(degree: 2, count: 16))".hasPrefix("bSpline(degree: 2, centers: 16 centers, scale: 0.39")
    )
  }

  /// Every public type that has more to it than a name.
  @Test func whateverIsPrintedIsOneShortLine() throws {
    let d4 = try PointGroup.dihedral(4)
    let full = PointGroup.fullIcosahedral
    let harmonics = KernelBasis.circularHarmonics(try .standard(extent: 31))
    let steerable = try layer(harmonics, [2, 3, harmonics.count])
    let large = try HomogeneousSpace(group: full, stabilizer: Array(0..<120))
    let values: [Any] = [
      d4, try HomogeneousSpace(group: d4, stabilizer: [0, 4]), large, d4.axisAction(3) as Any,
      try HomogeneousSpace.group(d4).restriction(to: [0, 1, 2, 3]), try d4.orbitTower(stabilizer: [0]), harmonics,
      steerable, try steerable.prepared(), try steerable.explain(batch: 1, spatial: [40, 40]), PerAxis.each([2, 1]),
      Padding.same, Extents([3, 4]), try Tensor<Float>.zeros(shape: [40, 40]),
      try Signal<Float>.zeros(.plane, shape: [1, 1, 40]),
    ]
    for value in values {
      let text = String(describing: value)
      #expect(text.count < 320 && !text.contains("\n"), "\(text)")
      #expect(String(reflecting: value).count < 400)
    }
  }
}
