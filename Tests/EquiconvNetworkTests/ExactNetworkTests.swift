// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import Testing
import _EquiconvTestSupport

/// Laws of the exact mode that hold to the last bit.
@Suite struct ExactNetworkTests {
  /// A network with norms, functions and all pools; stride 2 in the plane where the extents are odd.
  static func sketch(_ group: PointGroup, strided: Bool) -> Sketch {
    let d = group.dimension
    let each = { (value: Int) in Extents(repeating: value, count: d) }
    let n = Sketch(.float32, groups: ["H": group], input: .init(name: "image", dimension: d, channels: 2))
    n.document.input.normalization = .init(scale: 0.5, mean: [0.1, 0.2], deviation: [0.7, 0.9])
    n.convolution(Layer(from: .plane, to: .group, group: group, padding: each(1)), from: 2, to: 4, kernel: 3)
    n.batchNorm(4)
    let a = n.add(.pointwise(.relu))
    n.convolution(Layer(from: .group, to: .group, group: group, padding: each(1)), from: 4, to: 4, kernel: 3)
    n.batchNorm(4)
    n.add(.add, [n.last, a])
    n.add(.pointwise(.silu))
    let k = strided ? 3 : 2
    n.add(.spatialPool(.max, kernel: each(k).values, stride: each(2).values, padding: each(k - 2).values))
    let stride = strided ? 2 : 1
    n.convolution(
      Layer(from: .group, to: .group, group: group, stride: each(stride), padding: each(1)), from: 4, to: 3, kernel: 3)
    n.add(.pointwise(.elu(alpha: 1)))
    n.add(.spatialPool(.mean, kernel: each(3).values, stride: each(1).values, padding: each(1).values))
    let b = n.add(.upsample(.linear(alignsCorners: false), factors: each(2).values))
    let c = n.add(.groupPool(.max, stabilizer: nil))
    n.add(.spatialMean, [b])
    n.add(.groupPool(.mean, stabilizer: nil))
    n.linear(3, to: 4)
    let scores = n.add(.softmax)
    return n.outputs(scores, c, b)
  }

  struct Case: Sendable, CustomStringConvertible {
    let description: String
    let group: PointGroup
    let extents: [Int]
    let strided: Bool
  }

  static let cases = [
    Case(description: "C4, even", group: .cyclic4, extents: [8, 10], strided: false),
    Case(description: "C4, odd", group: .cyclic4, extents: [13, 9], strided: true),
    Case(description: "D4, even", group: .dihedral4, extents: [6, 8], strided: false),
    Case(description: "D4, odd", group: .dihedral4, extents: [9, 9], strided: true),
    Case(description: "octahedral, even", group: .octahedral, extents: [4, 6, 4], strided: false),
    Case(description: "octahedral, odd", group: .octahedral, extents: [5, 5, 9], strided: true),
  ]

  @Test(arguments: cases)
  func network_ofATurnedInput_isTheTurnedNetwork(_ test: Case) throws {
    let network = try Self.sketch(test.group, strided: test.strided).network(.exact)
    let shape = [2, 2] + test.extents
    var random = SplitMix64(seed: 3)
    let input: [Float] = random.reals(shape.reduce(1, *))
    let plain = try ProcessSettings.alone { try network.outputs(input, shape) }
    for g in 0..<test.group.order {
      let spatial = Extents(test.extents)
      let sizes = turned(spatial, by: g, test.group)
      let moved = try act(test.group, g, on: .plane, batch: 2, channels: 2, spatial: spatial, input)
      let outputs = try ProcessSettings.alone { try network.outputs(moved, [2, 2] + sizes.values) }
      #expect(haveSameBits(outputs[0], plain[0]), "scores, element \(g)")
      for (number, space) in [(1, SignalSpace.plane), (2, .group)] {
        let channels = 3
        let before = try network.outputShape(number, input: shape).suffix(test.group.dimension)
        let wanted = try act(
          test.group, g, on: space, batch: 2, channels: channels, spatial: Extents(Array(before)), plain[number])
        #expect(haveSameBits(outputs[number], wanted), "output \(number), element \(g)")
      }
    }
  }

  @Test(arguments: cases)
  func bits_dependNeitherOnThreadsNorOnTheBatch(_ test: Case) throws {
    let network = try Self.sketch(test.group, strided: test.strided).network(.exact)
    let shape = [9, 2] + test.extents
    var random = SplitMix64(seed: 4)
    let input: [Float] = random.reals(shape.reduce(1, *))
    try ProcessSettings.alone {
      let before = Threads.count
      defer { try? Threads.setCount(before) }
      try Threads.setCount(1)
      let whole = try network.outputs(input, shape)
      for threads in [1, 2, 3, 4, 7] {
        try Threads.setCount(threads)
        #expect(zip(try network.outputs(input, shape), whole).allSatisfy(haveSameBits), "\(threads) threads")
        for batch in [1, 2, 5] {
          let size = input.count / 9
          let first = 9 - batch
          let part = try network.outputs(Array(input[(first * size)...]), [batch, 2] + test.extents)
          for (a, b) in zip(part, whole) {
            #expect(haveSameBits(a, Array(b[(b.count / 9 * first)...])), "\(batch) images, \(threads) threads")
          }
        }
      }
    }
  }
}
