// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Fourier tiles compute the same layers: within rounding, whatever the length of the tiles.
@Suite struct FourierTests {
  static let generalCases = GeneralCase.all.filter { layer in
    layer.descriptor.spatial.count == 2 && layer.descriptor.layer.stride.values.allSatisfy { $0 == 1 }
  }

  /// Planes that tiles do not fit, smaller and larger than a tile; channels that fill panels and vectors and do not.
  static let planes: [LayerCase] = [
    LayerCase([1, 1], kernel: [1]),
    LayerCase([5, 5], kernel: [3], padding: [1], batch: 3, channels: (3, 5)),
    LayerCase([17, 9], kernel: [5], padding: [2], batch: 2, channels: (2, 9)),
    LayerCase([40, 40], kernel: [7], padding: [3], batch: 1, channels: (1, 3)),
    LayerCase([13, 31], kernel: [4], padding: [0], batch: 2, channels: (17, 2)),
    LayerCase([11, 8], kernel: [3], padding: [5], batch: 2, channels: (2, 2)),
    LayerCase([12, 12], kernel: [3], padding: [2], dilation: [2], batch: 2, channels: (2, 3)),
    LayerCase([9, 14], kernel: [5], padding: [2], mode: .circular, batch: 2, channels: (3, 2)),
    LayerCase([4, 3], kernel: [3], padding: [1], mode: .circular, batch: 5, channels: (2, 2)),
    LayerCase([9, 14], kernel: [5], padding: [3], mode: .reflect, batch: 2, channels: (3, 2)),
  ]
  static let groups: [PointGroup] = [try! .trivial(2), try! .cyclic(2), try! .cyclic(4), try! .dihedral(4)]
  static let lengths = [8, 12, 16, 20, 24, 32]

  @Test(arguments: generalCases)
  func layersBetweenAnySpaces_equalTheirDirectComputation_withinRounding(_ layer: GeneralCase) throws {
    var descriptor = layer.descriptor
    descriptor.layer.algorithm = .direct
    try check(Double.self, descriptor, batch: layer.batch, lengths: [16], seed: 201)
    try check(Float.self, descriptor, batch: layer.batch, lengths: [12], seed: 202)
  }

  @Test(arguments: planes, LayerKind.allCases)
  func planesOfAllSizes_equalTheirDirectComputation_withinRounding(_ plane: LayerCase, _ layer: LayerKind) throws {
    for group in Self.groups where !plane.isTornApart(by: group) {
      var descriptor = plane.descriptor(layer, group)
      descriptor.layer.algorithm = .direct
      try check(Float.self, descriptor, batch: plane.batch, lengths: Self.lengths, seed: 203)
    }
    var descriptor = plane.descriptor(layer, try .cyclic(4))
    descriptor.layer.algorithm = .direct
    if !plane.isTornApart(by: try .cyclic(4)) {
      try check(Double.self, descriptor, batch: plane.batch, lengths: Self.lengths, seed: 204)
    }
  }

  /// Errors are small against the largest sum of absolute products: each of the transforms and the product adds a few ulps.
  private func check<S: EngineScalar>(
    _: S.Type, _ descriptor: ConvolutionDescriptor, batch: Int, lengths: [Int], seed: UInt64
  ) throws {
    var random = SplitMix64(seed: seed)
    let plan = try ConvolutionPlan(descriptor)
    let numbers = try plan.reals(S.self, batch: batch, &random)
    let exact = ExactRuns(plan, numbers, batch: batch)
    let lengths = lengths.filter { $0 >= plan.reach }
    let isFolded = descriptor.layer.paddingMode == .circular && plan.outputSpatial != descriptor.spatial
    for set in InstructionSet.available {
      for length in lengths {
        let method = Method.fourier(length: length)
        let output = try plan.forward(numbers, batch: batch, instructions: set, method: method)
        #expect(exact.forward.excess(output) <= 1, "forward \(S.self) \(set) \(length)")
        let weight = try plan.weightGradient(numbers, batch: batch, instructions: set, method: method)
        #expect(exact.weightGradient.excess(weight) <= 1, "weight gradient \(S.self) \(set) \(length)")
        if isFolded { continue }
        let input = try plan.inputGradient(numbers, batch: batch, instructions: set, method: method)
        #expect(exact.inputGradient.excess(input) <= 1, "input gradient \(S.self) \(set) \(length)")
      }
    }
  }

  /// Threads take whole blocks, or whole points: the bits do not depend on their number.
  @Test func threads_doNotChangeABit() throws {
    try ProcessSettings.alone {
      let plane = LayerCase([50, 40], kernel: [5], padding: [2], batch: 3, channels: (9, 10))
      let plan = try ConvolutionPlan(plane.descriptor(.group, try .dihedral(4)))
      var random = SplitMix64(seed: 205)
      let numbers = try plan.reals(Float.self, batch: plane.batch, &random)
      let method = Method.fourier(length: 16)
      let before = Threads.count
      defer { try? Threads.setCount(before) }
      try Threads.setCount(1)
      let one = try plan.allRuns(numbers, batch: plane.batch, method: method)
      for threads in [2, 3, 7] {
        try Threads.setCount(threads)
        let several = try plan.allRuns(numbers, batch: plane.batch, method: method)
        #expect(zip(one, several).allSatisfy { haveSameBits($0, $1) })
      }
    }
  }

  /// A small workspace is held by taking channels in chunks, which only adds up in another order.
  @Test func workspaceLimit_isHeldByChunks_withinRounding() throws {
    let plane = LayerCase([30, 30], kernel: [5], padding: [2], batch: 2, channels: (20, 24))
    let plan = try ConvolutionPlan(plane.descriptor(.group, try .dihedral(4)))
    var random = SplitMix64(seed: 206)
    let numbers = try plan.reals(Double.self, batch: plane.batch, &random)
    let exact = ExactRuns(plan, numbers, batch: plane.batch)
    for limit in [1 << 20, 3 << 20] {
      let runs = try plan.allRuns(numbers, batch: plane.batch, method: .fourier(length: 16), workspaceLimit: limit)
      #expect(exact.forward.excess(runs[0]) <= 1)
      #expect(exact.inputGradient.excess(runs[1]) <= 1)
      #expect(exact.weightGradient.excess(runs[2]) <= 1)
    }
  }

  /// Kernels that lattice elements carry to each other are transformed once.
  @Test func turnedKernels_shareOneBank() throws {
    for (n, kernel, banks) in [(4, 5, 1), (8, 5, 2), (4, 4, 4)] {
      let layer = LayerCase([20, 20], kernel: [kernel], channels: (2, 2))
      let plan = try ConvolutionPlan(layer.descriptor(.group, try .cyclic(n)))
      #expect(try plan.fourierBanks(.forward) == banks)
      #expect(try plan.fourierBanks(.inputGradient) == banks)
    }
  }

  @Test func whatTilesDoNotCover_isAnErrorThatSaysWhy() throws {
    func message(_ layer: LayerCase, _ group: PointGroup) -> String? {
      #expect(throws: ConvolutionError.self) {
        var descriptor = layer.descriptor(.lifting, group)
        descriptor.layer.algorithm = .fourier
        _ = try ConvolutionPlan(descriptor).explain(.forward, batch: 1, Float.self)
      }.map { "\($0)" }
    }
    let strided = message(LayerCase([9, 9], kernel: [3], stride: [2]), try .cyclic(4))
    #expect(strided?.contains("stride") == true)
    #expect(message(LayerCase([9], kernel: [3]), .reflection)?.contains("2 dimensions") == true)
    #expect(message(LayerCase([40, 40], kernel: [33]), try .cyclic(4))?.contains("reach") == true)
  }
}
