// SPDX-License-Identifier: Apache-2.0

// What a block of vectors stores, for covers whose vectors are stored as they are.
extension VectorCover {
  /// Lanes of a vector that the vector before it holds too, if it begins early.
  func sharedLanes(_ vector: Int) -> Int {
    let start = vector % vectorsPerRun * lanes
    return runLength >= lanes ? max(0, start - (runLength - lanes)) : 0
  }

  /// Calls `body` for the outputs of the vectors `first ..< first + count`, each once.
  ///
  /// - Precondition: The cover is direct, and the first vector shares no lanes.
  @inline(__always)
  func forEachRectangle(first: Int, count: Int, _ body: (OutputRectangle) -> Void) {
    let rowStride = grid.step.y * grid.plane.x
    var (run, inRun, left) = (first / vectorsPerRun, first % vectorsPerRun, count)
    while left > 0 {
      let start = inRun * lanes
      let place = destination(run: run, start: start)
      // Whole runs of a slice, or a part of one run.
      let whole = inRun == 0 ? min(left / vectorsPerRun, grid.size.y - run % grid.size.y) : 0
      if whole > 0 {
        body(Self.rectangle(place, rows: whole, columns: runLength, stride: rowStride))
        (run, left) = (run + whole, left - whole * vectorsPerRun)
      } else {
        let vectors = min(left, vectorsPerRun - inRun)
        let end = inRun + vectors == vectorsPerRun ? runLength : start + vectors * lanes
        body(Self.rectangle(place, rows: 1, columns: end - start, stride: rowStride))
        (run, inRun, left) = (run + 1, 0, left - vectors)
      }
    }
  }

  @inline(__always)
  private static func rectangle(_ place: Int, rows: Int, columns: Int, stride: Int) -> OutputRectangle {
    // Rows without anything between them are one.
    stride == columns
      ? OutputRectangle(place: place, rows: 1, columns: rows * columns, stride: rows * columns)
      : OutputRectangle(place: place, rows: rows, columns: columns, stride: stride)
  }
}
