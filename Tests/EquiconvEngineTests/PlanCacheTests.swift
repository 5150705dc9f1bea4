// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

@Suite struct PlanCacheTests {
  @Test func equalDescriptors_shareOnePlan() throws {
    let sizes = LayerCase([41, 43], kernel: [3], padding: [Layer.same], channels: (2, 3))
    let plan = try ConvolutionPlan.cached(sizes.descriptor(.group, .cyclic(4)))
    #expect(try ConvolutionPlan.cached(sizes.descriptor(.group, .cyclic(4))) === plan)
    // The same group from its matrices.
    let c4 = try PointGroup.cyclic(4)
    let sameGroup = try PointGroup(dimension: 2, matrices: c4.matrices, name: "quarter turns")
    #expect(try ConvolutionPlan.cached(sizes.descriptor(.group, sameGroup)) === plan)
    #expect(plan.descriptor.layer.padding == [1, 1])
  }

  @Test func differentDescriptors_haveDifferentPlans() throws {
    let original = LayerCase([41, 44], kernel: [3], stride: [2], padding: [1], dilation: [2], channels: (2, 3))
    let c4 = try PointGroup.cyclic(4)
    let plan = try ConvolutionPlan.cached(original.descriptor(.group, c4))
    let changes: [(inout LayerCase) -> Void] = [
      { $0.spatial = [44, 41] }, { $0.kernel = [5, 5] }, { $0.stride = [1, 1] }, { $0.padding = [2, 2] },
      { $0.dilation = [1, 1] }, { $0.mode = .circular }, { $0.mode = .reflect }, { $0.mode = .replicate },
      { $0.inChannels = 3 }, { $0.outChannels = 2 },
    ]
    var descriptors = changes.map { change in
      var sizes = original
      change(&sizes)
      return sizes.descriptor(.group, c4)
    }
    descriptors += [original.descriptor(.lifting, c4), original.descriptor(.group, try .cyclic(2))]
    var plans = [plan]
    for descriptor in descriptors {
      let other = try ConvolutionPlan.cached(descriptor)
      #expect(other.descriptor == descriptor)
      #expect(plans.allSatisfy { $0 !== other })
      plans.append(other)
    }
  }

  /// The cache forgets, it does not grow: what it forgot is made again and gives the same.
  @Test func manyPlans_areMadeAgain() throws {
    var random = SplitMix64(seed: 131)
    let sizes = LayerCase([9, 9], kernel: [3])
    let first = try ConvolutionPlan.cached(sizes.descriptor(.lifting, .cyclic(4)))
    let numbers = try first.reals(Float.self, batch: 1, &random)
    let output = try first.forward(numbers, batch: 1)
    for width in 10..<110 {
      let plan = try ConvolutionPlan.cached(LayerCase([9, width], kernel: [3]).descriptor(.lifting, .cyclic(4)))
      #expect(plan.outputSpatial == [7, width - 2])
    }
    let again = try ConvolutionPlan.cached(sizes.descriptor(.lifting, .cyclic(4)))
    #expect(again !== first)
    #expect(try firstDifferenceInBits(again.forward(numbers, batch: 1), output) == nil)
  }

  @Test func wrongDescriptors_areRefusedEachTime() throws {
    let sizes = LayerCase([9, 9], kernel: [3], stride: [0])
    for _ in 0..<2 {
      #expect(throws: ConvolutionError(.invalidStride, .stride[0], 0, expected: "a positive number")) {
        _ = try ConvolutionPlan.cached(sizes.descriptor(.lifting, .cyclic(4)))
      }
    }
  }
}
