// SPDX-License-Identifier: Apache-2.0

/// What algorithms cost, in vector multiply-adds of one thread: the time of one multiply-add of a whole vector when `multiply`
/// runs at its best.
///
/// Measured numbers, one set an instruction set, are in `CostModel.measured`.
struct CostModel {
  /// Share of the multiply-add peak.
  var directShare: Double
  var complexShare: Double
  /// Handing out one product of a panel.
  var productCall: Double
  /// Transforms of one vector of tiles, copies into and out of the tiles included: a fixed part and one a scalar of the tile.
  var fourierForward: [Int: Double]
  var fourierInverse: [Int: Double]
  /// One 64-byte line of spectra that is written and read again, beyond the second-level cache.
  var line: Double
  /// Starting and ending a pass.
  var pass: Double
}
