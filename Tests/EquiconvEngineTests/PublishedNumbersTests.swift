// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Numbers published with GrouPy: x = arange(25) as 5×5, w = arange(9) as 3×3, valid convolution, no bias.
@Suite struct PublishedNumbersTests {
  private static let image = (0..<25).map(Float.init)

  /// GrouPy's elements of p4m, rotations first and then mirrors, in our order: 4 + k is our 4 + (2 − k) mod 4.
  private static let fromGrouPy = [0, 1, 2, 3, 6, 5, 4, 7]

  private func run(
    _ layer: LayerKind, _ group: PointGroup, _ size: Int, _ input: [Float], _ weight: [Float]
  ) throws -> [Float] {
    let plan = try ConvolutionPlan(LayerCase([size, size], kernel: [3]).descriptor(layer, group))
    return try plan.forward(LayerNumbers(input: input, weight: weight, bias: [0], gradient: []), batch: 1)
  }

  private func arange(_ count: Int) -> [Float] { (0..<count).map(Float.init) }

  @Test func liftingOfC4() throws {
    let published: [Float] = [
      312, 348, 384, 492, 528, 564, 672, 708, 744,
      204, 240, 276, 384, 420, 456, 564, 600, 636,
      120, 156, 192, 300, 336, 372, 480, 516, 552,
      228, 264, 300, 408, 444, 480, 588, 624, 660,
    ]
    #expect(try run(.lifting, .cyclic(4), 5, Self.image, arange(9)) == published)
  }

  @Test func groupConvolutionOfC4_andOfTheTurnedImage() throws {
    let c4 = try PointGroup.cyclic(4)
    let lifted = try run(.lifting, c4, 5, Self.image, arange(9))
    let published: [Float] = [272_376, 287_928, 271_944, 256_392]
    #expect(try run(.group, c4, 3, lifted, arange(36)) == published)
    let turnedImage = try act(c4, 1, on: .plane, batch: 1, channels: 1, spatial: [5, 5], Self.image)
    let turnedLifted = try run(.lifting, c4, 5, turnedImage, arange(9))
    let publishedTurned: [Float] = [256_392, 272_376, 287_928, 271_944]
    #expect(try run(.group, c4, 3, turnedLifted, arange(36)) == publishedTurned)
  }

  @Test func liftingOfD4() throws {
    let lifted = try run(.lifting, .dihedral(4), 5, Self.image, arange(9))
    let centers: [Float] = [528, 420, 336, 444, 516, 480, 348, 384]
    let corners: [Float] = [312, 204, 120, 228, 132, 264, 300, 168]
    for h in 0..<8 {
      #expect(lifted[h * 9 + 4] == centers[h])
      #expect(lifted[Self.fromGrouPy[h] * 9] == corners[h])
    }
  }

  @Test func groupConvolutionOfD4() throws {
    let d4 = try PointGroup.dihedral(4)
    let lifted = try run(.lifting, d4, 5, Self.image, arange(9))
    // w3 = arange(72) as (1, 1, 8, 3, 3), its planes in GrouPy's order.
    var weight = [Float](repeating: .nan, count: 72)
    for theirs in 0..<8 {
      for tap in 0..<9 { weight[Self.fromGrouPy[theirs] * 9 + tap] = Float(theirs * 9 + tap) }
    }
    let output = try run(.group, d4, 3, lifted, weight)
    let published: [Float] = [1_124_064, 1_139_616, 1_084_320, 1_068_768, 1_072_224, 1_079_136, 1_136_160, 1_129_248]
    for h in 0..<8 { #expect(output[Self.fromGrouPy[h]] == published[h]) }
  }

  /// GrouPy's flat index maps of a turned 3×3 and 2×2 kernel: tap u of kernel r reads the tap listed here.
  @Test func turnedKernelsOfC4() throws {
    func bank(_ k: Int) throws -> [Float] {
      try ConvolutionPlan(LayerCase([5, 5], kernel: [k]).descriptor(.lifting, .cyclic(4))).expand(arange(k * k))
    }
    let ofSize3: [Float] = [
      0, 1, 2, 3, 4, 5, 6, 7, 8, 2, 5, 8, 1, 4, 7, 0, 3, 6, 8, 7, 6, 5, 4, 3, 2, 1, 0, 6, 3, 0, 7, 4, 1, 8, 5, 2,
    ]
    let ofSize2: [Float] = [0, 1, 2, 3, 1, 3, 0, 2, 3, 2, 1, 0, 2, 0, 3, 1]
    #expect(try bank(3) == ofSize3)
    #expect(try bank(2) == ofSize2)
  }
}
