// SPDX-License-Identifier: Apache-2.0

/// The costs of the parts of an algorithm, for each instruction set.
///
/// The unit is the time of one multiply-add of a whole vector by `multiply` at its best, so that the numbers are about the
/// same for both scalar types and for processors of different clocks. `make costs` (benchmarks/costs) measured them on one
/// thread of an AMD EPYC (Zen 4): passes of the trivial group with 64 channels in and 1 out, 1 in and 64 out, and 64 both
/// ways, the shortest of 12 runs each, taken apart into a part for each plane in, each plane out and each pair. They
/// include the cost of memory. Those of AVX-512 were then scaled to whole passes on a Zen 5, whose multiply-adds of 512
/// bits are twice as fast as a Zen 4's while its caches are not: estimates over times are alike for all algorithms there.
/// Shares of the peak can exceed 1, since products hide some of the time that transforms
/// alone would wait.
///
/// Nothing is measured on ARM yet. NEON has the costs of AVX2, so that both choose by the same ones.
struct MeasuredCosts<Costs: Sendable>: Sendable {
  let baseline: Costs
  let avx2: Costs
  let avx512: Costs

  subscript(instructions: InstructionSet) -> Costs {
    switch instructions {
    case .baseline: baseline
    case .avx2, .neon: avx2
    case .avx512: avx512
    }
  }
}
