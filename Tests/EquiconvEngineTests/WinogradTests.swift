// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// The Winograd pass against the direct one in Double.
@Suite struct WinogradTests {
  @Test(arguments: [4, 2])
  func winograd_ofEveryLayer_isTheDefinition(_ tile: Int) throws {
    for (number, d) in Self.layers.enumerated() {
      let threads = 1 + number % 3
      let plan = try ConvolutionPlan(d)
      try checkForward(plan, batch: 1 + number % 2, tile: tile, threads: threads)
      if d.layer.paddingMode != .circular || plan.outputSpatial == d.spatial {
        try checkInputGradient(plan, batch: 1 + number % 2, tile: tile, threads: threads)
      }
    }
  }

  /// Planes smaller than a tile, edges that cut tiles at every place, and vectors that hold several rows or images.
  @Test(arguments: [4, 2], PaddingMode.allCases)
  func winograd_ofEverySize_isTheDefinition(_ tile: Int, _ mode: PaddingMode) throws {
    var number = 0
    for (height, width) in [
      (1, 1), (1, 5), (3, 2), (2, 9), (7, 7), (6, 11), (5, 12), (8, 8), (9, 17), (16, 34), (3, 70),
    ] {
      for padding in [0, 1, 2, 4] where height + 2 * padding >= 3 && width + 2 * padding >= 3 {
        let layer = LayerCase(
          [height, width], kernel: [3], padding: [padding], mode: mode, channels: (1 + number % 3, 1 + number % 4))
        let plan = try ConvolutionPlan(layer.descriptor(.lifting, number % 2 == 0 ? .cyclic(4) : .dihedral(4)))
        try checkForward(plan, batch: 1 + number % 3, tile: tile, threads: 1 + number % 2)
        if padding == 1 || mode != .circular {
          try checkInputGradient(plan, batch: 1 + number % 3, tile: tile, threads: 1 + number % 2)
        }
        number += 1
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func winograd_ofEveryNumberOfChannels_isTheDefinition(_ set: InstructionSet) throws {
    for channels in 1...9 {
      for tile in [4, 2] {
        let layer = LayerCase([9, 13], kernel: [3], padding: [1], channels: (channels, 10 - channels))
        let plan = try ConvolutionPlan(layer.descriptor(.group, .cyclic(4)))
        try checkForward(plan, batch: 2, tile: tile, threads: 2, set)
        try checkInputGradient(plan, batch: 2, tile: tile, threads: 2, set)
      }
    }
  }

  @Test(arguments: [4, 2])
  func winograd_ofSmallerKernels_isTheDefinition(_ tile: Int) throws {
    for kernel in [[1, 1], [2, 2], [1, 3], [3, 2]] {
      let layer = LayerCase([7, 10], kernel: kernel, padding: [1, 1], channels: (2, 3))
      let group = try kernel[0] == kernel[1] ? PointGroup.cyclic(4) : .trivial(2)
      let plan = try ConvolutionPlan(layer.descriptor(.group, group))
      try checkForward(plan, batch: 2, tile: tile, threads: 1)
      try checkInputGradient(plan, batch: 2, tile: tile, threads: 1)
    }
  }

  /// A chain of operations for each output that neither blocks nor threads change.
  @Test(arguments: [4, 2], InstructionSet.available)
  func winograd_onAnyThreadsInAnyMemory_hasTheSameBits(_ tile: Int, _ set: InstructionSet) throws {
    for layer in [
      LayerCase([21, 37], kernel: [3], padding: [1], batch: 3, channels: (5, 4)),
      LayerCase([8, 8], kernel: [3], padding: [1], mode: .circular, batch: 5, channels: (3, 9)),
    ] {
      let plan = try ConvolutionPlan(layer.descriptor(.group, .dihedral(4)))
      var random = SplitMix64(seed: 5)
      let numbers = try plan.reals(Float.self, batch: layer.batch, &random)
      var options = RunOptions(method: .winograd(outputs: tile))
      options.instructions = set
      let expected = try plan.guardedForward(numbers, batch: layer.batch, options)
      for (threads, limit) in [(2, 64 << 20), (3, 64 << 20), (1, 200_000), (2, 40_000), (3, 1)] {
        options.threads = threads
        options.workspaceLimit = limit
        let found = try plan.guardedForward(numbers, batch: layer.batch, options)
        #expect(firstDifferenceInBits(found, expected) == nil, "\(threads) threads, \(limit) bytes, \(layer)")
      }
    }
  }

  /// Arrays that begin behind an unreadable page and arrays that end in front of one.
  @Test(arguments: [4, 2], InstructionSet.available)
  func winograd_betweenUnreadablePages_hasTheSameBits(_ tile: Int, _ set: InstructionSet) throws {
    for size in [[1, 1], [5, 3], [6, 16], [9, 35], [16, 64]] {
      for mode in PaddingMode.allCases {
        let layer = LayerCase(size, kernel: [3], padding: [1], mode: mode, channels: (2, 3))
        let plan = try ConvolutionPlan(layer.descriptor(.group, .cyclic(4)))
        var random = SplitMix64(seed: 8)
        let numbers = try plan.reals(Float.self, batch: 2, &random)
        var options = RunOptions(method: .winograd(outputs: tile))
        options.instructions = set
        let expected = try plan.guardedForward(numbers, batch: 2, options)
        for atEnd in [false, true] {
          let arrays = [numbers.input, numbers.weight, numbers.bias, expected.map { _ in .nan }]
            .map { FencedArray($0, atEnd: atEnd) }
          try plan.forward(
            batch: 2, input: UnsafePointer(arrays[0].base), weight: UnsafePointer(arrays[1].base),
            bias: UnsafePointer(arrays[2].base), output: arrays[3].base, options: options)
          #expect(firstDifferenceInBits(arrays[3].values, expected) == nil, "\(layer), at end: \(atEnd)")
        }
      }
    }
  }

  @Test func winograd_withoutBias_isThatWithZeros() throws {
    let plan = try ConvolutionPlan(
      LayerCase([6, 7], kernel: [3], padding: [1], channels: (2, 3)).descriptor(.group, .cyclic(4)))
    var random = SplitMix64(seed: 6)
    var numbers = try plan.reals(Float.self, batch: 1, &random)
    numbers.bias = numbers.bias.map { _ in 0 }
    let without = try plan.guardedForward(numbers, batch: 1, RunOptions(method: .winograd(outputs: 4)), hasBias: false)
    #expect(
      firstDifference(without, try plan.guardedForward(numbers, batch: 1, RunOptions(method: .winograd(outputs: 4))))
        == nil)
  }

  @Test func winograd_inDouble_isTheDefinition() throws {
    let plan = try ConvolutionPlan(
      LayerCase([9, 10], kernel: [3], padding: [1], channels: (3, 5)).descriptor(.group, .cyclic(8)))
    var random = SplitMix64(seed: 7)
    let numbers = try plan.reals(Double.self, batch: 2, &random)
    for set in InstructionSet.available {
      var options = RunOptions(method: .winograd(outputs: 4))
      options.instructions = set
      let errors = Errors(
        try plan.guardedForward(numbers, batch: 2, options), try plan.forward(numbers, batch: 2))
      #expect(errors.largest < 1e-13)
    }
  }

  // MARK: - Cases

  private static let layers: [ConvolutionDescriptor] = {
    let groups = [try! PointGroup.cyclic(4), try! .dihedral(4), try! .cyclic(8), try! .trivial(2)]
    let cases = [
      LayerCase([9, 14], kernel: [3], padding: [1], channels: (3, 5)),
      LayerCase([11, 7], kernel: [3], channels: (2, 3)),
      LayerCase([8, 12], kernel: [3], padding: [1], mode: .circular, channels: (1, 2)),
    ]
    let named = groups.flatMap { group in
      LayerKind.allCases.flatMap { layer in cases.map { $0.descriptor(layer, group) } }
    }
    let d4 = try! PointGroup.dihedral(4)
    let spaces = [[0, 2], [0, 4], [0, 1, 2, 3]].map { SignalSpace.quotient(stabilizer: $0) } + [.plane, .group]
    let quotients = spaces.flatMap { input in
      spaces.map { output in
        ConvolutionDescriptor(
          from: input, to: output, group: d4, inChannels: 2, outChannels: 3, spatial: Extents([7, 9]),
          kernel: Extents([3, 3]), padding: Extents([1, 1]))
      }
    }
    return named + quotients
  }()

  // MARK: - Checks

  private func checkForward(
    _ plan: ConvolutionPlan, batch: Int, tile: Int, threads: Int, _ set: InstructionSet = .current
  ) throws {
    var random = SplitMix64(seed: UInt64(plan.descriptor.spatial[0] * 100 + plan.descriptor.spatial[1] + batch))
    let numbers = try plan.reals(Float.self, batch: batch, &random)
    var options = RunOptions(method: .winograd(outputs: tile))
    options.threads = threads
    options.instructions = set
    let found = try plan.guardedForward(numbers, batch: batch, options)
    check(found, try plan.forward(numbers.doubled, batch: batch, method: .direct), plan)
  }

  private func checkInputGradient(
    _ plan: ConvolutionPlan, batch: Int, tile: Int, threads: Int, _ set: InstructionSet = .current
  ) throws {
    var random = SplitMix64(seed: UInt64(plan.descriptor.spatial[0] * 100 + plan.descriptor.spatial[1] + batch))
    let numbers = try plan.reals(Float.self, batch: batch, &random)
    var options = RunOptions(method: .winograd(outputs: tile))
    options.threads = threads
    options.instructions = set
    let found = try plan.guardedInputGradient(numbers, batch: batch, options)
    check(found, try plan.inputGradient(numbers.doubled, batch: batch, method: .direct), plan)
  }

  /// F(4×4) has an error of some ten roundings, 2⁻²⁴ each, of the root mean square of the output, its largest among 10⁴ to
  /// 10⁶ outputs some ten times as much.
  private func check(_ found: [Float], _ expected: [Double], _ plan: ConvolutionPlan) {
    let errors = Errors(found, expected)
    #expect(errors.largest <= 5e-5 && errors.rms <= 5e-6, "\(errors) \(plan.descriptor)")
  }
}

/// Errors relative to the root mean square of what is expected.
private struct Errors {
  var largest = 0.0
  var rms = 0.0

  init<S: EngineScalar>(_ found: [S], _ expected: [Double]) {
    let norm = (inner(expected, expected) / Double(expected.count)).squareRoot()
    var sum = 0.0
    for (a, b) in zip(found, expected) {
      // A number that was not written is not a number.
      let error = Double(a) - b
      largest = error.isNaN ? .infinity : max(largest, abs(error) / norm)
      sum += error * error
    }
    rms = (sum / Double(expected.count)).squareRoot() / norm
  }
}

extension LayerNumbers {
  fileprivate var doubled: LayerNumbers<Double> {
    LayerNumbers<Double>(
      input: input.map(Double.init), weight: weight.map(Double.init), bias: bias.map(Double.init),
      gradient: gradient.map(Double.init))
  }
}
