// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// A depthwise layer is the full layer whose weights are zero between different channels, at 1/C of its cost.
@Suite struct DepthwiseTests {
  private static let groups: [PointGroup] = [try! .cyclic(4), try! .dihedral(4), try! .cyclic(8)]

  private static func descriptors(_ layer: LayerKind, _ group: PointGroup) -> [ConvolutionDescriptor] {
    [
      ConvolutionDescriptor(
        kind: layer, group: group, inChannels: 5, outChannels: 5, spatial: [9, 11], kernel: [3, 3], padding: [1, 1],
        algorithm: .direct),
      ConvolutionDescriptor(
        kind: layer, group: group, inChannels: 3, outChannels: 3, spatial: [7, 9], kernel: [3, 3], stride: [2, 2],
        padding: [2, 2], paddingMode: .circular, algorithm: .direct),
    ]
  }

  /// Products with zero add nothing, so sums are equal number by number.
  @Test(arguments: LayerKind.allCases, groups)
  func depthwiseLayer_equalsTheFullLayerWithDiagonalWeights(_ layer: LayerKind, _ group: PointGroup) throws {
    var random = SplitMix64(seed: 101)
    for full in Self.descriptors(layer, group) {
      var depthwise = full
      depthwise.layer.isDepthwise = true
      let (fullPlan, plan) = try (ConvolutionPlan(full), ConvolutionPlan(depthwise))
      #expect(plan.flops(batch: 3) * Double(full.inChannels) == fullPlan.flops(batch: 3))
      let numbers = try plan.reals(Double.self, batch: 3, &random)
      var spread = numbers
      spread.weight = Self.diagonal(numbers.weight, channels: full.inChannels)
      for set in InstructionSet.available {
        #expect(
          try plan.forward(numbers, batch: 3, instructions: set)
            == fullPlan.forward(spread, batch: 3, instructions: set))
        #expect(
          try plan.inputGradient(numbers, batch: 3, instructions: set)
            == fullPlan.inputGradient(spread, batch: 3, instructions: set))
        try expectDiagonal(
          of: fullPlan.weightGradient(spread, batch: 3, instructions: set), channels: full.inChannels,
          is: plan.weightGradient(numbers, batch: 3, instructions: set))
      }
      #expect(try plan.biasGradient(numbers, batch: 3) == fullPlan.biasGradient(spread, batch: 3))
      #expect(try plan.expand(numbers.weight).count * full.inChannels == fullPlan.expand(spread.weight).count)
    }
  }

  /// (C, 1, …) to (C, C, …).
  private static func diagonal(_ weight: [Double], channels: Int) -> [Double] {
    let size = weight.count / channels
    var spread = [Double](repeating: 0, count: weight.count * channels)
    for channel in 0..<channels {
      let first = (channel * channels + channel) * size
      spread.replaceSubrange(first..<first + size, with: weight[channel * size..<(channel + 1) * size])
    }
    return spread
  }

  /// Lanes run along other channels, but blocks of pixels are summed in one order.
  private func expectDiagonal(of full: [Double], channels: Int, is gradient: [Double]) {
    let size = gradient.count / channels
    for channel in 0..<channels {
      let first = (channel * channels + channel) * size
      let same = zip(full[first..<first + size], gradient[channel * size..<(channel + 1) * size])
      #expect(same.allSatisfy { abs($0 - $1) <= 1e-12 * (1 + abs($0)) })
    }
  }

  @Test(arguments: groups)
  func depthwiseLayer_commutesWithLatticeElements_toTheLastBit(_ group: PointGroup) throws {
    var descriptor = ConvolutionDescriptor(
      kind: .group, group: group, inChannels: 5, outChannels: 5, spatial: [9, 9], kernel: [5, 5], padding: [2, 2],
      groupBasis: .localized([0]))
    descriptor.layer.isDepthwise = true
    #expect(try ConvolutionPlan(descriptor).weightShape == [5, 1, 1, 5, 5])
    #expect(try Equivariance<Float>(descriptor, batch: 2, seed: 102).broken() == [])
  }

  @Test func channelsThatDoNotMatch_areRefused() throws {
    var descriptor = ConvolutionDescriptor(
      kind: .group, group: try .cyclic(4), inChannels: 3, outChannels: 4, spatial: [9, 9], kernel: [3, 3])
    descriptor.layer.isDepthwise = true
    let error = #expect(throws: ConvolutionError.self) { try ConvolutionPlan(descriptor) }
    #expect(error?.description == "outChannels is 4, expected 3, the number of input channels, for a depthwise layer")
  }
}
