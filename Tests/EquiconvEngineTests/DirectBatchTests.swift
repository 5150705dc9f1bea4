// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// How the direct algorithm lays out a batch changes nothing: images side by side, planes that are read where they are.
@Suite struct DirectBatchTests {
  /// Small planes in a batch lie side by side, those of one image never do.
  @Test(arguments: InstructionSet.available)
  func direct_ofABatch_isThatOfEachImage_toTheLastBit(_ set: InstructionSet) throws {
    for layer in Self.smallPlanes {
      for kind in [LayerKind.lifting, .group, .projection] {
        let plan = try ConvolutionPlan(layer.descriptor(kind, layer.spatial.count == 3 ? .octahedral : .cyclic(4)))
        for (batch, threads) in [(2, 1), (5, 2), (16, 1), (19, 2)] {
          var options = RunOptions(method: .direct)
          (options.instructions, options.threads) = (set, threads)
          try checkImages(Float.self, plan, batch, options, "\(layer) \(kind)")
          if batch < 16 { try checkImages(Double.self, plan, batch, options, "\(layer) \(kind)") }
        }
      }
    }
  }

  private static let smallPlanes = [
    LayerCase([5, 5], kernel: [3, 3], padding: [1, 1], channels: (2, 3)),
    LayerCase([9, 9], kernel: [3, 3], stride: [2, 2], padding: [1, 1], channels: (3, 9)),
    LayerCase([7, 4], kernel: [3, 3], padding: [1, 1], mode: .circular, channels: (2, 3)),
    LayerCase([6, 6], kernel: [3, 3], stride: [3, 3], padding: [2, 2], dilation: [2, 2], channels: (2, 3)),
    LayerCase([8, 8], kernel: [1, 1], channels: (2, 8)),
    LayerCase([3, 3, 3], kernel: [3, 3, 3], padding: [1, 1, 1], channels: (1, 2)),
    LayerCase([3, 3], kernel: [3, 3], padding: [20, 20], channels: (1, 2)),
  ]

  private func checkImages<S: EngineScalar>(
    _: S.Type, _ plan: ConvolutionPlan, _ batch: Int, _ options: RunOptions, _ name: String
  ) throws {
    var random = SplitMix64(seed: 21)
    let numbers = try plan.reals(S.self, batch: batch, &random)
    let (output, gradient) = (
      try plan.guardedForward(numbers, batch: batch, options),
      try plan.guardedInputGradient(numbers, batch: batch, options)
    )
    for image in 0..<batch {
      func part(_ values: [S]) -> [S] {
        let count = values.count / batch
        return Array(values[image * count..<(image + 1) * count])
      }
      var one = numbers
      (one.input, one.gradient) = (part(numbers.input), part(numbers.gradient))
      #expect(
        firstDifferenceInBits(part(output), try plan.guardedForward(one, batch: 1, options)) == nil,
        "\(name), image \(image) of \(batch), \(S.self)")
      #expect(
        firstDifferenceInBits(part(gradient), try plan.guardedInputGradient(one, batch: 1, options)) == nil,
        "input gradient of \(name), image \(image) of \(batch), \(S.self)")
    }
  }

  private static let unpadded = [
    ([1, 1], 1), ([3, 5], 1), ([4, 16], 1), ([7, 17], 1), ([16, 16], 1), ([9, 23], 3), ([8, 2], 2),
  ]

  /// Layers that need no padding read the caller's array where it is, perhaps up to a page that may not be read.
  @Test(arguments: InstructionSet.available)
  func direct_readsNothingOutsideItsArrays(_ set: InstructionSet) throws {
    for (size, kernel) in Self.unpadded {
      for batch in [1, 3, 17] {
        let layer = LayerCase(size, kernel: [kernel, kernel], channels: (2, 3))
        let plan = try ConvolutionPlan(layer.descriptor(.group, .cyclic(4)))
        var random = SplitMix64(seed: 22)
        let numbers = try plan.reals(Float.self, batch: batch, &random)
        var options = RunOptions(method: .direct)
        options.instructions = set
        let output = try plan.guardedForward(numbers, batch: batch, options)
        let gradient = try plan.guardedInputGradient(numbers, batch: batch, options)
        for atEnd in [false, true] {
          let fenced = [
            numbers.input, numbers.weight, numbers.bias, output.map { _ in .nan }, numbers.gradient,
            gradient.map { _ in .nan },
          ].map { FencedArray($0, atEnd: atEnd) }
          let arrays = fenced.map { UnsafePointer($0.base) }
          try plan.forward(
            batch: batch, input: arrays[0], weight: arrays[1], bias: arrays[2], output: fenced[3].base,
            options: options)
          try plan.inputGradient(
            batch: batch, outputGradient: arrays[4], weight: arrays[1], inputGradient: fenced[5].base,
            options: options)
          #expect(firstDifferenceInBits(fenced[3].values, output) == nil, "\(layer), at end: \(atEnd)")
          #expect(firstDifferenceInBits(fenced[5].values, gradient) == nil, "\(layer), at end: \(atEnd)")
        }
      }
    }
  }
}
