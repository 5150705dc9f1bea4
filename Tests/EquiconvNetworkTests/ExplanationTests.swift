// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import Testing
import _EquiconvTestSupport

/// What is called exact is so to the last bit, and what is not called so is not.
@Suite struct ExplanationTests {
  struct Case: Sendable, CustomStringConvertible {
    let description: String
    var group = PointGroup.cyclic4
    let extents: [Int]
    var isExact: Bool
    var input = SignalSpace.plane
    var output = SignalSpace.plane
    let add: @Sendable (Sketch, PointGroup) -> Void
  }

  private static func pool(
    _ kernel: [Int], _ stride: [Int], _ padding: [Int]
  ) -> @Sendable (Sketch, PointGroup) -> Void {
    { sketch, _ in sketch.add(.spatialPool(.max, kernel: kernel, stride: stride, padding: padding)) }
  }

  private static func lifting(_ stride: [Int], padding: Int = 0) -> @Sendable (Sketch, PointGroup) -> Void {
    { sketch, group in
      let layer = Layer(
        from: .plane, to: .group, group: group, stride: Extents(stride), padding: [padding, padding])
      sketch.convolution(layer, from: 1, to: 1, kernel: 3)
    }
  }

  private static func transposed(_ outputPadding: [Int]) -> @Sendable (Sketch, PointGroup) -> Void {
    { sketch, group in
      let layer = Layer(from: .group, to: .group, group: group, stride: [2, 2], padding: [1, 1])
      sketch.transposed(layer, from: 1, to: 1, kernel: 3, padding: outputPadding)
    }
  }

  private static func add(_ kind: NetworkOperation.Kind) -> @Sendable (Sketch, PointGroup) -> Void {
    { sketch, _ in sketch.add(kind) }
  }

  static let cases = [
    Case(description: "pool, no remainder", extents: [7, 9], isExact: true, add: pool([3, 3], [2, 2], [0, 0])),
    Case(description: "pool, remainder", extents: [7, 8], isExact: false, add: pool([3, 3], [2, 2], [0, 0])),
    Case(description: "pool, padded", extents: [7, 9], isExact: true, add: pool([3, 3], [2, 2], [1, 1])),
    Case(description: "pool, axes differ", extents: [8, 8], isExact: false, add: pool([2, 1], [2, 1], [0, 0])),
    Case(
      description: "pool, C2, axes differ", group: .cyclic2, extents: [8, 8], isExact: true,
      add: pool([2, 1], [2, 1], [0, 0])),
    Case(
      description: "pool, remainder, one element", group: .trivial2, extents: [8, 8], isExact: true,
      add: pool([3, 3], [2, 2], [0, 0])),
    Case(description: "layer, no remainder", extents: [7, 9], isExact: true, output: .group, add: lifting([2, 2])),
    Case(description: "layer, remainder", extents: [8, 8], isExact: false, output: .group, add: lifting([2, 2])),
    Case(
      description: "transposed", extents: [5, 4], isExact: true, input: .group, output: .group,
      add: transposed([0, 0])),
    Case(
      description: "transposed, padded", extents: [5, 4], isExact: false, input: .group, output: .group,
      add: transposed([1, 1])),
    Case(description: "nearest", extents: [4, 5], isExact: true, add: add(.upsample(.nearest, factors: [2, 2]))),
    Case(
      description: "linear", extents: [4, 5], isExact: true,
      add: add(.upsample(.linear(alignsCorners: false), factors: [2, 2]))),
    Case(
      description: "linear, axes differ", extents: [4, 4], isExact: false,
      add: add(.upsample(.linear(alignsCorners: true), factors: [2, 1]))),
    Case(description: "flatten of pixels", extents: [2, 2], isExact: false, add: add(.flatten)),
    Case(description: "flatten of one pixel", extents: [1, 1], isExact: true, add: add(.flatten)),
    Case(description: "flatten of a fiber", extents: [1, 1], isExact: false, input: .group, add: add(.flatten)),
    Case(
      description: "flatten, one element", group: .trivial2, extents: [2, 3], isExact: true, add: add(.flatten)),
    Case(description: "pointwise", extents: [4, 5], isExact: true, add: add(.pointwise(.gelu))),
  ]

  @Test(arguments: cases)
  func exactness_isThatOfTurnedInputs(_ test: Case) throws {
    let group = test.group
    let sketch = Sketch(
      .float32, groups: ["H": group],
      input: .init(
        name: "x", dimension: 2, space: test.input, group: test.input == .plane ? nil : "H", channels: 1))
    // A flattening reads fixed extents, which turned inputs keep if they are equal.
    if group.order == 1 || test.extents[0] == test.extents[1] { sketch.document.input.extents = test.extents }
    test.add(sketch, group)
    let network = try sketch.outputs().network(.exact)
    let fiber = test.input == .plane ? [] : [group.order]
    let shape = [1, 1] + fiber + test.extents
    #expect(try network.explain(input: shape).map(\.isExact) == [test.isExact])
    let input: [Float] = sketch.input(shape)
    let plain = try network.outputs(input, shape)[0]
    let wrote = try network.outputShape(0, input: shape)
    let commutes = try (0..<group.order).allSatisfy { g in
      let spatial = Extents(test.extents)
      let moved = try act(group, g, on: test.input, batch: 1, channels: 1, spatial: spatial, input)
      let turnedShape = [1, 1] + fiber + turned(spatial, by: g, group).values
      let result = try network.outputs(moved, turnedShape)[0]
      if wrote.count == 2 { return haveSameBits(result, plain) }
      let wanted = try act(
        group, g, on: test.output, batch: 1, channels: 1, spatial: Extents(Array(wrote.suffix(2))), plain)
      return haveSameBits(result, wanted)
    }
    #expect(commutes == test.isExact)
  }
}
