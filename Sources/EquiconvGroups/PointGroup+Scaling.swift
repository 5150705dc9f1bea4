// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory
import _EquiconvPlatform

extension PointGroup {
  /// The factors that a scaling may have; beyond them no kernel on a grid makes sense.
  public static let factorRange = 1.0 / 1024...1024

  /// Scalings v ↦ s·v of d axes by finitely many factors s: a truncated set, not closed unless 1 is the only factor.
  ///
  /// Element i multiplies by `factors[i]`, in the caller's order. Its determinant is `factors[i]`ᵈ. Products
  /// are looked up to a relative error of 1e-6, so the factors 1, √2, 2 contain √2·√2. Products that leave the set
  /// are −1 in the table, and relative elements that leave it contribute nothing to a convolution (the
  /// truncated scale axis of Worrall and Welling, Deep Scale-spaces, NeurIPS 2019, and of Bekkers, B-Spline CNNs on
  /// Lie Groups, ICLR 2020).
  ///
  /// - Parameters:
  ///   - dimension: d, which is 1, 2 or 3.
  ///   - factors: 1 to 4096 factors; the first is 1, all are in `factorRange` and differ by more than 1e-5 of
  ///     their size. Powers of one factor make most of the products present.
  /// - Throws: `invalidDimension`, `invalidOrder`, `invalidFactor`, `duplicateFactor` or `outOfMemory`.
  /// - Complexity: O(m² log m) for m factors.
  public static func scaling(dimension: Int, factors: [Double]) throws(GroupError) -> PointGroup {
    guard 1...3 ~= dimension else { throw .invalidDimension(dimension) }
    let scales = try ScaleSet(factors, limit: largestOrder)
    let identity = identityMatrix(dimension)
    let matrices = try GroupTable<Double>(count: factors.count * identity.count) { entry in
      identity[entry % identity.count] * factors[entry / identity.count]
    }
    return PointGroup(
      PointGroupStorage(
        name: "scaling(\(factors.count))", recipe: .scaling(dimension: dimension, factors: factors),
        dimension: dimension, matrices: matrices.frozen(),
        cayley: try scales.cayley(rotations: 1),
        determinants: factors.map { s in (0..<dimension).reduce(1) { product, _ in product * s } },
        quadratureWeights: scales.quadratureWeights))
  }

  /// Rotations of the plane by 2πr/n times scalings: a truncated set, not closed unless 1 is the only factor.
  ///
  /// Element i·n + r is `factors[i]` times rotation(r) of `cyclic(n)`; its determinant is `factors[i]`². What is said
  /// of `scaling(dimension:factors:)` holds here. The first n elements are the subgroup of rotations.
  ///
  /// - Parameters:
  ///   - n: The number of rotations, in `1...4096`.
  ///   - factors: As for `scaling(dimension:factors:)`, at most 4096/n.
  /// - Throws: `invalidOrder`, `invalidFactor`, `duplicateFactor` or `outOfMemory`.
  /// - Complexity: O((m·n)²) for m factors.
  public static func similarity(_ n: Int, factors: [Double]) throws(GroupError) -> PointGroup {
    try checkOrder(n, limit: largestOrder)
    let scales = try ScaleSet(factors, limit: largestOrder / n)
    let weights = scales.quadratureWeights
    var matrices = try GroupTable<Double>(capacity: 4 * factors.count * n)
    for element in 0..<factors.count * n {
      let factor = factors[element / n]
      try matrices.append(contentsOf: planarMatrix(element % n, of: n, isFlipped: false).map { $0 * factor })
    }
    return PointGroup(
      PointGroupStorage(
        name: "similarity(\(n), \(factors.count))", recipe: .similarity(n, factors: factors), dimension: 2,
        matrices: matrices.frozen(), cayley: try scales.cayley(rotations: n),
        determinants: (0..<factors.count * n).map { factors[$0 / n] * factors[$0 / n] },
        quadratureWeights: (0..<factors.count * n).map { weights[$0 / n] / Double(n) }))
  }
}

/// The factors of a scaling, checked: their products and the measure on them.
private struct ScaleSet {
  /// Products within this relative distance of a factor are that factor.
  static let tolerance = 1e-6
  /// Factors that differ by less are equal. Ten times the tolerance, so that a look-up has one answer and products of
  /// three factors do not depend on their order.
  static let separation = 1e-5

  let factors: [Double]
  /// The indices of the factors in ascending order of size.
  let ascending: [Int]

  init(_ factors: [Double], limit: Int) throws(GroupError) {
    guard 1...limit ~= factors.count else {
      throw .invalidOrder(.factorCount, value: factors.count, limit: limit)
    }
    for (index, factor) in factors.enumerated() where !(PointGroup.factorRange ~= factor) {
      throw .invalidFactor(index: index, value: factor, expected: "a number in 1/1024...1024")
    }
    guard factors[0] == 1 else {
      throw .invalidFactor(index: 0, value: factors[0], expected: "1, the identity")
    }
    self.factors = factors
    ascending = factors.indices.sorted { (factors[$0], $0) < (factors[$1], $1) }
    for (a, b) in zip(ascending, ascending.dropFirst()) where factors[b] - factors[a] <= Self.separation * factors[a] {
      throw .duplicateFactor(min(a, b), max(a, b))
    }
  }

  /// The Cayley table of the direct product with n rotations, −1 where a product of factors is not a factor: scales by
  /// look-up, rotations by addition modulo n.
  func cayley(rotations n: Int) throws(GroupError) -> FixedArray<Int32> {
    let m = factors.count
    var table = try GroupTable<Int32>(capacity: m * n * m * n)
    for i in 0..<m {
      let scales = factors.map { index(of: factors[i] * $0) }
      for r in 0..<n {
        for j in 0..<m {
          for s in 0..<n { try table.append(scales[j].map { Int32($0 * n + (r + s) % n) } ?? -1) }
        }
      }
    }
    return table.frozen()
  }

  private func index(of product: Double) -> Int? {
    var (low, high) = (0, ascending.count)
    let smallest = product * (1 - Self.tolerance)
    while low < high {
      let middle = (low + high) / 2
      if factors[ascending[middle]] < smallest { low = middle + 1 } else { high = middle }
    }
    guard low < ascending.count, factors[ascending[low]] <= product * (1 + Self.tolerance) else { return nil }
    return ascending[low]
  }

  /// The trapezoidal rule in log s, with sum 1.
  var quadratureWeights: [Double] {
    let logs = ascending.map { log(factors[$0]) }
    let last = logs.count - 1
    var weights = [Double](repeating: 1, count: factors.count)
    if last == 0 { return weights }
    for (place, index) in ascending.enumerated() {
      let span = logs[min(place + 1, last)] - logs[max(place - 1, 0)]
      weights[index] = span / (2 * (logs[last] - logs[0]))
    }
    return weights
  }
}
