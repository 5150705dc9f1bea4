// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvErrors
import _EquiconvTestSupport

/// A layer says which shapes go together, and a plan of it has them.
@Suite struct LayerTests {
  @Test(arguments: LayerKind.allCases, GroupCatalog.lattice)
  func shapesOfALayer_areThoseOfItsPlans(_ kind: LayerKind, _ group: PointGroup) throws {
    for sizes in LayerCase.all(for: group) {
      let descriptor = sizes.descriptor(kind, group)
      let plan = try ConvolutionPlan(descriptor)
      let (input, layer) = (try plan.inputShape(batch: sizes.batch), descriptor.layer)
      let weight = try layer.weightShape(
        outChannels: descriptor.outChannels, inChannels: descriptor.inChannels, kernel: descriptor.kernel)
      #expect(weight == plan.weightShape)
      #expect(try layer.descriptor(input: input, weight: weight) == descriptor)
      #expect(try layer.outputShape(input: input, weight: weight) == plan.outputShape(batch: sizes.batch))
      #expect(try layer.strideRemainder(input: input, weight: weight) == plan.strideRemainder)
    }
  }

  @Test(arguments: GeneralCase.all)
  func shapesBetweenQuotients_areThoseOfPlans(_ general: GeneralCase) throws {
    let plan = try ConvolutionPlan(general.descriptor)
    let input = try plan.inputShape(batch: 2)
    #expect(
      try general.descriptor.layer.outputShape(input: input, weight: plan.weightShape) == plan.outputShape(batch: 2))
  }

  /// Wrong shapes, and the argument and the value that the error names.
  @Test(
    arguments: [
      ([1, 2, 4, 8], [3, 2, 4, 3, 3], .input, "of shape (1, 2, 4, 8)"),
      ([1, 2, 3, 8, 8], [3, 2, 4, 3, 3], .input, "of shape (1, 2, 3, 8, 8)"),
      ([-1, 2, 4, 8, 8], [3, 2, 4, 3, 3], .batch, "-1"),
      ([1, 2, 4, 0, 8], [3, 2, 4, 3, 3], .spatial[0], "0"),
      ([1, 2, 4, 8, 8], [3, 2, 3, 3], .weight, "of shape (3, 2, 3, 3)"),
      ([1, 2, 4, 8, 8], [3, 2, 1, 3, 3], .weight, "of shape (3, 2, 1, 3, 3)"),
      ([1, 2, 4, 8, 8], [3, 5, 4, 3, 3], .weight, "of shape (3, 5, 4, 3, 3)"),
      ([1, 2, 4, 8, 8], [0, 2, 4, 3, 3], .weight, "of shape (0, 2, 4, 3, 3)"),
      ([1, 2, 4, 2, 2], [3, 2, 4, 3, 3], .kernel[0], "3"),
    ] as [([Int], [Int], Argument, String)])
  func wrongShape_isRefused_namingArgumentAndValue(
    _ input: [Int], _ weight: [Int], _ argument: Argument, _ value: String
  ) throws {
    let layer = Layer(from: .group, to: .group, group: try .cyclic(4))
    let error = #expect(throws: ConvolutionError.self) { try layer.outputShape(input: input, weight: weight) }
    #expect(error?.argument == argument)
    #expect(error?.value == value)
  }
}
