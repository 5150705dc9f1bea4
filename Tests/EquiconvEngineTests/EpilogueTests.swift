// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// A function that passes apply to what they have just stored has the bits of one that is applied afterwards.
@Suite struct EpilogueTests {
  /// A function whose repetition shows: of a negative number it is another each time.
  private static let function = Pointwise.elu(alpha: 0.7)

  private static let planes = [
    LayerCase([6, 7], kernel: [3], padding: [1], batch: 3, channels: (3, 5)),
    LayerCase([20, 33], kernel: [3], padding: [1], batch: 2, channels: (2, 9)),
    LayerCase([5, 60], kernel: [3], padding: [1], channels: (5, 3)),
    LayerCase([64, 16], kernel: [3], padding: [1], batch: 2, channels: (3, 3)),
    LayerCase([37, 50], kernel: [3], padding: [1], batch: 2, channels: (40, 9)),
    LayerCase([9, 35], kernel: [3], padding: [1], mode: .circular, batch: 2, channels: (2, 3)),
    LayerCase([3, 3], kernel: [3], padding: [1], batch: 17, channels: (2, 3)),
  ]
  private static let strided = [
    LayerCase([9, 70], kernel: [3], stride: [2], padding: [1], batch: 2, channels: (2, 9)),
    LayerCase([10, 7], kernel: [4], stride: [3], batch: 3, channels: (3, 2)),
    LayerCase([40, 40], kernel: [3], stride: [2], padding: [1], mode: .circular, batch: 2, channels: (2, 3)),
    LayerCase([8, 8], kernel: [2], stride: [2], batch: 9, channels: (5, 3)),
    LayerCase([7, 7], kernel: [1], stride: [3], channels: (5, 5)),
  ]
  private static let others = [
    LayerCase([11, 13], kernel: [3], padding: [9], dilation: [8], batch: 2, channels: (2, 3)),
    LayerCase([30, 31], kernel: [1], batch: 2, channels: (3, 5)),
    LayerCase([64, 64], kernel: [1], batch: 2, channels: (3, 5)),
    LayerCase([1, 1], kernel: [3], padding: [1], batch: 5, channels: (3, 5)),
    LayerCase([2, 3], kernel: [3], padding: [5], mode: .circular),
    LayerCase([2, 3], kernel: [3], padding: [5], mode: .reflect, batch: 2, channels: (2, 3)),
    LayerCase([9, 35], kernel: [3], stride: [2], padding: [1], mode: .replicate, batch: 2, channels: (2, 3)),
  ]

  private static let groups = [try! PointGroup.cyclic(4), try! .dihedral(4), try! .cyclic(8)]

  @Test(arguments: groups, InstructionSet.available)
  func direct_withAFunction_hasTheBitsOfTheFunctionAfterwards(_ group: PointGroup, _ set: InstructionSet) throws {
    for sizes in Self.planes + Self.strided + Self.others {
      for kind in LayerKind.allCases { try check(Float.self, sizes.descriptor(kind, group), sizes.batch, .direct, set) }
      try check(Double.self, sizes.descriptor(.group, group), sizes.batch, .direct, set)
    }
  }

  @Test(arguments: InstructionSet.available)
  func direct_inOneAndThreeDimensions_hasTheBitsOfTheFunctionAfterwards(_ set: InstructionSet) throws {
    for (group, sizes) in [
      (PointGroup.reflection, LayerCase([900], kernel: [3], padding: [1], batch: 2, channels: (2, 3))),
      (.reflection, LayerCase([37], kernel: [4], stride: [2], padding: [1], channels: (3, 3))),
      (.octahedral, LayerCase([4, 3, 18], kernel: [3], padding: [1], channels: (1, 3))),
      (.octahedral, LayerCase([5, 5, 7], kernel: [3], stride: [2], padding: [1], batch: 2)),
    ] {
      try check(Float.self, sizes.descriptor(.group, group), sizes.batch, .direct, set)
    }
  }

  @Test(arguments: groups, InstructionSet.available)
  func winograd_withAFunction_hasTheBitsOfTheFunctionAfterwards(_ group: PointGroup, _ set: InstructionSet) throws {
    for sizes in Self.planes {
      for kind in LayerKind.allCases {
        for tile in [4, 2] {
          try check(Float.self, sizes.descriptor(kind, group), sizes.batch, .winograd(outputs: tile), set)
        }
      }
    }
  }

  @Test(arguments: groups, InstructionSet.available)
  func fourier_withAFunction_hasTheBitsOfTheFunctionAfterwards(_ group: PointGroup, _ set: InstructionSet) throws {
    for sizes in Self.planes {
      for length in [8, 16] {
        try check(Float.self, sizes.descriptor(.group, group), sizes.batch, .fourier(length: length), set)
        if group.latticeSubgroup.count == group.order {
          try check(
            Float.self, sizes.descriptor(.group, group), sizes.batch, .fourier(length: length, isTurned: true), set)
        }
      }
    }
    try check(Double.self, Self.planes[1].descriptor(.lifting, group), 2, .fourier(length: 8), set)
  }

  @Test(arguments: groups, InstructionSet.available)
  func groupFourier_withAFunction_hasTheBitsOfTheFunctionAfterwards(_ group: PointGroup, _ set: InstructionSet) throws {
    for sizes in Self.planes + Self.strided {
      for kind in [LayerKind.lifting, .group] {
        try check(Float.self, sizes.descriptor(kind, group), sizes.batch, .groupFourier, set)
      }
      try check(Double.self, sizes.descriptor(.group, group), sizes.batch, .groupFourier, set)
    }
  }

  @Test func depthwiseLayer_withAFunction_hasTheBitsOfTheFunctionAfterwards() throws {
    for stride in [1, 2] {
      let layer = Layer(
        from: .group, to: .group, group: try .cyclic(4), stride: Extents(repeating: stride, count: 2), padding: [1, 1],
        algorithm: .direct, channelGroups: 3)
      let descriptor = ConvolutionDescriptor(
        layer: layer, inChannels: 3, outChannels: 3, spatial: [9, 35], kernel: [3, 3])
      try check(Float.self, descriptor, 2, .direct, .current)
    }
  }

  /// `transposed(g, w) + b` is the input gradient with a number added for each channel: exactly, on whole numbers.
  @Test(arguments: groups)
  func transposedLayer_isTheInputGradientAndABias(_ group: PointGroup) throws {
    for sizes in Self.planes + Self.strided + Self.others {
      let plan = try ConvolutionPlan(sizes.descriptor(.lifting, group.order == 8 ? .cyclic(4) : group))
      try checkBias(plan, sizes.batch, [.direct, .groupFourier])
    }
    let layer = Layer(
      from: .plane, to: .group, group: try .cyclic(4), stride: [2, 2], padding: [1, 1], algorithm: .direct,
      channelGroups: 3)
    let descriptor = ConvolutionDescriptor(
      layer: layer, inChannels: 3, outChannels: 3, spatial: [9, 35], kernel: [3, 3])
    try checkBias(ConvolutionPlan(descriptor), 2, [.direct])
  }

  private func checkBias(_ plan: ConvolutionPlan, _ batch: Int, _ methods: [Method]) throws {
    var random = SplitMix64(seed: 502)
    let numbers = try plan.integers(Float.self, batch: batch, &random)
    let channels = plan.descriptor.inChannels
    let bias: [Float] = random.integers(channels, bound: 40)
    for method in methods {
      let options = RunOptions(method: method)
      let plain = try plan.guardedInputGradient(numbers, batch: batch, options)
      let size = plain.count / batch / channels
      let expected = plain.indices.map { plain[$0] + bias[$0 / size % channels] }
      let found = try transposed(plan, numbers, batch, bias: bias, nil, options)
      #expect(firstDifference(found, expected) == nil, "\(method) \(plan.descriptor)")
    }
  }

  // MARK: - Prepared weights

  @Test func preparedWeights_giveTheSameBits_onAnyThreads() throws {
    let descriptor = ConvolutionDescriptor(
      layer: Layer(from: .group, to: .group, group: try .dihedral(4), padding: [1, 1]), inChannels: 8, outChannels: 8,
      spatial: [40, 41], kernel: [3, 3])
    let plan = try ConvolutionPlan(descriptor)
    var random = SplitMix64(seed: 503)
    let numbers = try plan.reals(Float.self, batch: 2, &random)
    let weight = try numbers.weight.withPointer { try PreparedWeight(copying: $0, count: numbers.weight.count) }
    var results: [[Float]] = []
    for threads in [1, 2, 3] {
      var (output, input) = (numbers.gradient.map { _ in Float.nan }, numbers.input.map { _ in Float.nan })
      try output.withMutablePointer {
        try plan.forward(
          batch: 2, input: numbers.input, weight: weight, bias: numbers.bias, pointwise: .silu, output: $0,
          threads: threads)
      }
      try input.withMutablePointer {
        try plan.transposed(
          batch: 2, input: numbers.gradient, weight: weight, bias: numbers.bias, pointwise: .silu, output: $0,
          threads: threads)
      }
      results.append(output + input)
    }
    #expect(firstDifferenceInBits(results[0], results[1]) == nil)
    #expect(firstDifferenceInBits(results[0], results[2]) == nil)
    #expect(results[0].allSatisfy { !$0.isNaN })
    var output = numbers.gradient
    output.withMutablePointer { output in
      _ = #expect(throws: ConvolutionError.self) {
        try plan.forward(
          batch: 2, input: numbers.input, weight: weight, bias: nil, pointwise: nil, output: output, threads: 0)
      }
    }
    let short = try numbers.weight.withPointer { try PreparedWeight(copying: $0, count: 3) }
    output.withMutablePointer { output in
      _ = #expect(throws: ConvolutionError.self) {
        try plan.transposed(
          batch: 1, input: numbers.gradient, weight: short, bias: nil, pointwise: nil, output: output)
      }
    }
  }

  // MARK: - Checks

  private func check<S: EngineScalar>(
    _: S.Type, _ descriptor: ConvolutionDescriptor, _ batch: Int, _ method: Method, _ set: InstructionSet
  ) throws {
    let plan = try ConvolutionPlan(descriptor)
    var random = SplitMix64(seed: 501)
    let numbers = try plan.reals(S.self, batch: batch, &random)
    let bias: [S] = random.reals(descriptor.inChannels)
    for (threads, limit) in [(1, nil), (2, 60_000 as Int?)] {
      let options = RunOptions(instructions: set, method: method, threads: threads, workspaceLimit: limit)
      let forward = try forward(plan, numbers, batch, nil, options)
      #expect(
        try firstDifferenceInBits(self.forward(plan, numbers, batch, Self.function, options), applied(forward, set))
          == nil, "forward \(S.self) \(method) \(threads) threads \(descriptor)")
      let transposed = try transposed(plan, numbers, batch, bias: bias, nil, options)
      #expect(
        try firstDifferenceInBits(
          self.transposed(plan, numbers, batch, bias: bias, Self.function, options), applied(transposed, set)) == nil,
        "transposed \(S.self) \(method) \(threads) threads \(descriptor)")
    }
  }

  private func applied<S: EngineScalar>(_ values: [S], _ set: InstructionSet) throws -> [S] {
    #expect(values.allSatisfy { !$0.isNaN })
    var values = values
    let count = values.count
    try values.withMutablePointer {
      try Self.function.apply(UnsafePointer($0), to: $0, count: count, instructions: set, threads: 1)
    }
    return values
  }

  private func forward<S: EngineScalar>(
    _ plan: ConvolutionPlan, _ n: LayerNumbers<S>, _ batch: Int, _ function: Pointwise?, _ options: RunOptions
  ) throws -> [S] {
    var output = Guarded<S>(n.gradient.count)
    try output.values.withMutablePointer {
      try plan.forward(
        batch: batch, input: n.input, weight: n.weight, bias: n.bias, pointwise: function, output: $0,
        options: options)
    }
    #expect(output.isIntact)
    return Array(output.values.prefix(output.count))
  }

  private func transposed<S: EngineScalar>(
    _ plan: ConvolutionPlan, _ n: LayerNumbers<S>, _ batch: Int, bias: [S], _ function: Pointwise?,
    _ options: RunOptions
  ) throws -> [S] {
    var output = Guarded<S>(n.input.count)
    try output.values.withMutablePointer {
      try plan.transposed(
        batch: batch, input: n.gradient, weight: n.weight, bias: bias, pointwise: function, output: $0,
        options: options)
    }
    #expect(output.isIntact)
    return Array(output.values.prefix(output.count))
  }
}
