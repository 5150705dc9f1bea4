// SPDX-License-Identifier: Apache-2.0

import Dispatch
import EquiconvEngine
import EquiconvGroups
import Foundation
import Synchronization
import Testing
import _EquiconvTestSupport

/// Large calls share their work between threads; nothing of that may be seen in the results.
///
/// One at a time: these tests set the number of threads of the process.
@Suite(.serialized) struct ThreadTests {
  private static let original = Threads.count

  /// Sizes that take more than the 4·10⁶ operations below which a call stays on its own thread.
  static func large(_ layer: LayerKind, _ group: PointGroup) throws -> LayerCase {
    let (spatial, kernel) = [([600], 5), ([24, 25], 3), ([5, 6, 5], 3)][group.dimension - 1]
    var sizes = LayerCase(spatial, kernel: [kernel], padding: [1], batch: 1, channels: (1, 1))
    while try ConvolutionPlan(sizes.descriptor(layer, group)).flops(batch: 1) < 5e6 {
      sizes.inChannels += 2
      sizes.outChannels += 2
    }
    return sizes
  }

  #if os(Linux)
    /// A process of its own counts its threads: a small call starts none, a large one as many as were asked for.
    @Test func threadsAreStarted_byTheFirstLargeCall() async {
      await #expect(processExitsWith: .success) {
        func threads() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count }
        let c4 = try PointGroup.cyclic(4)
        let small = LayerCase([6, 7], kernel: [3], padding: [1], channels: (2, 3))
        try Threads.setCount(4)
        let large = try ThreadTests.large(.group, c4)
        for (sizes, expected) in [(small, 0), (large, 3), (large, 0), (small, 0)] {
          let plan = try ConvolutionPlan(sizes.descriptor(.group, c4))
          var random = SplitMix64(seed: 126)
          let numbers = try plan.reals(Float.self, batch: 1, &random)
          let before = try threads()
          _ = try plan.forward(numbers, batch: 1)
          guard try threads() == before + expected else { exit(2) }
        }
      }
    }
  #endif

  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func largeLayer_commutesWithEveryElement_onOneAndTwoThreads(_ layer: LayerKind, _ group: PointGroup) throws {
    try ProcessSettings.alone {
      defer { try? Threads.setCount(Self.original) }
      let sizes = try Self.large(layer, group)
      let single = try Equivariance<Float>(sizes.descriptor(layer, group), batch: 1, seed: 121)
      let double = try Equivariance<Double>(sizes.descriptor(layer, group), batch: 1, seed: 122)
      for threads in [1, 2] {
        try Threads.setCount(threads)
        for set in InstructionSet.available {
          #expect(try single.broken(set) == [], "Float \(sizes) \(set) \(threads) threads")
        }
        #expect(try double.broken() == [], "Double \(sizes) \(threads) threads")
      }
    }
  }

  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func results_doNotDependOnTheThreadCount_toTheLastBit(_ layer: LayerKind, _ group: PointGroup) throws {
    try ProcessSettings.alone {
      defer { try? Threads.setCount(Self.original) }
      var sizes = try Self.large(layer, group)
      sizes.batch = 3
      try checkThreadCounts(Float.self, sizes, layer, group)
      sizes.mode = .circular
      try checkThreadCounts(Double.self, sizes, layer, group)
    }
  }

  private func checkThreadCounts<S: EngineScalar>(
    _: S.Type, _ sizes: LayerCase, _ layer: LayerKind, _ group: PointGroup
  ) throws {
    let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
    var random = SplitMix64(seed: 123)
    let numbers = try plan.reals(S.self, batch: sizes.batch, &random)
    for set in InstructionSet.available {
      var results: [[[S]]] = []
      for threads in [1, 2, 3] {
        try Threads.setCount(threads)
        results.append([
          try plan.forward(numbers, batch: sizes.batch, instructions: set),
          try plan.inputGradient(numbers, batch: sizes.batch, instructions: set),
          try plan.weightGradient(numbers, batch: sizes.batch, instructions: set),
        ])
      }
      for pass in 0..<3 {
        for other in 1...2 {
          #expect(
            firstDifferenceInBits(results[0][pass], results[other][pass]) == nil,
            "pass \(pass) \(S.self) \(sizes) \(set) \(other + 1) threads")
        }
      }
    }
  }

  @Test func biasGradientAndPools_doNotDependOnTheThreadCount() throws {
    try ProcessSettings.alone {
      defer { try? Threads.setCount(Self.original) }
      let plan = try ConvolutionPlan(
        LayerCase([300, 301], kernel: [1], channels: (1, 3)).descriptor(.lifting, .cyclic(4)))
      var random = SplitMix64(seed: 124)
      let numbers = try plan.reals(Float.self, batch: 1, &random)
      var results: [[Float]] = []
      for threads in [1, 2, 3] {
        try Threads.setCount(threads)
        var result = try plan.biasGradient(numbers, batch: 1)
        for mode in PoolMode.allCases {
          var pooled = [Float](repeating: .nan, count: 3 * 300 * 301)
          try pooled.withMutablePointer {
            try groupPool(mode, outer: 3, order: 4, inner: 300 * 301, input: numbers.gradient, output: $0)
          }
          var gradient = [Float](repeating: .nan, count: numbers.gradient.count)
          try gradient.withMutablePointer {
            try groupPoolGradient(
              mode, outer: 3, order: 4, inner: 300 * 301, outputGradient: pooled, input: numbers.gradient,
              inputGradient: $0)
          }
          result += pooled + gradient
        }
        results.append(result)
      }
      #expect(firstDifferenceInBits(results[0], results[1]) == nil)
      #expect(firstDifferenceInBits(results[0], results[2]) == nil)
      let unwritten = results[0].firstIndex { $0.isNaN }
      #expect(unwritten == nil)
    }
  }

  /// One plan on many threads at once: one of them gets the workers, the others do their work alone.
  @Test(arguments: LayerKind.allCases)
  func concurrentCalls_ofOnePlan_giveTheSameBits(_ layer: LayerKind) throws {
    defer { try? Threads.setCount(Self.original) }
    try Threads.setCount(3)
    let group = try PointGroup.dihedral(4)
    // A plan that nobody has used: the first gradients race to make its adjoint.
    for sizes in [try Self.large(layer, group), LayerCase([6, 7], kernel: [3], padding: [1], channels: (2, 3))] {
      let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
      var random = SplitMix64(seed: 125)
      let numbers = try plan.reals(Float.self, batch: 1, &random)
      let results = Mutex<[[[Float]]]>([])
      DispatchQueue.concurrentPerform(iterations: 24) { _ in
        let result = try? [
          plan.inputGradient(numbers, batch: 1), plan.forward(numbers, batch: 1),
          plan.weightGradient(numbers, batch: 1),
        ]
        results.withLock { $0.append(result ?? []) }
      }
      let expected = try ConvolutionPlan(sizes.descriptor(layer, group)).inputGradient(numbers, batch: 1)
      results.withLock { results in
        #expect(results.map(\.count) == [Int](repeating: 3, count: 24))
        #expect(firstDifferenceInBits(results[0][0], expected) == nil)
        for result in results.dropFirst() {
          for (a, b) in zip(result, results[0]) { #expect(firstDifferenceInBits(a, b) == nil) }
        }
      }
    }
  }

  @Test func threadCount_isWhatWasSet() throws {
    defer { try? Threads.setCount(Self.original) }
    for count in [1, 7, Threads.limit] {
      try Threads.setCount(count)
      #expect(Threads.count == count)
    }
    try Threads.setCount(2)
    for count in [0, -1, Threads.limit + 1, Int.max] {
      #expect(throws: ConvolutionError(.invalidSize, .count, count, expected: "1 to 1024 threads")) {
        try Threads.setCount(count)
      }
    }
    #expect(Threads.count == 2)
  }
}
