// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import Testing
import _EquiconvTestSupport

/// Random networks: values that are read several times, branches, sums, concatenations, several outputs.
@Suite struct RandomNetworkTests {
  /// A network of some twenty operations on C4, with an input of this shape.
  static func sketch(_ seed: UInt64, _ scalar: NetworkDocument.Scalar = .float64) -> Sketch {
    var random = SplitMix64(seed: seed)
    let n = Sketch(
      scalar, groups: ["C4": .cyclic4], seed: seed, input: .init(name: "image", dimension: 2, channels: 2))
    if seed % 2 == 0 { n.document.input.normalization = .init(scale: 0.5, mean: [0.1, -0.2], deviation: [0.7, 1.2]) }
    let first = n.convolution(
      Layer(from: .plane, to: .group, group: .cyclic4, padding: [1, 1]), from: 2, to: 3, kernel: 3)
    // Values on the group, with their channels; all of equal extents.
    var values = [(first, 3)]
    for _ in 0..<Int.random(in: 8...24, using: &random) {
      let (value, channels) = values.randomElement(using: &random)!
      values.append(step(n, value, channels, values, &random))
    }
    let outputs = values.map(\.0).filter { _ in Int.random(in: 0..<6, using: &random) == 0 }.suffix(6)
    let pooled = n.add(.groupPool(.mean, stabilizer: nil), [values.last!.0])
    n.document.outputs = (outputs + [pooled, outputs.first ?? pooled]).enumerated().map {
      .init(name: "output\($0)", value: $1)
    }
    return n
  }

  private static func step(
    _ n: Sketch, _ value: String, _ channels: Int, _ values: [(String, Int)], _ random: inout SplitMix64
  ) -> (String, Int) {
    let layer = Layer(from: .group, to: .group, group: .cyclic4, padding: [1, 1])
    switch Int.random(in: 0..<9, using: &random) {
    case 0, 1:
      let outputs = Int.random(in: 1...4, using: &random)
      return (n.convolution(layer, from: channels, to: outputs, kernel: 3, value), outputs)
    case 2: return (n.batchNorm(channels, value), channels)
    case 3: return (n.add(.pointwise(.relu), [value]), channels)
    case 4: return (n.add(.pointwise(.tanh), [value]), channels)
    case 5:
      let others = values.filter { $0.1 == channels }.map(\.0)
      let count = Int.random(in: 1...2, using: &random)
      return (n.add(.add, [value] + (0..<count).map { _ in others.randomElement(using: &random)! }), channels)
    case 6, 7:
      var parts = [(value, channels)]
      for _ in 0..<Int.random(in: 1...2, using: &random) { parts.append(values.randomElement(using: &random)!) }
      let sum = parts.reduce(0) { $0 + $1.1 }
      let joined = n.add(.concatenate, parts.map(\.0))
      return sum <= 12 ? (joined, sum) : (n.convolution(layer, from: sum, to: 2, kernel: 3, joined), 2)
    default:
      return (
        n.add(.spatialPool(.mean, kernel: [3, 3], stride: [1, 1], padding: [1, 1]), [value]), channels
      )
    }
  }

  @Test(arguments: 1...24)
  func network_ofRandomOperations_isTheNaiveInterpreters(_ seed: Int) throws {
    let n = Self.sketch(UInt64(seed))
    for (batch, extents) in [(1, [5, 6]), (3, [4, 4])] {
      let shape = [batch, 2] + extents
      let input: [Double] = n.input(shape)
      let expected = NaiveNetwork(sketch: n).outputs(input, shape)
      for simplified in [true, false] {
        let outputs = try n.network(simplified: simplified).outputs(input, shape)
        for (output, wanted) in zip(outputs, expected) {
          let scale = largest(wanted.numbers.map { abs($0) } + [1])
          let error = largest(zip(output, wanted.numbers).map { abs($0 - $1) })
          #expect(error <= 1e-12 * scale * 24)
        }
      }
    }
  }

  @Test(arguments: 1...24)
  func arena_ofRandomNetworks_neverOverwritesWhatIsStillNeeded(_ seed: Int) throws {
    let program = try Self.sketch(UInt64(seed)).network(simplified: seed % 3 != 0).program
    var random = SplitMix64(seed: UInt64(seed))
    let counts = program.values.map { $0.channels * $0.points * 4 }
    for trial in 0..<8 {
      let schedule = trial == 0 ? Schedule(steps: program.steps.count, images: 1) : Self.schedule(program, &random)
      let arena = Arena(program, counts: counts, schedule: schedule, alignment: 16)
      #expect(ArenaSimulation(program, counts, schedule, arena).firstError == nil)
    }
  }

  /// Random segments, of random numbers of images at a time.
  static func schedule(_ program: NetworkProgram, _ random: inout SplitMix64) -> Schedule {
    let images = Int.random(in: 1...6, using: &random)
    var (segments, first) = ([Schedule.Segment](), 0)
    while first < program.steps.count {
      let end = min(program.steps.count, first + Int.random(in: 1...8, using: &random))
      segments.append(.init(steps: first..<end, images: Int.random(in: 1...images, using: &random)))
      first = end
    }
    return Schedule(images: images, segments: segments)
  }
}
