// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// A finite set of d×d matrices in which products are looked up.
///
/// Matrices are sorted by one number, a fixed linear form of their entries, so a look-up is a binary search for
/// the few candidates with nearly the same number, which are then compared entry by entry. Unlike a hash of rounded
/// entries this has no bucket borders.
struct MatrixSet {
  /// Matrices that differ by no more than this in any entry count as equal.
  static let tolerance = 1e-6

  let dimension: Int
  let order: Int
  /// (order, d, d), row-major; finite.
  let entries: FixedArray<Double>
  private let size: Int
  /// Weights of the linear form; linearly independent over the rationals, so integer matrices rarely collide.
  private let weights: [Double]
  /// How far apart the keys of equal matrices can be.
  private let keyTolerance: Double
  private let keys: [Double]
  private let elementsByKey: [Int]

  init(dimension: Int, entries: FixedArray<Double>) {
    let size = dimension * dimension
    let weights = [2.0, 3, 5, 7, 11, 13, 17, 19, 23].prefix(size).map { $0.squareRoot() }
    let order = entries.count / size
    let keyOfElement = (0..<order).map { Self.key(entries.part($0 * size..<($0 + 1) * size), weights) }
    let ascending = (0..<order).sorted { (keyOfElement[$0], $0) < (keyOfElement[$1], $1) }
    self.dimension = dimension
    self.order = order
    self.entries = entries
    self.size = size
    self.weights = weights
    keyTolerance = 2 * Self.tolerance * weights.reduce(0, +)
    keys = ascending.map { keyOfElement[$0] }
    elementsByKey = ascending
  }

  private static func key(_ matrix: some Sequence<Double>, _ weights: [Double]) -> Double {
    zip(matrix, weights).reduce(0) { $0 + $1.0 * $1.1 }
  }

  func matrix(_ element: Int) -> [Double] { Array(entries.part(element * size..<(element + 1) * size)) }

  /// The largest difference in any entry.
  func distance(_ element: Int, _ matrix: [Double]) -> Double {
    (0..<size).reduce(0) { max($0, abs(entries[element * size + $1] - matrix[$1])) }
  }

  /// The element nearest to a matrix, or nil if none is within the tolerance.
  ///
  /// - Complexity: O(log |H|) and one comparison for each element of nearly the same key.
  func element(nearest matrix: [Double]) -> Int? {
    guard matrix.allSatisfy({ $0.isFinite }) else { return nil }
    let key = Self.key(matrix, weights)
    var nearest: Int?
    var smallest = Self.tolerance
    var place = firstPlace(notBelow: key - keyTolerance)
    while place < order, keys[place] <= key + keyTolerance {
      let difference = distance(elementsByKey[place], matrix)
      if difference <= smallest { (nearest, smallest) = (elementsByKey[place], difference) }
      place += 1
    }
    return nearest
  }

  /// Two equal elements, the smaller index first, or nil if all are distinct.
  func duplicate() -> (Int, Int)? {
    for first in 0..<order {
      let matrix = matrix(elementsByKey[first])
      var second = first + 1
      while second < order, keys[second] - keys[first] <= keyTolerance {
        let (a, b) = (elementsByKey[first], elementsByKey[second])
        if distance(b, matrix) <= Self.tolerance { return (min(a, b), max(a, b)) }
        second += 1
      }
    }
    return nil
  }

  private func firstPlace(notBelow key: Double) -> Int {
    var (low, high) = (0, order)
    while low < high {
      let middle = (low + high) / 2
      if keys[middle] < key { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
