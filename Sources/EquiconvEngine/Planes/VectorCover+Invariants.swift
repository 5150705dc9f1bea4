// SPDX-License-Identifier: Apache-2.0

extension VectorCover {
  #if EQUICONV_INTERNAL_CHECKS
    /// Vectors lie between the first output and a vector behind the last, and store what they hold in the destination.
    func checkInvariants() {
      let span = (grid.size.z - 1) * sliceStride + (grid.size.y - 1) * rowStride + grid.size.x * depth
      checkInvariant(lanes % depth == 0, "vectors hold whole places")
      var next = grid.destination(z: 0, y: 0, x: 0)
      forEach(first: 0, count: vectorCount) { _, source, run, start in
        checkInvariant(source >= 0 && start >= 0 && start < runLength, "vectors lie in their runs")
        checkInvariant(source + lanes <= max(span, lanes) || !staysInside, "vectors read what the grid reads")
        forEachPiece(run: run, start: start) { piece in
          checkInvariant(
            piece.lane >= 0 && piece.lane % depth == 0 && piece.lane + piece.outputs * depth <= lanes,
            "pieces lie in their vectors")
          checkInvariant(
            piece.destination >= 0
              && piece.destination % grid.plane.x + grid.step.x * (piece.outputs - 1) < grid.plane.x
              && piece.destination < grid.plane.volume, "pieces lie in rows of the destination")
          if isDense {
            checkInvariant(piece.destination == next && piece.outputs == lanes / depth, "outputs follow one another")
            next += piece.outputs
          }
        }
      }
      if isDirect { checkRectangles() }
    }

    /// Rectangles are all outputs, one after the other.
    private func checkRectangles() {
      var outputs = 0
      forEachRectangle(first: 0, count: vectorCount) { rectangle in
        let end = rectangle.place + (rectangle.rows - 1) * rectangle.stride + rectangle.columns
        checkInvariant(rectangle.place >= 0 && end <= grid.plane.volume, "rectangles lie in the destination")
        outputs += rectangle.rows * rectangle.columns
      }
      checkInvariant(outputs == grid.size.volume, "rectangles are all outputs")
    }
  #else
    @inline(__always)
    func checkInvariants() {}
  #endif
}
