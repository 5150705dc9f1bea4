// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// What a pass does with outputs once they are complete, while they are still in the caches: a function of each number.
///
/// Each pass has it done for the outputs it has just stored, once for every number: a function of a function of a number
/// would be another.
struct Epilogue<S: EngineScalar> {
  private let kernels: Microkernels
  private let kernel: (function: equiconv_pointwise_function, p: Double)?

  init(_ pointwise: Pointwise?, _ kernels: Microkernels) {
    self.kernels = kernels
    kernel = pointwise?.kernel
  }

  /// Whether there is nothing to be done.
  var isEmpty: Bool { kernel == nil }

  @inline(__always)
  func run(_ start: UnsafeMutablePointer<S>, count: Int) {
    run(start, OutputRectangle(place: 0, rows: 1, columns: count, stride: count))
  }

  /// - Parameter rectangle: in the array at `start`.
  @inline(__always)
  func run(_ start: UnsafeMutablePointer<S>, _ rectangle: OutputRectangle) {
    guard let kernel else { return }
    let rows = NumberRows(start + rectangle.place, stride: rectangle.stride)
    kernels.map(
      rows: rectangle.rows, columns: rectangle.columns, NumberRows(UnsafePointer(rows.start), stride: rows.stride),
      kernel.function, p: kernel.p, into: rows)
  }

  /// For outputs that were computed without their bias.
  func run(_ start: UnsafeMutablePointer<S>, count: Int, adding bias: S?) {
    if let bias {
      kernels.map(
        columns: count, NumberRows(UnsafePointer(start)), EQUICONV_POINTWISE_AFFINE, p: 1, q: Double(bias),
        into: NumberRows(start))
    }
    run(start, count: count)
  }

  /// What an output becomes that nothing is added to but a bias.
  func value(ofBias bias: S?) -> S {
    var value = bias ?? 0
    run(&value, count: 1)
    return value
  }
}

/// Some rows of an array of outputs, `stride` numbers apart.
struct OutputRectangle {
  var place: Int
  var rows: Int
  var columns: Int
  var stride: Int

  /// With the rows of another that follows: one rectangle where both are contiguous.
  func joined(with next: OutputRectangle) -> OutputRectangle? {
    let isFlat = { (each: OutputRectangle) in each.rows == 1 || each.stride == each.columns }
    guard isFlat(self), isFlat(next), place + rows * columns == next.place else { return nil }
    let count = rows * columns + next.rows * next.columns
    return OutputRectangle(place: place, rows: 1, columns: count, stride: count)
  }
}
