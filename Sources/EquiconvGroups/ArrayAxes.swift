// SPDX-License-Identifier: Apache-2.0

/// How coordinates lie along the axes of an array of d axes: x = column, y = −row, z = −depth.
///
/// Array axes are (column) in 1-D, (row, column) in 2-D and (depth, row, column) in 3-D. Rows and layers are counted from
/// the top, coordinates point up. This is the one place that says so.
public struct ArrayAxes: Sendable {
  /// The number d of axes: 1, 2 or 3.
  public let count: Int

  /// - Precondition: `count` is 1, 2 or 3.
  public init(count: Int) {
    precondition(1...3 ~= count, "the number of axes is outside 1...3")
    self.count = count
  }

  /// The array axis along which coordinate `i` runs, and also the coordinate of array axis `i`.
  public func counterpart(_ i: Int) -> Int { count - 1 - i }

  /// 1 if coordinate `i` runs with its array axis, −1 if against it.
  public func direction(ofCoordinate i: Int) -> Int { i == 0 ? 1 : -1 }

  /// The matrix by which a linear map of coordinates moves displacements along the array axes.
  ///
  /// For example the rotation by +90° of the plane, [0 −1; 1 0], takes (row, column) to (−column, row).
  ///
  /// - Parameter matrix: Shape (d, d), row-major, acting on (x), (x, y) or (x, y, z).
  /// - Returns: Shape (d, d), row-major, acting on array-axis coordinates.
  /// - Precondition: `matrix` has d² entries.
  public func matrix(_ matrix: [Double]) -> [Double] {
    precondition(matrix.count == count * count, "the matrix does not have d² entries")
    return (0..<count * count).map { entry in
      let (i, j) = (counterpart(entry / count), counterpart(entry % count))
      let value = matrix[i * count + j]
      // Subtraction from zero, unlike negation, never gives a negative zero.
      return direction(ofCoordinate: i) == direction(ofCoordinate: j) ? value : 0 - value
    }
  }
}
