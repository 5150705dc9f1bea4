// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import Testing
import _EquiconvTestSupport

/// Which steps are left of a network, and that they compute the same.
@Suite struct SimplificationTests {
  private static func image(_ channels: Int = 2) -> Sketch {
    Sketch(groups: ["C4": .cyclic4], input: .init(name: "image", dimension: 2, channels: channels))
  }

  private static let lifting = Layer(from: .plane, to: .group, group: .cyclic4, padding: [1, 1])
  private static let group = Layer(from: .group, to: .group, group: .cyclic4, padding: [1, 1])

  /// The kinds of the steps, and whether a pointwise function is part of each.
  private func steps(_ sketch: Sketch) throws -> [String] {
    try sketch.network().program.steps.map { step in
      let name =
        switch step.work {
        case .convolution: "convolution"
        case .transposed: "transposed"
        case .linear: "linear"
        case .affine: "affine"
        case .pointwise: "pointwise"
        case .add: "add"
        case .copy: "copy"
        case .view: "view"
        default: "other"
        }
      return name + (step.pointwise == nil ? "" : " + function")
    }
  }

  private func checkUnchanged(_ sketch: Sketch, _ shape: [Int]) throws {
    let input: [Double] = sketch.input(shape)
    let (folded, plain) = (try sketch.network(), try sketch.network(simplified: false))
    for (a, b) in zip(try folded.outputs(input, shape), try plain.outputs(input, shape)) {
      #expect(a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-12 })
    }
  }

  @Test func norms_andFunctions_becomePartOfTheLayersBeforeThem() throws {
    let n = Self.image()
    n.convolution(Self.lifting, from: 2, to: 3, kernel: 3)
    n.batchNorm(3)
    n.add(.pointwise(.relu))
    n.convolution(Self.group, from: 3, to: 4, kernel: 3, bias: false)
    n.batchNorm(4)
    n.batchNorm(4, weighted: false)
    n.add(.pointwise(.silu))
    n.transposed(
      Layer(from: .group, to: .group, group: .cyclic4, stride: [2, 2]), from: 4, to: 2, kernel: 2, padding: [0, 0])
    n.batchNorm(2)
    n.add(.groupPool(.mean, stabilizer: nil))
    n.add(.spatialMean)
    n.linear(2, to: 5)
    n.batchNorm(5)
    n.add(.pointwise(.tanh))
    n.outputs()
    #expect(
      try steps(n) == [
        "convolution + function", "convolution + function", "transposed", "other", "other", "linear + function",
      ])
    try checkUnchanged(n, [2, 2, 6, 5])
  }

  @Test func norms_ofValuesThatOthersRead_stay() throws {
    let n = Self.image()
    let a = n.convolution(Self.lifting, from: 2, to: 3, kernel: 3)
    n.batchNorm(3)
    let b = n.add(.pointwise(.relu))
    let c = n.convolution(Self.group, from: 3, to: 3, kernel: 3)
    let d = n.batchNorm(3)
    n.add(.add, [a, b, d])
    let e = n.add(.pointwise(.relu))
    n.outputs(c, e)
    #expect(
      try steps(n) == ["convolution", "affine + function", "convolution", "affine", "add + function"])
    try checkUnchanged(n, [3, 2, 5, 5])
  }

  @Test func norms_ofTheInput_areNotFoldedIntoLayersAfterThem() throws {
    let n = Self.image()
    n.document.input.normalization = .init(mean: [1, 2], deviation: [3, 4])
    n.batchNorm(2)
    n.convolution(Self.lifting, from: 2, to: 3, kernel: 3)
    n.outputs()
    #expect(try steps(n) == ["affine", "convolution"])
    try checkUnchanged(n, [1, 2, 4, 4])
  }

  @Test func steps_thatNoOutputDependsOn_areDropped() throws {
    let n = Self.image()
    let a = n.convolution(Self.lifting, from: 2, to: 3, kernel: 3)
    n.add(.pointwise(.relu))
    n.convolution(Self.group, from: 3, to: 3, kernel: 3)
    n.outputs(a)
    #expect(try steps(n) == ["convolution"])
  }

  @Test func outputs_ofOneValue_andViews_areCopies() throws {
    let n = Self.image()
    n.document.input.extents = [3, 4]
    let a = n.add(.flatten)
    let b = n.add(.pointwise(.relu), ["image"])
    let c = n.add(.flatten)
    n.outputs(a, b, b, c, c)
    #expect(try steps(n) == ["copy", "pointwise + function", "copy", "copy", "copy"])
    let shape = [2, 2, 3, 4]
    let input: [Double] = n.input(shape)
    let outputs = try n.network().outputs(input, shape)
    #expect(outputs[0] == input && outputs[1] == outputs[2] && outputs[3] == outputs[1] && outputs[4] == outputs[1])
  }
}
