// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// What makes a layer a convolution: linear, the same everywhere, and determined by its response to an impulse.
@Suite struct LinearityTests {
  private static let periodic: [LayerCase] = [
    LayerCase([19], kernel: [5], padding: [Layer.same], mode: .circular, batch: 2, channels: (2, 3)),
    LayerCase([7, 20], kernel: [3], padding: [2], dilation: [2], mode: .circular, batch: 2, channels: (3, 9)),
    LayerCase([4, 3, 5], kernel: [3], padding: [1], mode: .circular),
    LayerCase([19], kernel: [5], padding: [7], mode: .replicate, batch: 2, channels: (2, 3)),
    LayerCase([7, 20], kernel: [3], padding: [2], dilation: [2], mode: .reflect, batch: 2, channels: (3, 9)),
    LayerCase([4, 3, 5], kernel: [3], padding: [1], mode: .reflect),
  ]

  /// `layer(T_s f) = T_s layer(f)` to the last bit for every shift of a periodic signal.
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func periodicLayer_commutesWithTranslation_toTheLastBit(_ layer: LayerKind, _ group: PointGroup) throws {
    let sizes = Self.periodic[group.dimension - 1]
    let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
    #expect(plan.outputSpatial == plan.descriptor.spatial)
    var random = SplitMix64(seed: 71)
    let numbers = try plan.reals(Float.self, batch: sizes.batch, &random)
    let output = try plan.forward(numbers, batch: sizes.batch)
    for shift in [[1, 1, 1], [0, 0, 2], [3, 2, 17]] {
      let along = Array(shift.suffix(group.dimension))
      var shifted = numbers
      shifted.input = translated(numbers.input, by: along, sizes.spatial)
      let outputShifted = translated(output, by: along, sizes.spatial)
      #expect(
        try firstDifferenceInBits(plan.forward(shifted, batch: sizes.batch), outputShifted) == nil, "\(along)")
    }
  }

  /// Each plane moved by `shift` on a torus.
  private func translated(_ signal: [Float], by shift: [Int], _ spatial: [Int]) -> [Float] {
    let volume = spatial.reduce(1, *)
    return signal.indices.map { index in
      var (rest, source, step) = (index % volume, 0, 1)
      for axis in spatial.indices.reversed() {
        source += (rest % spatial[axis] - shift[axis] % spatial[axis] + spatial[axis]) % spatial[axis] * step
        step *= spatial[axis]
        rest /= spatial[axis]
      }
      return signal[index / volume * volume + source]
    }
  }

  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func layer_isLinear_exactlyOnWholeNumbers(_ layer: LayerKind, _ group: PointGroup) throws {
    for sizes in LayerCase.all(for: group).prefix(12) where sizes.batch > 0 {
      let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
      var random = SplitMix64(seed: 72)
      let a = try plan.integers(Double.self, batch: sizes.batch, &random)
      var b = a
      b.input = random.integers(a.input.count)
      var sum = a
      sum.input = zip(a.input, b.input).map { 3 * $0 - 2 * $1 }
      let outputs = try [a, b, sum].map { try plan.forward($0, batch: sizes.batch, hasBias: false) }
      let expected = zip(outputs[0], outputs[1]).map { 3 * $0 - 2 * $1 }
      #expect(firstDifference(outputs[2], expected) == nil, "\(sizes)")
    }
  }

  /// A lifted impulse shows the kernel turned by h, and reflected through its center, since a layer correlates.
  @Test func impulse_isAnsweredByTheTurnedKernels() throws {
    let cases: [(PointGroup, [Int])] = [
      (.reflection, [3]), (try .cyclic(4), [3, 3]), (try .dihedral(4), [4, 4]), (try .dihedral(2), [3, 5]),
      (.octahedral, [3, 3, 3]), (.fullOctahedral, [2, 2, 2]),
    ]
    for (group, kernel) in cases {
      // The output is as large as the kernel, and all of it reads the impulse in the middle.
      let sizes = LayerCase(kernel.map { 2 * $0 - 1 }, kernel: kernel)
      let plan = try ConvolutionPlan(sizes.descriptor(.lifting, group))
      var random = SplitMix64(seed: 73)
      var numbers = try plan.reals(Float.self, batch: 1, &random)
      numbers.input = numbers.input.map { _ in 0 }
      numbers.input[numbers.input.count / 2] = 1
      numbers.bias = [0]
      let output = try plan.forward(numbers, batch: 1)
      let taps = kernel.reduce(1, *)
      for h in 0..<group.order {
        let turnedKernel = naiveAct(group, h, on: .plane, spatial: Extents(kernel), numbers.weight)
        let answer = Array(output[h * taps..<(h + 1) * taps])
        #expect(firstDifference(answer, turnedKernel.reversed()) == nil, "\(group) \(h)")
      }
    }
  }

  /// With H = {e} all four layers are the ordinary correlation of any deep-learning library.
  @Test(arguments: 1...3)
  func layersOfTheTrivialGroup_areOrdinaryCorrelation(_ dimension: Int) throws {
    let group = try PointGroup.trivial(dimension)
    for sizes in LayerCase.all(for: group) {
      var results: [[Double]] = []
      for layer in LayerKind.allCases {
        let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
        var random = SplitMix64(seed: 74)
        let numbers = try plan.reals(Double.self, batch: sizes.batch, &random)
        results.append(try plan.forward(numbers, batch: sizes.batch))
        guard layer == .lifting else { continue }
        let whole = try plan.integers(Double.self, batch: sizes.batch, &random)
        let correlation = Reference.correlate(
          plan.descriptor, batch: sizes.batch, input: whole.input, channels: sizes.inChannels, bank: whole.weight,
          bias: whole.bias)
        #expect(try firstDifference(plan.forward(whole, batch: sizes.batch), correlation) == nil, "\(sizes)")
      }
      for result in results.dropFirst() { #expect(firstDifferenceInBits(result, results[0]) == nil, "\(sizes)") }
    }
  }

  /// Numbers beyond the signal are zeros or the signal's own other side, never what lies next to it in memory.
  @Test func channelsAndImages_doNotMix() throws {
    for mode in PaddingMode.allCases {
      let sizes = LayerCase([5, 6], kernel: [3], padding: [2], mode: mode, batch: 3, channels: (3, 2))
      let plan = try ConvolutionPlan(sizes.descriptor(.group, .cyclic(4)))
      var random = SplitMix64(seed: 75)
      let numbers = try plan.reals(Float.self, batch: 3, &random)
      let output = try plan.forward(numbers, batch: 3)
      let (inputSize, outputSize) = (numbers.input.count / 3, output.count / 3)
      for image in 0..<3 {
        var alone = numbers
        alone.input = Array(numbers.input[image * inputSize..<(image + 1) * inputSize])
        let part = Array(output[image * outputSize..<(image + 1) * outputSize])
        #expect(try firstDifferenceInBits(plan.forward(alone, batch: 1), part) == nil)
      }
    }
  }
}
