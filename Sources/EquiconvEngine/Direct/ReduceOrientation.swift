// SPDX-License-Identifier: Apache-2.0

/// Which side of the weight gradient its lanes run along.
enum ReduceOrientation {
  /// Vectors of a register tile along the input channels.
  private static let tileVectors = 3
  /// Of the peak, where each broadcast serves one vector only.
  private static let loneVectorShare = 0.55

  /// Estimated share of the multiply-add peak: idle lanes, and broadcasts that serve one vector only.
  static func alongInput(inChannels: Int, outChannels: Int, lanes: Int) -> Bool {
    efficiency(inChannels, lanes, vectors: tileVectors)
      > efficiency(outChannels, lanes, vectors: (outChannels + lanes - 1) / lanes)
  }

  private static func efficiency(_ channels: Int, _ lanes: Int, vectors: Int) -> Double {
    let used = Double(channels) / Double((channels + lanes - 1) / lanes * lanes)
    return vectors == 1 ? loneVectorShare * used : used
  }
}
