// SPDX-License-Identifier: Apache-2.0

/// What the parts of the algorithms cost with one instruction set.
///
/// The unit is the time of one multiply-add of a whole vector at the peak, so that the numbers are about the same for both
/// scalar types and for processors of different clocks. They were measured by `benchmarks/costs.py`, which prints this
/// table: parts timed on their own, on one thread, minimum of many runs, divided by the peak of the same run.
struct MeasuredCosts {
  /// Share of the peak that whole passes of the direct algorithm reach, by pass.
  var directShare: Double
  var directGradientShare: Double
  /// Share of the peak that the products of Fourier and of Winograd tiles reach.
  var complexShare: Double
  var winogradShare: Double
  /// Transforms of a vector of tiles of each length in `FourierPlan.lengths`, copies of windows included.
  var fourierForward: [Double]
  var fourierInverse: [Double]
  /// Transforms of a vector of tiles for F(4×4) and F(2×2).
  var winogradInput: [Double]
  var winogradOutput: [Double]
  /// Handing one panel to a microkernel.
  var call: Double
  /// Writing and reading again one vector of spectra outside of the second-level cache.
  var line: Double
  /// Beginning and ending a pass: workspace, tables, threads.
  var pass: Double

  static func of(_ instructions: InstructionSet) -> MeasuredCosts {
    switch instructions {
    case .avx512: avx512
    case .avx2: avx2
    case .baseline: baseline
    }
  }

  /// AMD EPYC, Zen 4, 3.7 GHz, 117 GFLOP/s.
  private static let avx512 = MeasuredCosts(
    directShare: 0.95, directGradientShare: 0.93, complexShare: 0.9, winogradShare: 0.9,
    fourierForward: [1500, 3400, 5600, 10500, 13800, 27000],
    fourierInverse: [2000, 4000, 6600, 12800, 16900, 28000],
    winogradInput: [260, 130], winogradOutput: [230, 110], call: 60, line: 7, pass: 4e4)
  private static let avx2 = MeasuredCosts(
    directShare: 0.95, directGradientShare: 0.93, complexShare: 0.85, winogradShare: 0.9,
    fourierForward: [1800, 4000, 6800, 12800, 16800, 33000],
    fourierInverse: [2200, 4600, 7600, 14500, 19000, 33000],
    winogradInput: [260, 130], winogradOutput: [230, 110], call: 60, line: 5, pass: 4e4)
  private static let baseline = MeasuredCosts(
    directShare: 0.95, directGradientShare: 0.93, complexShare: 0.85, winogradShare: 0.9,
    fourierForward: [1800, 4000, 6800, 12800, 16800, 33000],
    fourierInverse: [2200, 4600, 7600, 14500, 19000, 33000],
    winogradInput: [260, 130], winogradOutput: [230, 110], call: 60, line: 3, pass: 4e4)
}
