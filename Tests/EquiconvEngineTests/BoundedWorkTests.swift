// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Work and memory follow what outputs read, not how far kernels reach or how wide the padding is.
@Suite struct BoundedWorkTests {
  /// Sizes of which most reads meet nothing but zeros: of the forward pass, or of the input gradient.
  private static let farReaching: [[LayerCase]] = [
    [
      LayerCase([3], kernel: [9], padding: [40], channels: (2, 3)),
      LayerCase([70], kernel: [65], batch: 2, channels: (3, 2)),
      LayerCase([41], kernel: [41], channels: (1, 9)),
      LayerCase([2], kernel: [5], stride: [3], padding: [50], dilation: [2], channels: (1, 2)),
      LayerCase([5], kernel: [3], padding: [300], dilation: [300], mode: .circular, channels: (2, 1)),
      LayerCase([4], kernel: [3], stride: [2], padding: [90], dilation: [90], mode: .circular, batch: 2),
    ],
    [
      LayerCase([2, 2], kernel: [3], padding: [25], channels: (2, 2)),
      LayerCase([17, 17], kernel: [17], channels: (2, 3)),
      LayerCase([20, 21], kernel: [17], batch: 2, channels: (1, 2)),
      LayerCase([21, 21], kernel: [17], stride: [4], channels: (2, 1)),
      LayerCase([1, 1], kernel: [3], padding: [64], dilation: [64]),
      LayerCase([4, 4], kernel: [3], padding: [60], dilation: [60], mode: .circular, channels: (2, 1)),
    ],
    [
      LayerCase([9, 9, 9], kernel: [9]),
      LayerCase([10, 11, 10], kernel: [9], channels: (1, 2)),
      LayerCase([1, 1, 1], kernel: [3], padding: [8]),
      LayerCase([2, 2, 2], kernel: [3], padding: [20], dilation: [20], mode: .circular),
    ],
  ]

  private static func cases(_ group: PointGroup) -> [LayerCase] {
    let all = farReaching[group.dimension - 1].filter { !$0.isTornApart(by: group) }
    return group.order > 8 ? Array(all.suffix(2)) : all
  }

  private static func groups() throws -> [PointGroup] {
    [.reflection, try .cyclic(4), try .dihedral(4), .octahedral, try .trivial(2)]
  }

  // MARK: - Values

  @Test(arguments: LayerKind.allCases)
  func farReachingLayer_equalsItsDefinition_andItsGradientsAreAdjoint(_ layer: LayerKind) throws {
    var random = SplitMix64(seed: 91)
    for group in try Self.groups() {
      for sizes in Self.cases(group) {
        let descriptor = sizes.descriptor(layer, group)
        let plan = try ConvolutionPlan(descriptor)
        let numbers = try plan.integers(Double.self, batch: sizes.batch, &random)
        let expected = Reference.forward(
          descriptor, batch: sizes.batch, input: numbers.input, weight: numbers.weight, bias: numbers.bias)
        for set in InstructionSet.available {
          let comment = "\(layer) \(group.name) \(sizes) \(set)"
          let output = try plan.forward(numbers, batch: sizes.batch, instructions: set)
          #expect(firstDifference(output, expected) == nil, "\(comment)")
          try checkAdjoints(plan, numbers, sizes.batch, set, comment)
          try checkAdjoints(plan, Numbers.rounded(numbers), sizes.batch, set, "\(comment) Float")
        }
      }
    }
  }

  private func checkAdjoints<S: EngineScalar>(
    _ plan: ConvolutionPlan, _ numbers: LayerNumbers<S>, _ batch: Int, _ set: InstructionSet, _ comment: String
  ) throws {
    let linear = inner(
      try plan.forward(numbers, batch: batch, instructions: set, hasBias: false), numbers.gradient)
    for threads in [1, 3] {
      let byInput = inner(
        numbers.input, try plan.inputGradient(numbers, batch: batch, instructions: set, threads: threads))
      #expect(linear == byInput, "input, \(comment)")
      let byWeight = inner(
        numbers.weight, try plan.weightGradient(numbers, batch: batch, instructions: set, threads: threads))
      #expect(linear == byWeight, "weight, \(comment)")
    }
  }

  @Test(arguments: LayerKind.allCases)
  func farReachingLayer_commutesWithEveryElement_toTheLastBit(_ layer: LayerKind) throws {
    for group in try Self.groups() {
      for sizes in Self.cases(group) {
        let descriptor = sizes.descriptor(layer, group)
        guard try ConvolutionPlan(descriptor).strideRemainder.values.allSatisfy({ $0 == 0 }) else { continue }
        let diagram = try Equivariance<Float>(descriptor, batch: sizes.batch, seed: 92)
        #expect(try diagram.broken() == [], "\(layer) \(group.name) \(sizes)")
        if layer.readsGroup && sizes.mode == .zeros {
          #expect(try diagram.brokenByInputGradient() == [], "\(layer) \(group.name) \(sizes)")
        }
      }
    }
  }

  /// Neither threads nor what else is in the batch change a bit, weight gradients included.
  @Test(arguments: LayerKind.allCases)
  func farReachingLayer_doesNotDependOnThreads(_ layer: LayerKind) throws {
    let sizes = LayerCase([17, 17], kernel: [17], padding: [3], batch: 3, channels: (3, 9))
    let plan = try ConvolutionPlan(sizes.descriptor(layer, .cyclic(4)))
    var random = SplitMix64(seed: 93)
    let numbers = try plan.reals(Float.self, batch: 3, &random)
    #expect(try plan.leavesOutReads(.inputGradient))
    for threads in 2...4 {
      #expect(
        try haveSameBits(
          plan.inputGradient(numbers, batch: 3, threads: 1), plan.inputGradient(numbers, batch: 3, threads: threads)))
      #expect(
        try haveSameBits(
          plan.weightGradient(numbers, batch: 3, threads: 1), plan.weightGradient(numbers, batch: 3, threads: threads)))
    }
  }

  /// A weight that is not finite makes NaN of every zero that it multiplies, whether or not it is multiplied.
  @Test(arguments: LayerKind.allCases, [Float.infinity, .nan])
  func weightsThatAreNotFinite_makeNaNOfPadding(_ layer: LayerKind, _ value: Float) throws {
    let group = try PointGroup.cyclic(4)
    // One output, and a gradient of the same reads on a plane so wide that nothing is left out.
    let sizes = LayerCase([17, 17], kernel: [17], channels: (2, 3))
    let wide = LayerCase([49, 49], kernel: [17], channels: (2, 3))
    let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
    let widePlan = try ConvolutionPlan(wide.descriptor(layer, group))
    var random = SplitMix64(seed: 94)
    var numbers = try plan.reals(Float.self, batch: 1, &random)
    numbers.weight[5] = value
    // The one gradient amid zeros, 16 places from each edge of the 33 × 33 outputs.
    var wideNumbers = numbers
    wideNumbers.gradient = [Float](repeating: 0, count: numbers.gradient.count * 33 * 33)
    for (plane, number) in numbers.gradient.enumerated() {
      wideNumbers.gradient[(plane * 33 + 16) * 33 + 16] = number
    }
    #expect(try plan.leavesOutReads(.inputGradient) && !widePlan.leavesOutReads(.inputGradient))
    let gradient = try plan.inputGradient(numbers, batch: 1)
    let wideGradient = try widePlan.inputGradient(wideNumbers, batch: 1)
    var middle: [Float] = []
    for plane in 0..<gradient.count / (17 * 17) {
      for row in 0..<17 {
        let first = (plane * 49 + 16 + row) * 49 + 16
        middle += wideGradient[first..<first + 17]
      }
    }
    #expect(gradient.map(\.isNaN) == middle.map(\.isNaN))
    #expect(zip(gradient, middle).allSatisfy { $0 == $1 || $0.isNaN })
    #expect(gradient.contains { $0.isNaN } && gradient.contains { $0.isFinite })
  }

  // MARK: - Work

  /// Vectors times reads of an input gradient are no more than four times those of the forward pass, whose every read is of
  /// the signal.
  @Test func inputGradientOfAValidLayer_costsLittleMoreThanItsForwardPass() throws {
    let scalings = try PointGroup.scaling(dimension: 3, factors: [1, 2, 4])
    let cases: [(LayerCase, PointGroup, LayerKind)] = [
      (LayerCase([63, 63], kernel: [63]), try .dihedral(4), .lifting),
      (LayerCase([63, 63], kernel: [63]), try .trivial(2), .lifting),
      (LayerCase([70, 70], kernel: [63]), try .cyclic(4), .lifting),
      (LayerCase([126, 126], kernel: [63]), try .trivial(2), .lifting),
      (LayerCase([67, 67], kernel: [63], stride: [4]), try .trivial(2), .lifting),
      (LayerCase([2001], kernel: [2001]), .reflection, .lifting),
      (LayerCase([15, 15, 15], kernel: [15]), .octahedral, .lifting),
      (LayerCase([20, 20, 20], kernel: [15]), try .trivial(3), .lifting),
      (LayerCase([5, 5, 5], kernel: [5]), scalings, .group),
      (LayerCase([8, 8, 8], kernel: [5]), scalings, .group),
    ]
    for (sizes, group, layer) in cases {
      let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
      for lanes in [4, 8, 16] {
        let (forward, gradient) = (
          try plan.directWork(.forward, lanes: lanes), try plan.directWork(.inputGradient, lanes: lanes)
        )
        #expect(gradient <= 4 * forward, "\(layer) \(group.name) \(sizes), \(lanes) lanes: \(gradient) of \(forward)")
      }
    }
  }

  /// Outputs that read nothing but padding cost no multiply-adds.
  @Test func widePadding_isNotMultiplied() throws {
    let plan = try ConvolutionPlan(LayerCase([1, 1], kernel: [3], padding: [500]).descriptor(.lifting, .trivial(2)))
    #expect(try plan.directWork(.forward, lanes: 8) <= 9 * 9)
    #expect(try plan.directWork(.inputGradient, lanes: 8) <= 9 * 9)
  }

  @Test func everydayLayers_areNotSplit() throws {
    for (kernel, size) in [(3, 4), (3, 7), (3, 64), (5, 7), (5, 32), (7, 14), (7, 56)] {
      for stride in [1, 2] {
        let same = Layer.same
        let plan = try ConvolutionPlan(
          LayerCase([size, size], kernel: [kernel], stride: [stride], padding: [same]).descriptor(.group, .cyclic(4)))
        #expect(try !plan.leavesOutReads(.forward) && !plan.leavesOutReads(.inputGradient), "\(kernel) on \(size)")
      }
    }
  }

  // MARK: - Memory

  /// No pass takes more than 64 KiB and 24 times the bytes of its arrays. Weight gradients of one channel come near: they
  /// keep a vector of sixteen lanes for each number.
  @Test func workspaceOfFarReachingLayers_isBoundedByTheirArrays() throws {
    let far = 1 << 30
    let cases: [(LayerCase, PointGroup)] = [
      (LayerCase([1], kernel: [2], padding: [far], dilation: [2 * far]), .reflection),
      (LayerCase([1], kernel: [3], padding: [far], dilation: [far]), .reflection),
      (LayerCase([8], kernel: [3], stride: [far], padding: [4 * far], dilation: [far]), .reflection),
      (LayerCase([1, 1], kernel: [3], padding: [1 << 22], dilation: [1 << 22]), try .dihedral(4)),
      (LayerCase([1, 1, 1], kernel: [3], padding: [1 << 12], dilation: [1 << 12]), .octahedral),
      (LayerCase([8], kernel: [3], padding: [far], dilation: [far], mode: .circular), .reflection),
      (LayerCase([8], kernel: [3], stride: [far], padding: [4 * far], dilation: [far], mode: .circular), .reflection),
      (LayerCase([8, 8], kernel: [3], padding: [1 << 21], dilation: [1 << 21], mode: .circular), try .cyclic(4)),
      (LayerCase([16, 16], kernel: [31], padding: [120], dilation: [8], mode: .circular), try .trivial(2)),
      (LayerCase([4, 4, 4], kernel: [3], padding: [1 << 12], dilation: [1 << 12], mode: .circular), .octahedral),
      (LayerCase([63, 63], kernel: [63]), try .dihedral(4)),
      (LayerCase([1, 1000], kernel: [1, 1000], padding: [500, 0]), try .trivial(2)),
    ]
    for (sizes, group) in cases {
      for layer in LayerKind.allCases {
        let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
        let numbers =
          try plan.inputShape(batch: 1).reduce(1, *) + plan.outputShape(batch: 1).reduce(1, *)
          + plan.weightShape.reduce(1, *)
        for pass in [Pass.forward, .inputGradient, .weightGradient] {
          let bytes = try plan.explain(pass, batch: 1, Float.self).workspaceBytes
          #expect(bytes <= 64 << 10 + 24 * 4 * numbers, "\(layer) \(group.name) \(sizes) \(pass): \(bytes)")
        }
      }
    }
  }

  /// Nothing is kept for each of the 2^40 positions of an axis, in an address space that would not hold it.
  @Test func plansOfLongPeriodicAxes_takeLittleMemory() async {
    await #expect(processExitsWith: .success) {
      alarm(60)
      var limit = rlimit(rlim_cur: 3 << 30, rlim_max: 3 << 30)
      setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
      let long = 1 << 40
      for sizes in [
        LayerCase([long], kernel: [1], stride: [3], mode: .circular),
        LayerCase([long, 2], kernel: [2], stride: [3], padding: [1], mode: .circular),
        LayerCase([7], kernel: [3], padding: [long], mode: .circular),
        LayerCase([7], kernel: [2], stride: [9], padding: [long], mode: .circular),
      ] {
        let group: PointGroup = sizes.spatial.count == 1 ? .reflection : try .trivial(2)
        let plan = try ConvolutionPlan(sizes.descriptor(.lifting, group))
        guard try plan.explain(.inputGradient, batch: 1, Float.self).workspaceBytes > 0 else { exit(2) }
      }
    }
  }

  /// The calls themselves, in an address space that the padded planes would not fit in.
  @Test func farReachingLayers_runInLittleMemory() async {
    await #expect(processExitsWith: .success) {
      alarm(60)
      var limit = rlimit(rlim_cur: 3 << 30, rlim_max: 3 << 30)
      setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
      let far = 1 << 31
      for mode in [PaddingMode.zeros, .circular] {
        let plan = try ConvolutionPlan(
          LayerCase([2], kernel: [3], padding: [far], dilation: [far], mode: mode).descriptor(.lifting, .reflection))
        let numbers = LayerNumbers<Float>(input: [1, 2], weight: [3, 5, 7], bias: [0], gradient: [1, 1, 1, 1])
        let isCircular = mode == .circular
        guard try plan.forward(numbers, batch: 1) == (isCircular ? [15, 30, 15, 30] : [5, 10, 5, 10]) else { exit(2) }
        guard try plan.inputGradient(numbers, batch: 1) == (isCircular ? [30, 30] : [10, 10]) else { exit(3) }
        guard try plan.weightGradient(numbers, batch: 1) == (isCircular ? [6, 6, 6] : [0, 6, 0]) else { exit(4) }
      }
      for mode in [PaddingMode.reflect, .replicate] {
        let plan = try ConvolutionPlan(
          LayerCase([2], kernel: [3], padding: [far], dilation: [far], mode: mode).descriptor(.lifting, .reflection))
        let numbers = LayerNumbers<Float>(input: [1, 2], weight: [3, 5, 7], bias: [0], gradient: [1, 1, 1, 1])
        do {
          _ = try plan.forward(numbers, batch: 1)
          exit(5)
        } catch let error as ConvolutionError {
          // Their border is laid out.
          guard error.kind == .outOfMemory else { exit(6) }
        }
      }
    }
  }
}
