// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// Some rows of outputs of one slice of a spatial pool.
struct PoolBlock<S: EngineScalar> {
  let windows: PoolWindows
  let kernels: Microkernels
  let z: Int
  let rows: Range<Int>
  /// The plane.
  let input: UnsafePointer<S>
  /// The first of the rows.
  let output: UnsafeMutablePointer<S>
  let scratch: UnsafeMutablePointer<S>

  private var width: Int { windows.outputs.x }
  private var count: Int { rows.count * width }

  /// What the outputs that read the plane through a tap read there.
  private struct Reads {
    /// From the first of the block's.
    let rows: Range<Int>
    let columns: Range<Int>
    let source: UnsafePointer<S>
    let rowStride: Int
  }

  /// - Returns: nil where no output reads the plane through the tap.
  @inline(__always)
  private func reads(_ tap: Box) -> Reads? {
    let size = windows.size
    let slice = z * windows.stride.z + windows.place(tap.z, axis: 0)
    if slice < 0 || slice >= size.z { return nil }
    let (y, x) = (windows.reading(tap.y, axis: 1).clamped(to: rows), windows.reading(tap.x, axis: 2))
    if y.isEmpty || x.isEmpty { return nil }
    let row = y.lowerBound * windows.stride.y + windows.place(tap.y, axis: 1)
    let column = x.lowerBound * windows.stride.x + windows.place(tap.x, axis: 2)
    return Reads(
      rows: y.lowerBound - rows.lowerBound..<y.upperBound - rows.lowerBound, columns: x,
      source: input + ((slice * size.y + row) * size.x + column), rowStride: windows.stride.y * size.x)
  }

  @inline(__always)
  private func forEachTap(_ body: (Box) -> Void) {
    for z in windows.taps(axis: 0) {
      for y in windows.taps(axis: 1) {
        if Call.isEnded { return }
        for x in windows.taps(axis: 2) { body(Box(z: z, y: y, x: x)) }
      }
    }
  }

  // MARK: - Maximum

  /// Every window has a place of the plane, which padding is at most half the kernel for.
  func findLargest() {
    output.update(repeating: -.infinity, count: count)
    forEachTap { tap in
      guard let reads = reads(tap) else { return }
      var read = NumberRows(reads.source, stride: reads.rowStride)
      if windows.stride.x > 1 {
        gather(reads, into: scratch, width: reads.columns.count)
        read = NumberRows(UnsafePointer(scratch), stride: reads.columns.count)
      }
      let target = NumberRows(
        output + (reads.rows.lowerBound * width + reads.columns.lowerBound), stride: width)
      // Rows without anything between them are one.
      let isFlat = reads.columns.count == width && read.stride == width
      let (rows, columns) = isFlat ? (1, reads.rows.count * width) : (reads.rows.count, reads.columns.count)
      kernels.combine(
        rows: rows, columns: columns, read, EQUICONV_COMBINE_LARGEST,
        NumberRows(UnsafePointer(target.start), stride: width), into: target)
    }
  }

  /// Copies what is read, with zeros beside it to fill rows of the given width.
  private func gather(_ reads: Reads, into target: UnsafeMutablePointer<S>, width: Int) {
    let before = width == reads.columns.count ? 0 : reads.columns.lowerBound
    var call = equiconv_pad_call(
      source: reads.source, target: target, row_count: reads.rows.count, source_row_stride: reads.rowStride,
      target_row_stride: width, step: windows.stride.x, depth: 1, before: before, count: reads.columns.count,
      after: width - before - reads.columns.count)
    kernels.pad(&call)
  }

  // MARK: - Means

  /// Of one number, of two neighbors or of a square of four: (a + d) + (b + c) for a b above c d.
  func addPairs() {
    let (y, x) = (windows.kernel.y, windows.kernel.x)
    func corner(_ row: Int, _ column: Int) -> UnsafeMutablePointer<S> {
      let target = scratch + (row * x + column) * count
      copy(Box(z: 0, y: row, x: column), into: target)
      return target
    }
    let factor = 1 / Double(y * x)
    let first = corner(0, 0)
    if y * x == 1 { return store(first, nil, factor) }
    let opposite = corner(y - 1, x - 1)
    if y * x == 2 { return store(first, opposite, factor) }
    let (second, third) = (corner(0, 1), corner(1, 0))
    for (a, b) in [(first, opposite), (second, third)] {
      kernels.combine(
        columns: count, NumberRows(UnsafePointer(a)), EQUICONV_COMBINE_ADD, NumberRows(UnsafePointer(b)),
        into: NumberRows(a))
    }
    store(first, second, factor)
  }

  private func store(_ a: UnsafeMutablePointer<S>, _ b: UnsafeMutablePointer<S>?, _ factor: Double) {
    // The sum is scaled by a power of two, which rounds nothing.
    kernels.combine(
      columns: count, NumberRows(UnsafePointer(a)), b == nil ? EQUICONV_COMBINE_NONE : EQUICONV_COMBINE_ADD,
      b.map { NumberRows(UnsafePointer($0)) }, EQUICONV_POINTWISE_AFFINE, p: factor, into: NumberRows(output))
  }

  /// What all outputs read through a tap, zeros included.
  private func copy(_ tap: Box, into target: UnsafeMutablePointer<S>) {
    guard let reads = reads(tap) else { return target.update(repeating: 0, count: count) }
    target.update(repeating: 0, count: reads.rows.lowerBound * width)
    gather(reads, into: target + reads.rows.lowerBound * width, width: width)
    (target + reads.rows.upperBound * width).update(
      repeating: 0, count: (rows.count - reads.rows.upperBound) * width)
  }

  func findMeans(_ mean: ExactMean) {
    let (size, stride, kernel) = (windows.size, windows.stride, windows.kernel)
    let slices = inside(z * stride.z + windows.place(0, axis: 0), kernel.z, size.z)
    for y in rows {
      if Call.isEnded { return }
      let lines = inside(y * stride.y + windows.place(0, axis: 1), kernel.y, size.y)
      for x in 0..<width {
        let columns = inside(x * stride.x + windows.place(0, axis: 2), kernel.x, size.x)
        var given = 0
        for slice in slices {
          for line in lines {
            let source = input + ((slice * size.y + line) * size.x + columns.lowerBound)
            (scratch + given).copy(from: source, count: columns.count)
            given += columns.count
          }
        }
        output[(y - rows.lowerBound) * width + x] = S(mean.mean(scratch, given))
      }
    }
  }

  /// The places of a stretch that lie in the plane.
  @inline(__always)
  private func inside(_ first: Int, _ count: Int, _ size: Int) -> Range<Int> {
    max(0, first)..<min(size, first + count)
  }
}
