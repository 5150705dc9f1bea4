// SPDX-License-Identifier: Apache-2.0

/// Which side of a weight gradient its lanes run along: the one that leaves fewer of them idle.
struct ReduceOrientation {
  /// Whether lanes run along the input channels.
  let alongInput: Bool
  /// Channels along the lanes, and the same rounded up to whole vectors.
  let channels: Int
  let width: Int
  /// Channels of the other side.
  let rows: Int

  init(inChannels: Int, outChannels: Int, lanes: Int) {
    func vectors(_ channels: Int) -> Int { (channels + lanes - 1) / lanes }
    alongInput =
      Self.efficiency(inChannels, lanes, vectors: Self.tileVectors)
      > Self.efficiency(outChannels, lanes, vectors: vectors(outChannels))
    (channels, rows) = alongInput ? (inChannels, outChannels) : (outChannels, inChannels)
    width = vectors(channels) * lanes
  }

  /// Vectors of a register tile along the input channels.
  private static let tileVectors = 3
  /// Share of the peak where each broadcast serves one vector only.
  private static let loneVectorShare = 0.55

  /// Estimated share of the multiply-add peak: idle lanes, and broadcasts that serve one vector only.
  private static func efficiency(_ channels: Int, _ lanes: Int, vectors: Int) -> Double {
    let used = Double(channels) / Double((channels + lanes - 1) / lanes * lanes)
    return vectors == 1 ? loneVectorShare * used : used
  }
}
