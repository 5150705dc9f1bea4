// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// How many images lie side by side in padded planes.
///
/// Lanes run along places, so rows of small planes leave many of them idle. With L images side by side none is idle, whatever
/// the size of the planes, and all reads begin at whole vectors. Putting images side by side and the outputs apart again
/// costs a few operations for each number. No output is computed differently.
extension GatherPlan {
  /// More images have to need less than this share of the vectors.
  private static let mostVectors = 0.9
  /// What the planes of an image may take with all images side by side.
  private static let mostBytes = 2 << 20

  /// - Parameters:
  ///   - images: of the batch.
  ///   - planeBytes: of the padded planes of one image.
  func bestDepth(images: Int, planeBytes: Int, lanes: Int) -> Int {
    var (best, fewest) = (1, Self.mostVectors * vectors(images: images, lanes: lanes, depth: 1))
    var depth = 2
    while depth <= min(lanes, images) && depth * planeBytes <= Self.mostBytes {
      let vectors = vectors(images: images, lanes: lanes, depth: depth)
      if vectors < fewest { (best, fewest) = (depth, vectors) }
      depth *= 2
    }
    return best
  }

  /// Vectors times reads of so many images.
  func vectors(images: Int, lanes: Int, depth: Int) -> Double {
    let layout = layout.with(depth: depth)
    let vectors = grids.enumerated().reduce(0.0) { sum, grid in
      let cover = VectorCover(grid: grid.element, layout: layout, lanes: lanes)
      return sum + Double(cover.vectorCount) * Double(reads.count(grid: grid.offset))
    }
    return vectors * Double((images + depth - 1) / depth)
  }
}
