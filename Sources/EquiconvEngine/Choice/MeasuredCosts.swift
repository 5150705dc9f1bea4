// SPDX-License-Identifier: Apache-2.0

/// What the parts of the algorithms cost with one instruction set.
///
/// The unit is the time of one multiply-add of a whole vector by `multiply` at its best, so that the numbers are about the
/// same for both scalar types and for processors of different clocks. `make costs` (benchmarks/costs) measured them on one
/// thread of an AMD EPYC (Zen 4): passes of the trivial group with 64 channels in and 1 out, 1 in and 64 out, and 64 both
/// ways, the shortest of 12 runs each, taken apart into a part for each plane in, each plane out and each pair. What memory
/// costs is in them. Shares can exceed 1, since products hide some of what the transforms alone wait for.
struct MeasuredCosts {
  /// Share of the peak that whole passes of the direct algorithm reach: forward or input gradient, and weight gradient.
  var directShare: Double
  var directGradientShare: Double
  /// Loading and storing a sum of the direct weight gradient once an image, in multiply-adds.
  var directGradientStart = 12.0
  /// Share of the peak that the products of Fourier and of Winograd tiles reach.
  var fourierShare: Double
  var winogradShare: Double
  /// Transforms of a vector of tiles of one plane, for each length in `FourierPlan.lengths`.
  var fourierForward: [Double]
  var fourierInverse: [Double]
  /// The same for F(4×4) and F(2×2).
  var winogradInput: [Double]
  var winogradOutput: [Double]
  /// Beginning and ending a pass: workspace, tables, threads.
  var pass = 4e4
  /// Beginning and ending one grid of one plane, where outputs are split into many.
  var grid = 1e3

  static func of(_ instructions: InstructionSet) -> MeasuredCosts {
    switch instructions {
    case .avx512: avx512
    case .avx2: avx2
    case .baseline: baseline
    }
  }

  private static let avx512 = MeasuredCosts(
    directShare: 0.97, directGradientShare: 0.92, fourierShare: 1, winogradShare: 1,
    fourierForward: [2570, 5300, 9500, 18800, 25700, 46500],
    fourierInverse: [1755, 4000, 7000, 14700, 22000, 40000],
    winogradInput: [440, 477], winogradOutput: [290, 171])
  private static let avx2 = MeasuredCosts(
    directShare: 0.95, directGradientShare: 0.94, fourierShare: 0.73, winogradShare: 0.92,
    fourierForward: [2540, 5580, 9930, 20500, 28500, 51000],
    fourierInverse: [3210, 6490, 12900, 21200, 32300, 63400],
    winogradInput: [485, 212], winogradOutput: [430, 151])
  private static let baseline = MeasuredCosts(
    directShare: 1, directGradientShare: 1, fourierShare: 0.81, winogradShare: 1,
    fourierForward: [860, 2170, 3900, 7700, 10200, 18200],
    fourierInverse: [1070, 2630, 4950, 8900, 12200, 24900],
    winogradInput: [166, 52], winogradOutput: [177, 59])
}
