// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

// Which part of a plane a tile holds, and where.
extension FourierPlan {
  /// The rows and columns of a tile that hold anything, modulo n: `size` from `first` on.
  struct Content {
    let first: Box
    let size: Box
  }

  /// A window of a source plane.
  var wholeTile: Content { Content(first: Box(z: 0, y: 0, x: 0), size: Box(z: 1, y: length, x: length)) }

  /// The outputs of a tile, or the gradients at them.
  var outputsOfTile: Content { Content(first: center, size: outputs) }

  /// A kernel, its center in the corner.
  var kernelInTile: Content {
    Content(first: center.map { (length - $0) % length }, size: correlation.reach)
  }

  /// Scalars from the kernel of one lane to that of the next: whole vectors are read and written.
  func kernelVolume(lanes: Int) -> Int { correlation.reach.volume + lanes }

  /// A transform of one tile a lane; `lanes` are where each lane's content begins, and `laneRows` and `laneColumns` how much of it
  /// an inverse transform stores.
  func call<S: EngineScalar>(
    _ content: Content, lanes: UnsafeMutablePointer<UnsafeMutableRawPointer>, rowStride: Int,
    spectrum: UnsafeMutablePointer<S>, pointStride: Int, twiddles: UnsafePointer<S>, scratch: UnsafeMutablePointer<S>,
    laneRows: UnsafePointer<Int>, laneColumns: UnsafePointer<Int>, bias: UnsafePointer<S>
  ) -> equiconv_fourier_call {
    equiconv_fourier_call(
      length: length, twiddles: twiddles, scratch: scratch, spectrum: spectrum, point_stride: pointStride,
      lanes: UnsafePointer(lanes), row_stride: rowStride, first_row: content.first.y, row_count: content.size.y,
      first_column: content.first.x, column_count: content.size.x, lane_rows: laneRows, lane_columns: laneColumns,
      bias: bias)
  }

  /// The windows of source planes that tiles of a frame read. Padding and reach are the same in all.
  func sourceBand(_ frame: Frame, lanes: Int) -> TileBand {
    TileBand(
      grid: frame.grid, window: wholeTile.size, plane: frame.source, origin: correlation.origin,
      isCircular: correlation.isCircular, lanes: lanes)
  }

  /// The windows of target planes that are the outputs of tiles of a frame, without overlap.
  func targetBand(_ frame: Frame, lanes: Int) -> TileBand {
    TileBand(
      grid: frame.grid, window: outputs, plane: frame.target, origin: Box(z: 0, y: 0, x: 0), isCircular: false,
      lanes: lanes)
  }
}
