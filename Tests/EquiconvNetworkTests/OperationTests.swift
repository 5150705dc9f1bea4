// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import Testing
import _EquiconvTestSupport

/// Each operation in a network of its own, against its definition.
@Suite struct OperationTests {
  static let c4 = PointGroup.cyclic4, d4 = PointGroup.dihedral4

  /// A network, and the shape of an input for it.
  typealias Case = (name: String, make: @Sendable (NetworkDocument.Scalar) -> (Sketch, [Int]))

  static func plane(_ scalar: NetworkDocument.Scalar, _ channels: Int, dimension: Int = 2) -> Sketch {
    Sketch(
      scalar, groups: ["C4": c4, "D4": d4], input: .init(name: "image", dimension: dimension, channels: channels))
  }

  static func group(_ scalar: NetworkDocument.Scalar, _ channels: Int, _ name: String = "C4") -> Sketch {
    Sketch(
      scalar, groups: ["C4": c4, "D4": d4],
      input: .init(name: "image", dimension: 2, space: .group, group: name, channels: channels))
  }

  static let cases: [Case] = layers + fibers + spatial

  static let layers: [Case] = [
    (
      "lifting",
      { s in
        let n = plane(s, 3)
        n.convolution(Layer(from: .plane, to: .group, group: c4, padding: [1, 1]), from: 3, to: 4, kernel: 3)
        return (n.outputs(), [2, 3, 9, 8])
      }
    ),
    (
      "group with stride, no bias",
      { s in
        let n = group(s, 2)
        n.convolution(
          Layer(from: .group, to: .group, group: c4, stride: [2, 2], padding: [1, 1]), from: 2, to: 3, kernel: 3,
          bias: false)
        return (n.outputs(), [2, 2, 4, 7, 9])
      }
    ),
    (
      "depthwise",
      { s in
        let n = group(s, 3)
        n.convolution(
          Layer(from: .group, to: .group, group: c4, padding: [1, 1], channelGroups: 3), from: 3, to: 3, kernel: 3)
        return (n.outputs(), [1, 3, 4, 6, 6])
      }
    ),
    (
      "reflected, in groups of channels",
      { s in
        let n = group(s, 4)
        n.convolution(
          Layer(
            from: .group, to: .group, group: c4, padding: [2, 2], paddingMode: .reflect, channelGroups: 2), from: 4,
          to: 6, kernel: 3)
        return (n.outputs(), [2, 4, 4, 5, 6])
      }
    ),
    (
      "projection",
      { s in
        let n = group(s, 2)
        n.convolution(Layer(from: .group, to: .plane, group: c4), from: 2, to: 3, kernel: 3)
        return (n.outputs(), [2, 2, 4, 5, 6])
      }
    ),
    (
      "transposed",
      { s in
        let n = group(s, 3)
        n.transposed(
          Layer(from: .group, to: .group, group: c4, stride: [2, 2], padding: [1, 1]), from: 3, to: 2, kernel: 3,
          padding: [1, 0])
        return (n.outputs(), [2, 3, 4, 4, 5])
      }
    ),
    (
      "transposed lifting",
      { s in
        let n = group(s, 2)
        n.transposed(
          Layer(from: .plane, to: .group, group: c4, stride: [2, 2]), from: 2, to: 3, kernel: 4, padding: [0, 0])
        return (n.outputs(), [1, 2, 4, 4, 4])
      }
    ),
    (
      "linear",
      { s in
        let n = plane(s, 5)
        n.add(.spatialMean)
        n.linear(5, to: 7)
        return (n.outputs(), [3, 5, 4, 4])
      }
    ),
    (
      "batch norm",
      { s in
        let n = group(s, 3)
        n.batchNorm(3)
        return (n.outputs(), [2, 3, 4, 5, 4])
      }
    ),
    (
      "batch norm without weights",
      { s in
        let n = plane(s, 3)
        n.batchNorm(3, weighted: false)
        return (n.outputs(), [2, 3, 5, 4])
      }
    ),
    (
      "normalization",
      { s in
        let n = plane(s, 2)
        n.document.input.normalization = .init(scale: 1 / 255, mean: [0.1, 0.4], deviation: [0.3, 0.2])
        n.convolution(Layer(from: .plane, to: .group, group: c4, padding: [1, 1]), from: 2, to: 2, kernel: 3)
        return (n.outputs(), [2, 2, 6, 6])
      }
    ),
  ]

  static let fibers: [Case] = [
    (
      "group mean",
      { s in
        let n = group(s, 2)
        n.add(.groupPool(.mean, stabilizer: nil))
        return (n.outputs(), [2, 2, 4, 5, 3])
      }
    ),
    (
      "group max",
      { s in
        let n = group(s, 2, "D4")
        n.add(.groupPool(.max, stabilizer: nil))
        return (n.outputs(), [2, 2, 8, 5, 3])
      }
    ),
    (
      "partial pools",
      { s in
        let n = group(s, 2, "D4")
        n.add(.groupPool(.mean, stabilizer: [0, 4]))
        n.add(.groupPool(.max, stabilizer: [0, 1, 2, 3]), ["image"])
        return (n.outputs("v0", "v1"), [2, 2, 8, 3, 4])
      }
    ),
    (
      "restrict",
      { s in
        let n = group(s, 2, "D4")
        n.add(.restrict(subgroup: [0, 2, 4, 6]))
        return (n.outputs(), [2, 2, 8, 3, 4])
      }
    ),
    (
      "induce from the plane and a quotient",
      { s in
        let n = group(s, 2, "D4")
        let pooled = n.add(.groupPool(.mean, stabilizer: [0, 4]))
        n.add(.induce(group: "D4", stabilizer: [0, 4]), [pooled])
        let plane = n.add(.groupPool(.mean, stabilizer: nil), ["image"])
        n.add(.induce(group: "C4", stabilizer: [0, 1, 2, 3]), [plane])
        return (n.outputs("v1", "v3"), [2, 2, 8, 4, 4])
      }
    ),
    (
      "softmax",
      { s in
        let n = group(s, 4)
        n.add(.softmax)
        return (n.outputs(), [2, 4, 4, 3, 3])
      }
    ),
    (
      "flatten",
      { s in
        let n = group(s, 2)
        n.document.input.extents = [3, 2]
        n.add(.flatten)
        n.linear(48, to: 3)
        return (n.outputs("v0", "v1"), [2, 2, 4, 3, 2])
      }
    ),
    (
      "views of one value that are several outputs",
      { s in
        let n = group(s, 2)
        n.document.input.extents = [3, 2]
        n.add(.pointwise(.relu))
        n.add(.flatten, ["v0"])
        n.add(.flatten, ["v0"])
        n.add(.flatten, ["v0"])
        n.linear(48, to: 3)
        return (n.outputs("v1", "v2", "v4"), [2, 2, 4, 3, 2])
      }
    ),
    (
      "add and concatenate",
      { s in
        let n = group(s, 2)
        let a = n.add(.pointwise(.tanh))
        let b = n.add(.pointwise(.sigmoid), ["image"])
        n.add(.add, [a, b, "image", a])
        n.add(.concatenate, [b, "image", a, a])
        return (n.outputs("v2", "v3"), [3, 2, 4, 4, 3])
      }
    ),
  ]

  static let spatial: [Case] = [
    (
      "max and mean pools",
      { s in
        let n = group(s, 2)
        n.add(.spatialPool(.max, kernel: [3, 2], stride: [2, 2], padding: [1, 1]))
        n.add(.spatialPool(.mean, kernel: [3, 3], stride: [2, 1], padding: [1, 0]), ["image"])
        return (n.outputs("v0", "v1"), [2, 2, 4, 7, 8])
      }
    ),
    (
      "mean over space",
      { s in
        let n = group(s, 3)
        n.add(.spatialMean)
        n.add(.groupPool(.mean, stabilizer: nil))
        return (n.outputs("v0", "v1"), [2, 3, 4, 5, 6])
      }
    ),
    (
      "upsampling",
      { s in
        let n = plane(s, 2)
        n.add(.upsample(.nearest, factors: [2, 3]))
        n.add(.upsample(.linear(alignsCorners: false), factors: [2, 2]), ["image"])
        n.add(.upsample(.linear(alignsCorners: true), factors: [3, 2]), ["image"])
        return (n.outputs("v0", "v1", "v2"), [2, 2, 4, 5])
      }
    ),
    (
      "one and three dimensions",
      { s in
        let n = plane(s, 2, dimension: 3)
        n.add(.spatialPool(.max, kernel: [2, 2, 2], stride: [2, 2, 2], padding: [0, 0, 0]))
        n.add(.upsample(.linear(alignsCorners: false), factors: [2, 1, 2]))
        return (n.outputs(), [1, 2, 4, 5, 6])
      }
    ),
  ]

  @Test(arguments: cases.map(\.name))
  func operation_inDouble_isItsDefinition(_ name: String) throws {
    try check(name, .float64, Double.self, tolerance: 1e-12)
  }

  /// Sums of at most 200 products of numbers below about 3: 200 roundings of 2⁻²⁴ each, and as many of what they are
  /// made of.
  @Test(arguments: cases.map(\.name))
  func operation_inFloat_isItsDefinition(_ name: String) throws {
    try check(name, .float32, Float.self, tolerance: 2 * 200 * 3 * 0x1p-24)
  }

  private func check<S: EngineScalar>(
    _ name: String, _ scalar: NetworkDocument.Scalar, _: S.Type, tolerance: Double
  ) throws {
    let (sketch, shape) = Self.cases.first { $0.name == name }!.make(scalar)
    let input: [S] = sketch.input(shape)
    let expected = NaiveNetwork(sketch: sketch).outputs(input.map { Double($0) }, shape)
    for mode in [Network.Mode.fast, .exact] {
      let network = try sketch.network(mode)
      let outputs = try network.outputs(input, shape)
      for (number, (output, wanted)) in zip(outputs, expected).enumerated() {
        #expect(try network.outputShape(number, input: shape).reduce(1, *) == wanted.numbers.count)
        let error = largest(zip(output, wanted.numbers).map { abs(Double($0) - $1) })
        #expect(error <= tolerance && output.count == wanted.numbers.count, "output \(number), \(mode)")
      }
    }
  }

  @Test(arguments: [
    Pointwise.relu, .leakyRelu(slope: 0.1), .elu(alpha: 0.7), .gelu, .geluTanh, .silu, .sigmoid, .tanh,
  ])
  func pointwise_afterEachKindOfStep_isItsDefinition(_ function: Pointwise) throws {
    let n = Self.group(.float64, 3)
    let a = n.convolution(Layer(from: .group, to: .group, group: Self.c4, padding: [1, 1]), from: 3, to: 3, kernel: 3)
    let b = n.add(.pointwise(function))
    n.batchNorm(3)
    let c = n.add(.pointwise(function))
    let d = n.add(.pointwise(function), [a])
    let e = n.add(.add, [a, c])
    n.add(.pointwise(function))
    n.outputs(b, d, n.last, e)
    let shape = [2, 3, 4, 6, 5]
    let input: [Double] = n.input(shape)
    let expected = NaiveNetwork(sketch: n).outputs(input, shape)
    for (output, wanted) in zip(try n.network().outputs(input, shape), expected) {
      for (x, y) in zip(output, wanted.numbers) { #expect(abs(x - y) < 1e-12) }
    }
  }
}
