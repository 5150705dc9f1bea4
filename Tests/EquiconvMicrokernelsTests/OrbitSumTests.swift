// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvShims
import _EquiconvTestSupport

@Suite struct OrbitSumTests {
  /// Towers of orbits of lattice groups, and some others.
  private static let towers = [
    [], [2], [3], [5], [2, 2], [2, 2, 2], [2, 2, 2, 2], [2, 2, 3], [2, 2, 2, 3], [2, 2, 2, 2, 3], [2, 4], [3, 2],
    [4, 3], [2, 3, 2],
  ]

  @Test(arguments: InstructionSet.available, towers)
  func orbitSum_isTheSum_exactlyOnWholeNumbers(_ set: InstructionSet, _ radices: [Int]) {
    for vectors in 1...5 {
      checkSum(Float.self, set, radices, vectors)
      checkSum(Double.self, set, radices, vectors)
    }
  }

  private func checkSum<S: EngineScalar>(_: S.Type, _ set: InstructionSet, _ radices: [Int], _ vectors: Int) {
    var random = SplitMix64(seed: 111)
    let orbit = Orbit<S>(set, radices, vectors: vectors, &random) { random, count in random.integers(count) }
    let lanes = S.microkernels(set).lanes
    let expected = orbit.sourceOffsets.flatMap { start in
      (0..<lanes).map { lane in orbit.offsets.reduce(0) { $0 + orbit.source[start + $1 + lane] } }
    }
    #expect(firstDifference(orbit.run(orbit.offsets), expected + orbit.guards) == nil, "\(S.self) \(vectors)")
  }

  /// Whatever permutes the blocks of every level, as a group permutes cosets, leaves every bit of the sum.
  @Test(arguments: InstructionSet.available, towers)
  func orbitSum_isInvariantUnderPermutationsOfBlocks_toTheLastBit(_ set: InstructionSet, _ radices: [Int]) {
    checkInvariance(Float.self, set, radices)
    checkInvariance(Double.self, set, radices)
  }

  private func checkInvariance<S: EngineScalar>(_: S.Type, _ set: InstructionSet, _ radices: [Int]) {
    var random = SplitMix64(seed: 112)
    let orbit = Orbit<S>(set, radices, vectors: 3, &random) { random, count in random.reals(count) }
    let sum = orbit.run(orbit.offsets)
    var otherOrdersDiffer = false
    for _ in 0..<30 {
      let moved = permutedBlocks(orbit.offsets, radices, &random)
      #expect(firstDifferenceInBits(orbit.run(moved), sum) == nil, "\(S.self)")
      otherOrdersDiffer = otherOrdersDiffer || orbit.run(orbit.offsets.shuffled(using: &random)) != sum
    }
    // The data must be able to tell the difference: a tower of one level sorts, and no order is another.
    #expect(otherOrdersDiffer == (radices.count > 1))
  }

  /// A random permutation of the blocks of each level, chosen anew in each block.
  private func permutedBlocks(_ offsets: [Int], _ radices: [Int], _ random: inout SplitMix64) -> [Int] {
    var blocks = offsets.map { [$0] }
    for radix in radices {
      blocks = stride(from: 0, to: blocks.count, by: radix).map { start in
        Array(blocks[start..<start + radix].shuffled(using: &random).joined())
      }
    }
    return blocks[0]
  }
}

/// A signal and the reads of one orbit.
private struct Orbit<S: EngineScalar> {
  let kernels: Microkernels
  let radices: [Int]
  let source: [S]
  let offsets: [Int]
  let sourceOffsets: [Int]

  init(
    _ set: InstructionSet, _ radices: [Int], vectors: Int, _ random: inout SplitMix64,
    _ numbers: (inout SplitMix64, Int) -> [S]
  ) {
    kernels = S.microkernels(set)
    self.radices = radices
    offsets = Array((0..<200).shuffled(using: &random).prefix(radices.reduce(1, *)))
    sourceOffsets = scatteredOffsets(vectors, below: 50, &random)
    source = numbers(&random, 250 + kernels.lanes)
  }

  /// What lies behind the destination.
  var guards: [S] { Guarded<S>(kernels.lanes).values }

  /// The sums of all vectors, and what lies behind them.
  func run(_ offsets: [Int]) -> [S] {
    let arena = Arena()
    let count = (sourceOffsets.count + 1) * kernels.lanes
    let destination = arena.copy(Guarded<S>(count).values)
    let call = arena.zeroed(equiconv_orbit_sum_call.self)
    call.pointee.source = UnsafeRawPointer(arena.copy(source))
    call.pointee.destination = UnsafeMutableRawPointer(destination)
    call.pointee.offsets = UnsafePointer(arena.copy(offsets))
    call.pointee.radices = UnsafePointer(arena.copy(radices))
    call.pointee.radix_count = radices.count
    call.pointee.source_offsets = UnsafePointer(arena.copy(sourceOffsets))
    call.pointee.vector_count = sourceOffsets.count
    kernels.orbitSum(call)
    return withExtendedLifetime(arena) { destination.array(count) }
  }
}
