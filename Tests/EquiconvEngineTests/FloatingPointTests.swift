// SPDX-License-Identifier: Apache-2.0

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

/// What a call computes depends on no rounding mode of its caller's, on whichever thread, and leaves it as it was. How calls
/// from C take flushing and traps is in `Tests/CTests/floating_point.c`.
///
/// One at a time: these tests set the number of threads of the process.
@Suite(.serialized) struct FloatingPointTests {
  @Test(arguments: [Algorithm.direct, .fourier, .winograd], [1, 2])
  func results_doNotDependOnTheCallersRounding(_ algorithm: Algorithm, _ threads: Int) throws {
    try ProcessSettings.alone {
      let original = Threads.count
      defer { try? Threads.setCount(original) }
      try Threads.setCount(threads)
      var descriptor = LayerCase([33, 34], kernel: [3], padding: [1], channels: (6, 7)).descriptor(
        .group, try .cyclic(8))
      descriptor.layer.algorithm = algorithm
      var random = SplitMix64(seed: 131)
      let numbers = try ConvolutionPlan(descriptor).reals(Float.self, batch: 2, &random)
      let ordinary = try results(descriptor, numbers)
      let nearest = fegetround()
      let roundings: [Int32] = [FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO]
      for rounding in roundings {
        fesetround(rounding)
        let rounded = Result { try results(descriptor, numbers) }
        let after = fegetround()
        fesetround(nearest)
        #expect(after == rounding)
        for (pass, (a, b)) in zip(try rounded.get(), ordinary).enumerated() {
          #expect(firstDifferenceInBits(a, b) == nil, "pass \(pass) rounding \(rounding)")
        }
      }
    }
  }

  /// All passes by a plan of their own.
  private func results(_ descriptor: ConvolutionDescriptor, _ numbers: LayerNumbers<Float>) throws -> [[Float]] {
    let plan = try ConvolutionPlan(descriptor)
    var results = [
      try plan.forward(numbers, batch: 2), try plan.inputGradient(numbers, batch: 2),
      try plan.biasGradient(numbers, batch: 2),
    ]
    if descriptor.layer.algorithm != .winograd { results.append(try plan.weightGradient(numbers, batch: 2)) }
    return results
  }
}
