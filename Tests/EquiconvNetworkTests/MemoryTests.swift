// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import Testing
import _EquiconvTestSupport

/// How much memory signals take, and how images are divided.
@Suite struct MemoryTests {
  /// Layers one after the other: 3 → 16 … → 64 channels with pools, then means and a linear map.
  static func chain(_ group: PointGroup = .cyclic4, widths: [Int] = [16, 32, 64]) -> Sketch {
    let n = Sketch(.float32, groups: ["H": group], input: .init(name: "image", dimension: 2, channels: 3))
    var channels = 3
    for (number, width) in widths.enumerated() {
      if number > 0 { n.add(.spatialPool(.max, kernel: [2, 2], stride: [2, 2], padding: [0, 0])) }
      for part in 0..<(number + 1 < widths.count ? 2 : 1) {
        let space: SignalSpace = number + part == 0 ? .plane : .group
        n.convolution(
          Layer(from: space, to: .group, group: group, padding: [1, 1]), from: channels, to: width, kernel: 3)
        n.batchNorm(width)
        n.add(.pointwise(.relu))
        channels = width
      }
    }
    n.add(.spatialMean)
    n.add(.groupPool(.mean, stabilizer: nil))
    n.linear(channels, to: 10)
    return n.outputs()
  }

  private func counts(_ program: NetworkProgram, _ extents: [Int]) throws -> [Int] {
    let graph = program.graph
    return try program.values.map { value in
      let spatial = try graph.extents(input: extents)[value.extents]
      return value.channels * value.points * spatial.reduce(1, *)
    }
  }

  @Test(arguments: [[64, 64], [33, 20], [8, 8]])
  func chains_takeAtMostAThirdMoreThanTheirTwoLargestSignals(_ extents: [Int]) throws {
    for group in [PointGroup.cyclic4, .dihedral4] {
      for widths in [[16, 32, 64], [4, 4, 4, 4], [8], [3, 50, 2]] {
        let program = try Self.chain(group, widths: widths).network().program
        let counts = try counts(program, extents)
        let schedule = Schedule(steps: program.steps.count, images: 1)
        let arena = Arena(program, counts: counts, schedule: schedule, alignment: 16)
        let written = Set(program.steps.map(\.output)).map { counts[$0] }.sorted(by: >)
        #expect(Double(arena.count) <= 1.3 * Double(written[0] + written[1]) + 64)
        #expect(ArenaSimulation(program, counts, schedule, arena).firstError == nil)
      }
    }
  }

  @Test func concatenations_areWrittenWhereTheyAreRead() throws {
    let n = Sketch(.float32, groups: ["C4": .cyclic4], input: .init(name: "image", dimension: 2, channels: 3))
    let layer = Layer(from: .group, to: .group, group: .cyclic4, padding: [1, 1])
    var last = n.convolution(
      Layer(from: .plane, to: .group, group: .cyclic4, padding: [1, 1]), from: 3, to: 4, kernel: 3)
    for block in 1...3 {
      let grown = n.convolution(layer, from: 4 * block, to: 4, kernel: 3, last)
      last = n.add(.concatenate, [last, grown])
    }
    let program = try n.outputs().network().program
    let counts = try counts(program, [8, 8])
    let one = Arena(program, counts: counts, schedule: Schedule(steps: program.steps.count, images: 1), alignment: 16)
    // All values are parts of the output.
    #expect(one.count == 0)
    let several = Schedule(steps: program.steps.count, images: 2)
    let arena = Arena(program, counts: counts, schedule: several, alignment: 16)
    #expect(arena.count > 0 && ArenaSimulation(program, counts, several, arena).firstError == nil)
  }

  @Test func shares_haveEveryImageOnce() {
    for threads in 1...9 {
      for batch in 1...40 {
        for most in [1, 2, 3, 8, 100] {
          let division = ShareDivision(batch: batch, threads: threads) { _ in most }
          #expect(division.owned + division.leftOver == batch && division.threads <= threads)
          #expect(2 * division.leftOver <= threads)
          let images = (0..<division.shares).map(division.images)
          #expect(images.flatMap { Array($0) } == Array(0..<division.owned))
          #expect(images.allSatisfy { 1...max(1, division.share) ~= $0.count && $0.count <= most })
        }
      }
    }
  }

  @Test func schedules_haveEveryStepOnce_andPortionsWithinTheShare() {
    var random = SplitMix64(seed: 9)
    for _ in 0..<200 {
      let wanted = (0..<Int.random(in: 1...12, using: &random)).map { _ -> Int? in
        Int.random(in: 0..<3, using: &random) == 0 ? nil : 1 << Int.random(in: 0...5, using: &random)
      }
      let most = Int.random(in: 1...20, using: &random)
      let schedule = Schedule(wanted: wanted, mostImages: most)
      #expect(schedule.segments.flatMap { Array($0.steps) } == Array(wanted.indices))
      #expect(schedule.images <= most && schedule.segments.allSatisfy { 1...schedule.images ~= $0.images })
    }
  }
}
