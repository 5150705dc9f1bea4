// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Fourier on H against the definition in Double, and its laws to the last bit.
@Suite struct GroupFourierTests {
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice.filter { $0.order > 1 })
  func groupFourier_ofEveryLayer_isTheDefinition(_ layer: LayerKind, _ group: PointGroup) throws {
    for (number, sizes) in LayerCase.all(for: group).enumerated() {
      let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
      try check(plan, batch: sizes.batch, Float.self, threads: 1 + number % 2, "\(sizes)")
      try check(plan, batch: sizes.batch, Double.self, threads: 1 + number % 2, "\(sizes)")
    }
  }

  /// Quotients, sampled groups, bases and truncated sets: whatever has elements that map the grid to itself.
  @Test func groupFourier_betweenAnySpaces_isTheDefinition() throws {
    var tried = 0
    for general in GeneralCase.all where general.descriptor.layer.group.latticeSubgroup.count > 1 {
      let plan = try ConvolutionPlan(general.descriptor)
      try check(plan, batch: general.batch, Float.self, threads: 1, "\(general)")
      tried += 1
    }
    #expect(tried > 100)
  }

  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice.filter { $0.order > 1 })
  func groupFourier_commutesWithEveryElement_toTheLastBit(_ layer: LayerKind, _ group: PointGroup) throws {
    var tried = 0
    for sizes in LayerCase.all(for: group) {
      var descriptor = sizes.descriptor(layer, group)
      descriptor.layer.algorithm = .groupFourier
      let plan = try ConvolutionPlan(descriptor)
      guard plan.strideRemainder.values.allSatisfy({ $0 == 0 }),
        try plan.explain(.forward, batch: 1, Float.self).isExact
      else { continue }
      let single = try Equivariance<Float>(descriptor, batch: sizes.batch, seed: 51)
      let double = try Equivariance<Double>(descriptor, batch: sizes.batch, seed: 52)
      for set in InstructionSet.available {
        #expect(try single.broken(set) == [], "Float \(sizes) \(set)")
        #expect(try double.broken(set) == [], "Double \(sizes) \(set)")
      }
      tried += 1
    }
    let isProjection = layer == .projection || layer == .isotropic
    #expect(tried >= (isProjection ? 0 : 8))
  }

  /// Of several blocks, chunks of pairs and images: as many as there are.
  @Test func groupFourier_weightGradient_doesNotDependOnThreads() throws {
    for (group, spatial) in [(try PointGroup.dihedral(4), [33, 35]), (.octahedral, [7, 6, 9])] {
      for kind in [LayerKind.lifting, .group] {
        let plan = try ConvolutionPlan(
          LayerCase(spatial, kernel: [3], padding: [1], batch: 3, channels: (3, 5)).descriptor(kind, group))
        var random = SplitMix64(seed: 503)
        let numbers = try plan.reals(Float.self, batch: 3, &random)
        let alone = try plan.weightGradient(numbers, batch: 3, method: .groupFourier, threads: 1)
        for threads in [2, 3, 8] {
          let shared = try plan.weightGradient(numbers, batch: 3, method: .groupFourier, threads: threads)
          #expect(firstDifferenceInBits(shared, alone) == nil, "\(group.name) \(kind) \(threads) threads")
        }
      }
    }
  }

  /// Its chains of additions are shorter. Many blocks and images: 65² pixels of 16 images, 12³ of 8.
  @Test func groupFourier_weightGradient_roundsNoMoreThanTheDefinition() throws {
    for (group, spatial, batch) in [(try PointGroup.dihedral(4), [65, 65], 16), (.octahedral, [12, 12, 12], 8)] {
      for kind in [LayerKind.lifting, .group] {
        let plan = try ConvolutionPlan(
          LayerCase(spatial, kernel: [3], padding: [1], batch: batch, channels: (2, 3)).descriptor(kind, group))
        var random = SplitMix64(seed: 504)
        let numbers = try plan.reals(Float.self, batch: batch, &random)
        let exact = ExactRuns(plan, numbers, batch: batch).weightGradient
        let errors = try [Method.groupFourier, .direct].map {
          exact.squaredError(try plan.weightGradient(numbers, batch: batch, method: $0))
        }
        #expect(errors[0] <= errors[1], "\(group.name) \(kind)")
      }
    }
  }

  /// Stride 1 and others: gathered, and added up by the adjoint of the forward pass.
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice.filter { $0.order > 1 })
  func groupFourierInputGradient_commutesWithEveryElement_toTheLastBit(
    _ layer: LayerKind, _ group: PointGroup
  ) throws {
    var tried = [0, 0]
    for sizes in LayerCase.all(for: group) {
      var descriptor = sizes.descriptor(layer, group)
      descriptor.layer.algorithm = .groupFourier
      let plan = try ConvolutionPlan(descriptor)
      guard plan.strideRemainder.values.allSatisfy({ $0 == 0 }),
        try plan.explain(.inputGradient, batch: 1, Float.self).isExact
      else { continue }
      let single = try Equivariance<Float>(descriptor, batch: sizes.batch, seed: 53)
      let double = try Equivariance<Double>(descriptor, batch: sizes.batch, seed: 54)
      for set in InstructionSet.available {
        #expect(try single.brokenByInputGradient(set) == [], "Float \(sizes) \(set)")
        #expect(try double.brokenByInputGradient(set) == [], "Double \(sizes) \(set)")
      }
      tried[sizes.stride.allSatisfy { $0 == 1 } ? 0 : 1] += 1
    }
    // Layers of plane signals add up reads of one element.
    if layer == .group { #expect(tried[0] >= 4 && tried[1] >= 1, "\(tried)") }
  }

  /// `⟨K f, g⟩ = ⟨f, K* g⟩` for strided layers, by this algorithm on both sides.
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice.filter { $0.order > 1 })
  func groupFourierInputGradient_ofStridedLayers_isAdjoint(_ layer: LayerKind, _ group: PointGroup) throws {
    var random = SplitMix64(seed: 502)
    for sizes in LayerCase.all(for: group) where sizes.stride.contains(where: { $0 != 1 }) {
      let plan = try ConvolutionPlan(sizes.descriptor(layer, group))
      let numbers = try plan.reals(Double.self, batch: sizes.batch, &random)
      let options = RunOptions(method: .groupFourier)
      let output = try plan.guardedForward(numbers, batch: sizes.batch, options, hasBias: false)
      let input = try plan.guardedInputGradient(numbers, batch: sizes.batch, options)
      let size = zip(output, numbers.gradient).reduce(1) { $0 + abs($1.0 * $1.1) }
      #expect(abs(inner(output, numbers.gradient) - inner(numbers.input, input)) <= 1e-13 * size, "\(sizes)")
    }
  }

  /// Threads, the memory they may use and the other images of a batch change no bit.
  @Test(arguments: GroupCatalog.lattice.filter { ["D4", "octahedral"].contains($0.name) })
  func groupFourierInputGradient_dependsOnNothingButNumbers_toTheLastBit(_ group: PointGroup) throws {
    let isPlane = group.dimension == 2
    let sizes = LayerCase(
      isPlane ? [33, 31] : [9, 9, 9], kernel: [3], stride: [2], padding: [1], batch: 5, channels: (9, 10))
    let plan = try ConvolutionPlan(sizes.descriptor(.group, group))
    var random = SplitMix64(seed: 503)
    let numbers = try plan.reals(Float.self, batch: sizes.batch, &random)
    var options = RunOptions(method: .groupFourier)
    options.threads = 1
    let expected = try plan.guardedInputGradient(numbers, batch: sizes.batch, options)
    for threads in [1, 2, 3, 8] {
      for limit in [1 << 20, 1 << 23, 1 << 26] {
        (options.threads, options.workspaceLimit) = (threads, limit)
        let result = try plan.guardedInputGradient(numbers, batch: sizes.batch, options)
        #expect(haveSameBits(result, expected), "threads \(threads), workspace \(limit)")
      }
    }
    var single = numbers
    single.gradient = Array(numbers.gradient.suffix(numbers.gradient.count / sizes.batch))
    let last = try plan.guardedInputGradient(single, batch: 1, options)
    #expect(haveSameBits(last, Array(expected.suffix(last.count))), "the last image alone")
  }

  private func check<S: EngineScalar>(
    _ plan: ConvolutionPlan, batch: Int, _: S.Type, threads: Int, _ name: String
  ) throws {
    var random = SplitMix64(seed: 501)
    let numbers = try plan.reals(S.self, batch: batch, &random)
    let exact = ExactRuns(plan, numbers, batch: batch)
    var options = RunOptions(method: .groupFourier)
    options.threads = threads
    for set in InstructionSet.available {
      options.instructions = set
      let excess = exact.forward.excess(try plan.guardedForward(numbers, batch: batch, options))
      #expect(excess <= 1, "forward \(excess) \(name) \(set)")
      let inputGradient = exact.inputGradient.excess(try plan.guardedInputGradient(numbers, batch: batch, options))
      #expect(inputGradient <= 1, "input gradient \(inputGradient) \(name) \(set)")
      let gradient = exact.weightGradient.excess(try plan.guardedWeightGradient(numbers, batch: batch, options))
      #expect(gradient <= 1, "weight gradient \(gradient) \(name) \(set)")
    }
  }
}
