// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import _EquiconvTestSupport

/// The diagram `L_g ∘ layer = layer ∘ L_g`, walked both ways.
struct Equivariance<S: EngineScalar> {
  let descriptor: ConvolutionDescriptor
  let plan: ConvolutionPlan
  let batch: Int
  let numbers: LayerNumbers<S>

  /// On random numbers, whose sums round.
  init(_ descriptor: ConvolutionDescriptor, batch: Int, seed: UInt64) throws {
    self.descriptor = descriptor
    self.batch = batch
    plan = try ConvolutionPlan(descriptor)
    var random = SplitMix64(seed: seed)
    numbers = try plan.reals(S.self, batch: batch, &random)
  }

  /// On small whole numbers, whose sums are exact.
  init(_ descriptor: ConvolutionDescriptor, batch: Int, wholeNumbersWithSeed seed: UInt64) throws {
    self.descriptor = descriptor
    self.batch = batch
    plan = try ConvolutionPlan(descriptor)
    var random = SplitMix64(seed: seed)
    numbers = try plan.integers(S.self, batch: batch, &random)
  }

  /// The lattice elements for which the two ways do not give the same bits.
  func broken(_ set: InstructionSet = .current, method: Method? = nil, threads: Int? = nil) throws -> [Int] {
    let group = descriptor.layer.group
    let output = try plan.forward(numbers, batch: batch, instructions: set, method: method, threads: threads)
    return try group.latticeSubgroup.filter { g in
      let outputTurned = try act(
        group, g, on: descriptor.layer.output, batch: batch, channels: descriptor.outChannels,
        spatial: plan.outputSpatial, output)
      var turnedNumbers = numbers
      turnedNumbers.input = try act(
        group, g, on: descriptor.layer.input, batch: batch, channels: descriptor.inChannels,
        spatial: descriptor.spatial, numbers.input)
      return !haveSameBits(
        outputTurned,
        try planTurned(by: g).forward(
          turnedNumbers, batch: batch, instructions: set, method: method, threads: threads))
    }
  }

  /// The lattice elements for which turning the gradient of the output does not turn the input gradient, bit for bit.
  func brokenByInputGradient(
    _ set: InstructionSet = .current, method: Method? = nil, threads: Int? = nil
  ) throws -> [Int] {
    let group = descriptor.layer.group
    let result = try plan.inputGradient(numbers, batch: batch, instructions: set, method: method, threads: threads)
    return try group.latticeSubgroup.filter { g in
      let resultTurned = try act(
        group, g, on: descriptor.layer.input, batch: batch, channels: descriptor.inChannels,
        spatial: descriptor.spatial, result)
      var turnedNumbers = numbers
      turnedNumbers.gradient = try act(
        group, g, on: descriptor.layer.output, batch: batch, channels: descriptor.outChannels,
        spatial: plan.outputSpatial, numbers.gradient)
      return !haveSameBits(
        resultTurned,
        try planTurned(by: g).inputGradient(
          turnedNumbers, batch: batch, instructions: set, method: method, threads: threads))
    }
  }

  /// The same layer for signals of the turned sizes.
  private func planTurned(by g: Int) throws -> ConvolutionPlan {
    var descriptor = self.descriptor
    descriptor.spatial = turned(descriptor.spatial, by: g, descriptor.layer.group)
    return descriptor == self.descriptor ? plan : try ConvolutionPlan.cached(descriptor)
  }
}
