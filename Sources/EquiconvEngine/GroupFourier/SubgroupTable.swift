// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvMemory

/// A subgroup L whose elements are numbered by their places in its list, with representations of L by place.
package struct SubgroupTable: Sendable {
  let count: Int
  private let products: [Int]
  let inverses: [Int]

  package init(_ group: PointGroup, _ elements: [Int]) {
    var places = [Int](repeating: -1, count: group.order)
    for (place, element) in elements.enumerated() { places[element] = place }
    count = elements.count
    products = elements.flatMap { a in elements.map { b in places[group.product(a, b)] } }
    inverses = elements.map { places[group.inverse($0)] }
  }

  package func product(_ a: Int, _ b: Int) -> Int { products[a * count + b] }

  /// The first element of each coset x·K that lie in a coset x·M, K being a subgroup of M.
  func leftCosets(of subgroup: [Int], in coset: [Int]) -> [Int] {
    var representatives: [Int] = []
    var isCovered = [Bool](repeating: false, count: count)
    for element in coset where !isCovered[element] {
      representatives.append(element)
      for member in subgroup { isCovered[product(element, member)] = true }
    }
    return representatives
  }
}

extension Representation {
  package func entry(_ element: Int, _ row: Int, _ column: Int) -> Double {
    matrices[(element * dimension + row) * dimension + column]
  }

  /// The vectors that a subgroup leaves as they are, as far as columns are concerned.
  func invariants(of subgroup: [Int]) -> InvariantColumns {
    var projection = [Double](repeating: 0, count: dimension * dimension)
    for element in subgroup {
      for index in projection.indices { projection[index] += matrices[element * dimension * dimension + index] }
    }
    return InvariantColumns(projection: projection.map { $0 / Double(subgroup.count) }, dimension: dimension)
  }
}

/// The columns of a matrix M with M = M Π that determine the others: M = M[:, pivots] · rows.
///
/// Π is the projection onto what a subgroup leaves as it is; `rows` is its reduced row echelon form.
package struct InvariantColumns: Sendable {
  package let pivots: [Int]
  /// For each pivot a row of the dimension's length.
  let rows: [[Double]]

  init(projection: [Double], dimension: Int) {
    let tolerance = 1e-9
    var matrix = (0..<dimension).map { Array(projection[$0 * dimension..<($0 + 1) * dimension]) }
    var pivots: [Int] = []
    for column in 0..<dimension where pivots.count < dimension {
      let next = pivots.count
      guard let best = (next..<dimension).max(by: { abs(matrix[$0][column]) < abs(matrix[$1][column]) }),
        abs(matrix[best][column]) > tolerance
      else { continue }
      matrix.swapAt(next, best)
      let pivot = matrix[next][column]
      matrix[next] = matrix[next].map { $0 / pivot }
      for row in 0..<dimension where row != next {
        let factor = matrix[row][column]
        for index in 0..<dimension { matrix[row][index] -= factor * matrix[next][index] }
      }
      pivots.append(column)
    }
    self.pivots = pivots
    // What elimination leaves of zeros and ones is not theirs to the last bit.
    rows = matrix.prefix(pivots.count).map { row in
      row.map { abs($0 - $0.rounded()) < tolerance ? $0.rounded() : $0 }
    }
  }
}
