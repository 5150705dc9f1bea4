// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// Boxes about the centers of consecutive functions: they find the functions near a point without looking at all of
/// them.
///
/// A binary tree over the order of the functions. Node 1 holds all of them; nodes 2n and 2n + 1 hold the first and the
/// second half of node n. Centers in row-major order are found in O(log J) a row; in an order without neighbors, in O(J).
struct CenterBoxes: Sendable {
  /// Ranges of at most this many functions are not divided further.
  private static let smallest = 4

  private let count: Int
  private let dimension: Int
  /// The least and the largest of each coordinate, (nodes, d, 2).
  private let bounds: FixedArray<Double>

  /// - Complexity: O(J).
  init(_ centers: FixedArray<Double>, dimension: Int) throws(BasisError) {
    count = centers.count / dimension
    self.dimension = dimension
    var (nodes, size) = (2, count)
    while size > Self.smallest { (nodes, size) = (2 * nodes, (size + 1) / 2) }
    let bounds = try BasisTable<Double>(repeating: 0, count: nodes * dimension * 2)
    Self.fill(bounds, node: 1, 0..<count, centers, dimension)
    self.bounds = bounds.frozen()
  }

  private static func fill(
    _ bounds: borrowing BasisTable<Double>, node: Int, _ functions: Range<Int>, _ centers: FixedArray<Double>, _ d: Int
  ) {
    let isLeaf = functions.count <= smallest
    if !isLeaf {
      let (first, second) = halves(functions)
      fill(bounds, node: 2 * node, first, centers, d)
      fill(bounds, node: 2 * node + 1, second, centers, d)
    }
    for axis in 0..<d {
      var (least, largest) = (Double.infinity, -Double.infinity)
      if isLeaf {
        for function in functions {
          least = min(least, centers[function * d + axis])
          largest = max(largest, centers[function * d + axis])
        }
      } else {
        least = min(bounds[(2 * node * d + axis) * 2], bounds[((2 * node + 1) * d + axis) * 2])
        largest = max(bounds[(2 * node * d + axis) * 2 + 1], bounds[((2 * node + 1) * d + axis) * 2 + 1])
      }
      bounds[(node * d + axis) * 2] = least
      bounds[(node * d + axis) * 2 + 1] = largest
    }
  }

  private static func halves(_ functions: Range<Int>) -> (Range<Int>, Range<Int>) {
    let middle = functions.lowerBound + (functions.count + 1) / 2
    return (functions.lowerBound..<middle, middle..<functions.upperBound)
  }

  /// Calls `body` with ranges of functions, in increasing order: every function whose center c has |u − c| / scale below
  /// `reach` along each axis is in one of them, rounding included.
  func forEachRange(
    near u: UnsafePointer<Double>, reach: Double, scale: Double,
    _ body: (Range<Int>) throws(BasisError) -> Void
  ) throws(BasisError) {
    try visit(1, 0..<count, near: u, reach: reach, scale: scale, body)
  }

  private func visit(
    _ node: Int, _ functions: Range<Int>, near u: UnsafePointer<Double>, reach: Double, scale: Double,
    _ body: (Range<Int>) throws(BasisError) -> Void
  ) throws(BasisError) {
    for axis in 0..<dimension {
      let (least, largest) = (
        bounds[(node * dimension + axis) * 2], bounds[(node * dimension + axis) * 2 + 1]
      )
      // Rounding is monotone: no center in the box is nearer than its nearest side.
      if (u[axis] - largest) / scale >= reach || (least - u[axis]) / scale >= reach { return }
    }
    if functions.count <= Self.smallest { return try body(functions) }
    let (first, second) = Self.halves(functions)
    try visit(2 * node, first, near: u, reach: reach, scale: scale, body)
    try visit(2 * node + 1, second, near: u, reach: reach, scale: scale, body)
  }
}

/// Always equal: boxes follow from the centers, which bases compare.
extension CenterBoxes: Hashable {
  static func == (_: CenterBoxes, _: CenterBoxes) -> Bool { true }
  func hash(into hasher: inout Hasher) {}
}
