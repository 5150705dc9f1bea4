// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// A layer in groups of channels is the full layer whose weights are zero between channels of different groups, at 1/groups of
/// its cost. With a group for each channel it is a depthwise layer.
@Suite struct ChannelGroupsTests {
  private static let groups: [PointGroup] = [try! .cyclic(4), try! .dihedral(4), try! .cyclic(8)]

  /// Groups of one channel each, of several, and of other numbers of channels on both sides.
  private static func descriptors(_ layer: LayerKind, _ group: PointGroup) -> [(ConvolutionDescriptor, Int)] {
    [
      (
        ConvolutionDescriptor(
          kind: layer, group: group, inChannels: 5, outChannels: 5, spatial: [9, 11], kernel: [3, 3], padding: [1, 1],
          algorithm: .direct), 5
      ),
      (
        ConvolutionDescriptor(
          kind: layer, group: group, inChannels: 3, outChannels: 3, spatial: [7, 9], kernel: [3, 3], stride: [2, 2],
          padding: [2, 2], paddingMode: .circular, algorithm: .direct), 3
      ),
      (
        ConvolutionDescriptor(
          kind: layer, group: group, inChannels: 4, outChannels: 6, spatial: [7, 9], kernel: [3, 3], padding: [1, 1],
          paddingMode: .reflect, algorithm: .direct), 2
      ),
      (
        ConvolutionDescriptor(
          kind: layer, group: group, inChannels: 3, outChannels: 9, spatial: [5, 6], kernel: [2, 2], algorithm: .direct),
        3
      ),
    ]
  }

  /// Products with zero add nothing, so sums are equal number by number.
  @Test(arguments: LayerKind.allCases, groups)
  func layerInGroups_equalsTheFullLayerWithZerosBetweenThem(_ layer: LayerKind, _ group: PointGroup) throws {
    var random = SplitMix64(seed: 101)
    for (full, count) in Self.descriptors(layer, group) {
      var grouped = full
      grouped.layer.channelGroups = count
      let (fullPlan, plan) = try (ConvolutionPlan(full), ConvolutionPlan(grouped))
      #expect(plan.flops(batch: 3) * Double(count) == fullPlan.flops(batch: 3))
      #expect(plan.weightShape[1] * count == full.inChannels)
      let numbers = try plan.reals(Double.self, batch: 3, &random)
      let blocks = Blocks(full, groups: count, weights: numbers.weight.count)
      var spread = numbers
      spread.weight = blocks.spread(numbers.weight)
      for set in InstructionSet.available {
        #expect(
          try plan.forward(numbers, batch: 3, instructions: set)
            == fullPlan.forward(spread, batch: 3, instructions: set))
        #expect(
          try plan.inputGradient(numbers, batch: 3, instructions: set)
            == fullPlan.inputGradient(spread, batch: 3, instructions: set))
        // Lanes run along other channels, but blocks of pixels are summed in one order.
        let gradients = try zip(
          blocks.picked(fullPlan.weightGradient(spread, batch: 3, instructions: set)),
          plan.weightGradient(numbers, batch: 3, instructions: set))
        #expect(gradients.allSatisfy { abs($0 - $1) <= 1e-12 * (1 + abs($0)) })
      }
      #expect(try plan.biasGradient(numbers, batch: 3) == fullPlan.biasGradient(spread, batch: 3))
      #expect(try plan.expand(numbers.weight).count * count == fullPlan.expand(spread.weight).count)
    }
  }

  /// The weights (O, C / groups, …) in those of the full layer (O, C, …).
  private struct Blocks {
    private let places: [Int]
    private let total: Int

    init(_ full: ConvolutionDescriptor, groups: Int, weights: Int) {
      let (inputs, outputs) = (full.inChannels / groups, full.outChannels / groups)
      let size = weights / (full.outChannels * inputs)
      places = (0..<weights).map { index in
        let (output, channel) = (index / size / inputs, index / size % inputs)
        return (output * full.inChannels + output / outputs * inputs + channel) * size + index % size
      }
      total = weights * groups
    }

    func spread(_ weight: [Double]) -> [Double] {
      var spread = [Double](repeating: 0, count: total)
      for (place, number) in zip(places, weight) { spread[place] = number }
      return spread
    }

    func picked(_ weight: [Double]) -> [Double] { places.map { weight[$0] } }
  }

  @Test(arguments: groups)
  func layerInGroups_commutesWithLatticeElements_toTheLastBit(_ group: PointGroup) throws {
    for (count, outputs) in [(6, 6), (2, 4)] {
      var descriptor = ConvolutionDescriptor(
        kind: .group, group: group, inChannels: 6, outChannels: outputs, spatial: [9, 9], kernel: [5, 5],
        padding: [2, 2], groupBasis: .localized([0]))
      descriptor.layer.channelGroups = count
      #expect(try ConvolutionPlan(descriptor).weightShape == [outputs, 6 / count, 1, 5, 5])
      #expect(try Equivariance<Float>(descriptor, batch: 2, seed: 102).broken() == [])
    }
  }

  @Test func channelsThatAreNotInGroupsOfOneSize_areRefused() throws {
    var descriptor = ConvolutionDescriptor(
      kind: .group, group: try .cyclic(4), inChannels: 3, outChannels: 4, spatial: [9, 9], kernel: [3, 3])
    for (count, text) in [
      (3, "outChannels is 4, expected a multiple of 3, the groups of channels"),
      (2, "inChannels is 3, expected a multiple of 2, the groups of channels"),
      (0, "channelGroups is 0, expected a positive number"),
    ] {
      descriptor.layer.channelGroups = count
      let error = #expect(throws: ConvolutionError.self) { try ConvolutionPlan(descriptor) }
      #expect(error?.description == text)
    }
  }
}
