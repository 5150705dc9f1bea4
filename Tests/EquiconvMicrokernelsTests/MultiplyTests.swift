// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvShims
import _EquiconvTestSupport

@Suite struct MultiplyTests {
  @Test(arguments: InstructionSet.available)
  func multiply_isOneChainOfMultiplyAdds_toTheLastBit(_ set: InstructionSet) {
    for readCount in [0, 1, 2, 5, 9] {
      for channels in 1...3 {
        for vectors in 1...20 {
          check(Float.self, set, vectors: vectors, readCount: readCount, channels: channels)
          check(Double.self, set, vectors: vectors, readCount: readCount, channels: channels)
        }
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func multiply_withoutChannels_storesTheBias(_ set: InstructionSet) {
    check(Float.self, set, vectors: 5, readCount: 3, channels: 0)
    check(Double.self, set, vectors: 5, readCount: 3, channels: 0)
  }

  private func check<S: EngineScalar>(
    _: S.Type, _ set: InstructionSet, vectors: Int, readCount: Int, channels: Int
  ) {
    var width = S.microkernels(set).widestPanel
    while width >= 1 {
      let problem = MultiplyProblem<S>(set, width: width, vectors: vectors, readCount: readCount, channels: channels)
      #expect(
        firstDifferenceInBits(problem.run(), problem.expected()) == nil,
        "\(S.self) width \(width) vectors \(vectors) reads \(readCount) channels \(channels)")
      width /= 2
    }
  }
}

/// One call of `multiply` with random numbers, offsets and strides.
private struct MultiplyProblem<S: EngineScalar> {
  let set: InstructionSet
  let kernels: Microkernels
  let width: Int
  let channels: Int
  let source: [S]
  let weights: [S]
  let bias: [S]
  let reads: [equiconv_read]
  let sourceOffsets: [Int]
  let destinationOffsets: [Int]
  let sourceChannelStride: Int
  let weightChannelStride: Int
  let destinationRowStride: Int

  init(_ set: InstructionSet, width: Int, vectors: Int, readCount: Int, channels: Int) {
    var random = SplitMix64(seed: UInt64(vectors * 1000 + readCount * 10 + channels))
    self.set = set
    self.width = width
    self.channels = channels
    kernels = S.microkernels(set)
    let lanes = kernels.lanes
    // Some rows of the panel are not read, and the others in no particular order.
    let rows = Array(0..<readCount + 2).shuffled(using: &random)
    reads = (0..<readCount).map { equiconv_read(source: .random(in: 0..<40, using: &random), weight: rows[$0]) }
    sourceOffsets = scatteredOffsets(vectors, below: 60, &random)
    sourceChannelStride = 60 + 40 + lanes
    weightChannelStride = (readCount + 2) * width + 3
    // Vectors are stored in any order, with a gap behind each.
    destinationOffsets = (0..<vectors).shuffled(using: &random).map { 2 + $0 * (lanes + 3) }
    destinationRowStride = vectors * (lanes + 3) + 5
    source = random.reals(max(channels, 1) * sourceChannelStride)
    weights = random.reals(max(channels, 1) * weightChannelStride)
    bias = random.reals(width)
  }

  private var emptyDestination: [S] { Guarded<S>(width * destinationRowStride).values }

  func run() -> [S] {
    let arena = Arena()
    let destination = arena.copy(emptyDestination)
    let call = arena.zeroed(equiconv_multiply_call.self)
    call.pointee.source = UnsafeRawPointer(arena.copy(source))
    call.pointee.weights = UnsafeRawPointer(arena.copy(weights))
    call.pointee.bias = UnsafeRawPointer(arena.copy(bias))
    call.pointee.destination = UnsafeMutableRawPointer(destination)
    call.pointee.reads = UnsafePointer(arena.copy(reads))
    call.pointee.read_count = reads.count
    call.pointee.channel_count = channels
    call.pointee.source_channel_stride = sourceChannelStride
    call.pointee.weight_channel_stride = weightChannelStride
    call.pointee.destination_row_stride = destinationRowStride
    call.pointee.source_offsets = UnsafePointer(arena.copy(sourceOffsets))
    call.pointee.destination_offsets = UnsafePointer(arena.copy(destinationOffsets))
    call.pointee.vector_count = sourceOffsets.count
    kernels.multiply(call, width)
    return withExtendedLifetime(arena) { destination.array(width * destinationRowStride) }
  }

  /// `bias[m] + Σ_c Σ_r weights[c, r, m] · source[c, r, v]`, number by number.
  func expected() -> [S] {
    var destination = emptyDestination
    for m in 0..<width {
      for (from, to) in zip(sourceOffsets, destinationOffsets) {
        for lane in 0..<kernels.lanes {
          var sum = bias[m]
          for channel in 0..<channels {
            for read in reads {
              sum = set.multiplyAdd(
                weights[channel * weightChannelStride + read.weight * width + m],
                source[channel * sourceChannelStride + from + read.source + lane], sum)
            }
          }
          destination[m * destinationRowStride + to + lane] = sum
        }
      }
    }
    return destination
  }
}
