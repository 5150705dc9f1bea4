// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Turned tiles, and what `exact` and `auto` choose: `L_g layer(f) = layer(L_g f)` to the last bit.
@Suite(.serialized) struct ExactTests {
  /// Odd, even and rectangular planes, smaller and larger than a tile, more than one block of tiles; odd and even kernels.
  static let planes: [LayerCase] = [
    LayerCase([1, 1], kernel: [1]),
    LayerCase([9, 9], kernel: [3], padding: [1], batch: 3, channels: (2, 3)),
    LayerCase([40, 40], kernel: [7], padding: [3], batch: 2, channels: (3, 9)),
    LayerCase([22, 37], kernel: [5], padding: [2], batch: 2, channels: (5, 2)),
    LayerCase([30, 17], kernel: [6], padding: [0], batch: 2, channels: (2, 3)),
    LayerCase([13, 18], kernel: [4], padding: [3], dilation: [2], batch: 1, channels: (2, 2)),
    LayerCase([15, 24], kernel: [5], padding: [2], mode: .circular, batch: 2, channels: (3, 2)),
    LayerCase([3, 4], kernel: [3], padding: [1], mode: .circular, batch: 5, channels: (2, 2)),
    LayerCase([13, 24], kernel: [5], padding: [2], mode: .reflect, batch: 2, channels: (3, 2)),
    LayerCase([3, 4], kernel: [3], padding: [4], mode: .replicate, batch: 3, channels: (2, 2)),
  ]
  static let groups: [PointGroup] = [
    try! .cyclic(2), try! .cyclic(4), try! .cyclic(8), try! .dihedral(1), try! .dihedral(2), try! .dihedral(4),
  ]
  private static let lengths = [8, 12, 16, 20, 24, 32]

  // MARK: - Turned tiles

  @Test(arguments: planes, [LayerKind.lifting, .group])
  func turnedTiles_commuteWithEveryElement_toTheLastBit(_ plane: LayerCase, _ layer: LayerKind) throws {
    for (number, group) in Self.groups.enumerated() where !plane.isTornApart(by: group) {
      let length = Self.length(plane, number)
      try checkTurnedTiles(Float.self, plane, layer, group, length: length, seed: 501)
      try checkTurnedTiles(Double.self, plane, layer, group, length: length, seed: 502)
    }
  }

  /// Another length for each group, of those that the kernel fits.
  private static func length(_ plane: LayerCase, _ number: Int) -> Int {
    let reach = plane.dilation[0] * (plane.kernel[0] - 1) + 1
    let lengths = lengths.filter { $0 >= reach }
    return lengths[number % lengths.count]
  }

  private func checkTurnedTiles<S: EngineScalar>(
    _: S.Type, _ plane: LayerCase, _ layer: LayerKind, _ group: PointGroup, length: Int, seed: UInt64
  ) throws {
    let walk = try Equivariance<S>(plane.descriptor(layer, group), batch: plane.batch, seed: seed)
    let exact = ExactRuns(walk.plan, walk.numbers, batch: plane.batch)
    let method = Method.fourier(length: length, isTurned: true)
    for set in InstructionSet.available {
      let name = "\(S.self) \(group) \(set) \(length)"
      #expect(try walk.broken(set, method: method, threads: 1) == [], "forward \(name)")
      #expect(try walk.broken(set, method: method, threads: 2) == [], "forward \(name)")
      let output = try walk.plan.forward(walk.numbers, batch: plane.batch, instructions: set, method: method)
      #expect(exact.forward.excess(output) <= 1, "forward \(name)")
      let isFolded = plane.mode == .circular && walk.plan.outputSpatial != walk.descriptor.spatial
      if layer == .lifting || isFolded { continue }
      #expect(try walk.brokenByInputGradient(set, method: method, threads: 1) == [], "input gradient \(name)")
      #expect(try walk.brokenByInputGradient(set, method: method, threads: 2) == [], "input gradient \(name)")
      let input = try walk.plan.inputGradient(walk.numbers, batch: plane.batch, instructions: set, method: method)
      #expect(exact.inputGradient.excess(input) <= 1, "input gradient \(name)")
    }
  }

  /// An image alone, in a batch, and on any number of threads: tiles of other images share its vectors.
  @Test(arguments: [LayerKind.lifting, .group]) func turnedTiles_ofAnImage_areThoseOfItsBatch(_ layer: LayerKind) throws
  {
    let plane = LayerCase([33, 21], kernel: [5], padding: [2], batch: 3, channels: (3, 5))
    for set in InstructionSet.available {
      let plan = try ConvolutionPlan(plane.descriptor(layer, try .dihedral(4)))
      var random = SplitMix64(seed: 503)
      let numbers = try plan.reals(Float.self, batch: 3, &random)
      let method = Method.fourier(length: 12, isTurned: true)
      let output = try plan.forward(numbers, batch: 3, instructions: set, method: method, threads: 1)
      for threads in [1, 2, 3] {
        for image in 0..<3 {
          let one = Self.image(image, of: 3, numbers)
          let alone = try plan.forward(one, batch: 1, instructions: set, method: method, threads: threads)
          #expect(haveSameBits(alone, Self.part(image, of: 3, output)), "\(set) \(threads) threads, image \(image)")
        }
      }
    }
  }

  private static func part<T>(_ number: Int, of count: Int, _ numbers: [T]) -> [T] {
    let size = numbers.count / count
    return Array(numbers[number * size..<(number + 1) * size])
  }

  private static func image<S>(_ number: Int, of batch: Int, _ all: LayerNumbers<S>) -> LayerNumbers<S> {
    LayerNumbers(
      input: part(number, of: batch, all.input), weight: all.weight, bias: all.bias,
      gradient: part(number, of: batch, all.gradient))
  }

  /// Turned planes have the kernels of one element: one copy of transformed weights for a bank, even kernels included.
  @Test func turnedPlanes_shareOneBank() throws {
    for (n, kernel, banks) in [(4, 5, 1), (8, 5, 2), (4, 4, 1), (8, 4, 2)] {
      let layer = LayerCase([20, 20], kernel: [kernel], channels: (2, 2))
      let plan = try ConvolutionPlan(layer.descriptor(.group, try .cyclic(n)))
      #expect(try plan.fourierBanks(.forward, isTurned: true) == banks)
      #expect(try plan.fourierBanks(.inputGradient, isTurned: true) == banks)
    }
  }

  /// Outputs that turns leave in place are not computed in turned planes.
  @Test func turnedTiles_ofThePlane_areRefused() throws {
    for layer in [LayerKind.projection, .isotropic] {
      let plan = try ConvolutionPlan(LayerCase([20, 20], kernel: [5]).descriptor(layer, try .cyclic(4)))
      var random = SplitMix64(seed: 504)
      let numbers = try plan.reals(Float.self, batch: 1, &random)
      let error = #expect(throws: ConvolutionError.self) {
        try plan.forward(numbers, batch: 1, method: .fourier(length: 12, isTurned: true))
      }
      #expect(error?.kind == .unsupportedAlgorithm)
    }
  }

  // MARK: - The choice

  /// Layers of which `exact` computes the forward pass, by different algorithms.
  private static func descriptor(
    _ kind: LayerKind, _ group: PointGroup, _ spatial: [Int], _ kernel: Int, _ algorithm: Algorithm
  ) -> ConvolutionDescriptor {
    var descriptor = LayerCase(
      spatial, kernel: [kernel], padding: [kernel / 2], channels: (8, 8)
    ).descriptor(kind, group)
    descriptor.layer.algorithm = algorithm
    return descriptor
  }

  static let choices: [(PointGroup, [Int], Int)] = [
    (try! .cyclic(4), [24, 37], 3), (try! .cyclic(4), [40, 25], 7), (try! .dihedral(4), [33, 26], 5),
    (try! .dihedral(2), [33, 26], 9), (try! .cyclic(8), [40, 25], 11), (try! .cyclic(2), [31, 40], 11),
    (.octahedral, [7, 9, 8], 3),
  ]

  @Test(arguments: LayerKind.allCases, Array(choices.indices))
  func exact_commutesWithEveryElement_toTheLastBit(_ kind: LayerKind, _ number: Int) throws {
    let (group, spatial, kernel) = Self.choices[number]
    let descriptor = Self.descriptor(kind, group, spatial, kernel, .exact)
    try checkExact(Float.self, descriptor, seed: 505)
    try checkExact(Double.self, descriptor, seed: 506)
  }

  private func checkExact<S: EngineScalar>(
    _: S.Type, _ descriptor: ConvolutionDescriptor, seed: UInt64
  ) throws {
    let walk = try Equivariance<S>(descriptor, batch: 2, seed: seed)
    #expect(try walk.plan.explain(.forward, batch: 2, S.self).isExact)
    for threads in [1, 2] { #expect(try walk.broken(threads: threads) == [], "\(descriptor)") }
    // No algorithm need have an exact input gradient of every layer: that is said, or it is so.
    do throws(ConvolutionError) {
      #expect(try walk.plan.explain(.inputGradient, batch: 2, S.self).isExact)
    } catch {
      #expect(error.kind == .unsupportedAlgorithm && error.value.hasPrefix("exact"))
      return
    }
    for threads in [1, 2] { #expect(try walk.brokenByInputGradient(threads: threads) == [], "\(descriptor)") }
  }

  @Test(arguments: LayerKind.allCases, Array(choices.indices))
  func exact_ofAnImage_dependsNeitherOnThreadsNorOnItsBatch(_ kind: LayerKind, _ number: Int) throws {
    let (group, spatial, kernel) = Self.choices[number]
    let plan = try ConvolutionPlan(Self.descriptor(kind, group, spatial, kernel, .exact))
    var random = SplitMix64(seed: 507)
    let numbers = try plan.reals(Float.self, batch: 3, &random)
    let output = try plan.forward(numbers, batch: 3, threads: 1)
    for threads in [1, 2] {
      for image in 0..<3 {
        let alone = try plan.forward(Self.image(image, of: 3, numbers), batch: 1, threads: threads)
        #expect(haveSameBits(alone, Self.part(image, of: 3, output)), "\(threads) threads, image \(image)")
      }
    }
  }

  /// Turned extents, threads and, for `exact`, the batch and the limit of workspace are no reason for another choice.
  @Test(arguments: LayerKind.allCases, Array(choices.indices))
  func exactness_isDecidedByWhatTurningDoesNotChange(_ kind: LayerKind, _ number: Int) throws {
    try ProcessSettings.alone {
      let (group, spatial, kernel) = Self.choices[number]
      let (threads, limit) = (Threads.count, WorkspaceLimit.bytesPerThread)
      defer {
        try? Threads.setCount(threads)
        try? WorkspaceLimit.set(bytesPerThread: limit)
      }
      func answers(_ algorithm: Algorithm, _ spatial: [Int], batch: Int) throws -> [String] {
        let plan = try ConvolutionPlan(Self.descriptor(kind, group, spatial, kernel, algorithm))
        return [Pass.forward, .inputGradient].map { pass in
          guard let e = try? plan.explain(pass, batch: batch, Float.self) else { return "none" }
          // Methods that are not exact may differ.
          return e.isExact ? "\(e.algorithm) \(e.tile)" : algorithm == .auto ? "not exact" : "broken promise"
        }
      }
      let exact = try answers(.exact, spatial, batch: 2)
      let auto = try answers(.auto, spatial, batch: 8)
      #expect(!exact.contains("broken promise"))
      let turns = group.latticeSubgroup.map { turned(Extents(spatial), by: $0, group).values }
      for count in [1, 2, 7] {
        try Threads.setCount(count)
        try WorkspaceLimit.set(bytesPerThread: count << 20)
        for turned in turns {
          #expect(try answers(.exact, turned, batch: count) == exact, "\(turned)")
          #expect(try answers(.auto, turned, batch: 8) == auto, "\(turned)")
        }
      }
    }
  }

  @Test func exact_weightGradient_isTheFastest() throws {
    let descriptor = Self.descriptor(.group, try .cyclic(4), [40, 40], 7, .exact)
    var fastest = descriptor
    fastest.layer.algorithm = .auto
    let exact = try ConvolutionPlan(descriptor).explain(.weightGradient, batch: 4, Float.self)
    let auto = try ConvolutionPlan(fastest).explain(.weightGradient, batch: 4, Float.self)
    #expect(exact.algorithm == auto.algorithm && exact.tile == auto.tile && !exact.isExact)
  }
}
