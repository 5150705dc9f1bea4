// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Sizes that pass for numbers but not for arrays. Each is tried in a process of its own, which must come to an error
/// within a few seconds: a trap or an endless loop would end there, not in the program of a caller.
@Suite struct HostileSizeTests {
  @Test func dilatedKernel_thatReachesAcrossAnEnormousPlane() async {
    await #expect(processExitsWith: .success) {
      expectRefusal {
        let plan = try ConvolutionPlan(
          LayerCase([1, 1, 1], kernel: [2], padding: [1 << 29], dilation: [1 << 30]).descriptor(.lifting, .trivial(3)))
        try forward(plan)
      }
    }
  }

  @Test func dilatedKernel_whosePaddedPlaneHasMoreBytesThanCanBeCounted() async {
    await #expect(processExitsWith: .success) {
      expectRefusal {
        let plan = try ConvolutionPlan(
          LayerCase([1, 1, 1], kernel: [2], padding: [1 << 19], dilation: [1 << 20], channels: (2, 1))
            .descriptor(.lifting, .trivial(3)))
        try forward(plan)
      }
    }
  }

  /// What counts are the pixels near a point, not those of the kernel, whether the basis is given or not.
  @Test func largeKernel_ofPixelsThatAreGiven_isPlannedAsByDefault() throws {
    var descriptor = LayerCase([65, 65], kernel: [63]).descriptor(.lifting, try .cyclic(8))
    let plan = try ConvolutionPlan(descriptor)
    descriptor.layer.basis = .pixel(try PixelBasis(extents: [63, 63]))
    let given = try ConvolutionPlan(descriptor)
    #expect(given.weightShape == plan.weightShape && given.flops(batch: 1) == plan.flops(batch: 1))
    // Splines through pixels are not 0 at a point for all pixels.
    var group = LayerCase([65, 65], kernel: [63]).descriptor(.group, try .cyclic(8))
    group.layer.interpolation = .bSpline3
    let error = #expect(throws: ConvolutionError.self) { try ConvolutionPlan(group) }
    #expect(error?.kind == .tooLarge && error?.value == "3969 functions")
  }

  /// One output, whose two taps both lie far outside the signal: a good layer for all its reach.
  @Test func enormousStrideAndDilation_haveAnOutput() async {
    await #expect(processExitsWith: .success) {
      alarm(10)
      let plan = try ConvolutionPlan(
        LayerCase([1], kernel: [2], stride: [1 << 41], padding: [1 << 39], dilation: [1 << 40])
          .descriptor(.lifting, .reflection))
      let numbers = LayerNumbers<Float>(input: [1], weight: [5, 6], bias: [3], gradient: [7, 8])
      guard try plan.forward(numbers, batch: 1) == [3, 3] else { exit(2) }
      guard try plan.weightGradient(numbers, batch: 1) == [0, 0] else { exit(4) }
    }
  }

  /// One output, which reads one pixel: a good layer for all its stride.
  @Test func enormousStride_hasAGradient() async {
    await #expect(processExitsWith: .success) {
      alarm(10)
      let plan = try ConvolutionPlan(LayerCase([4], kernel: [1], stride: [1 << 40]).descriptor(.lifting, .reflection))
      let numbers = LayerNumbers<Float>(input: [1, 2, 3, 4], weight: [5], bias: [0], gradient: [7, 8])
      guard try plan.forward(numbers, batch: 1) == [5, 5] else { exit(2) }
      guard try plan.inputGradient(numbers, batch: 1) == [75, 0, 0, 0] else { exit(3) }
    }
  }

  @Test func action_onAnEnormousPlane() async {
    await #expect(processExitsWith: .success) {
      expectRefusal {
        try act(
          .cyclic(4), element: 2, on: .plane, batch: 1, channels: 1, spatial: [1 << 40, 1 << 40],
          input: UnsafePointer<Float>(bitPattern: 1 << 60)!, output: UnsafeMutablePointer(bitPattern: 1 << 61)!)
      }
    }
  }

  @Test func action_onAnEnormousVolume() async {
    await #expect(processExitsWith: .success) {
      expectRefusal {
        try act(
          .octahedral, element: 5, on: .plane, batch: 1, channels: 1, spatial: [1 << 47, 1 << 47, 1 << 16],
          input: UnsafePointer<Float>(bitPattern: 1 << 60)!, output: UnsafeMutablePointer(bitPattern: 1 << 61)!)
      }
    }
  }
}

/// A forward run with one number in each of the arrays that are small.
private func forward(_ plan: ConvolutionPlan) throws {
  let weight = [Float](repeating: 1, count: 64)
  var output = [Float](repeating: 0, count: 64)
  try plan.forward(batch: 1, input: weight, weight: weight, bias: nil, output: &output)
}

/// Ends the process with success if `body` throws a `ConvolutionError` within ten seconds.
private func expectRefusal(_ body: () throws -> Void) {
  alarm(10)
  do {
    try body()
    exit(2)
  } catch {
    exit(error is ConvolutionError ? 0 : 3)
  }
}
