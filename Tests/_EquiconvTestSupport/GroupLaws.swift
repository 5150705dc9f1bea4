// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import Foundation

/// The published tables of a group, as plain numbers that a test may also break.
public struct GroupTables {
  public var dimension: Int
  public var order: Int
  /// (order, d, d)
  public var matrices: [Double]
  /// (order, order)
  public var cayley: [Int]
  public var inverses: [Int]
  public var determinants: [Double]

  public init(_ group: PointGroup) {
    dimension = group.dimension
    order = group.order
    matrices = group.matrices
    cayley = group.cayley.map(Int.init)
    inverses = group.inverses.map(Int.init)
    determinants = group.determinants
  }

  func product(_ a: Int, _ b: Int) -> Int { cayley[a * order + b] }

  func matrix(_ a: Int) -> [Double] { Array(matrices[a * dimension * dimension..<(a + 1) * dimension * dimension]) }
}

/// The names of the laws of a group, and of its representation by matrices, that are broken; empty for a group.
public func checkGroupLaws(_ group: PointGroup) -> [String] { checkGroupLaws(GroupTables(group)) }

/// The names of the laws that these tables break.
public func checkGroupLaws(_ g: GroupTables) -> [String] {
  let elements = 0..<g.order
  guard g.order >= 1, g.cayley.count == g.order * g.order, g.inverses.count == g.order,
    g.determinants.count == g.order, g.matrices.count == g.order * g.dimension * g.dimension
  else { return ["shape"] }
  guard (g.cayley + g.inverses).allSatisfy(elements.contains) else { return ["closure"] }

  let laws: [(name: String, holds: Bool)] = [
    ("identity", elements.allSatisfy { g.product(0, $0) == $0 && g.product($0, 0) == $0 }),
    ("inverse", elements.allSatisfy { g.product($0, g.inverses[$0]) == 0 && g.product(g.inverses[$0], $0) == 0 }),
    ("associativity", isAssociative(g)),
    ("Latin square", isLatinSquare(g)),
    ("matrix of the identity", g.matrix(0) == identity(g.dimension)),
    ("homomorphism", isHomomorphism(g, tolerance: 1e-12)),
    ("determinant of the matrix", determinantsAgree(g, tolerance: 1e-12)),
    ("multiplicative determinant", hasMultiplicativeDeterminant(g)),
  ]
  return laws.filter { !$0.holds }.map(\.name)
}

private func isAssociative(_ g: GroupTables) -> Bool {
  for a in 0..<g.order {
    for b in 0..<g.order {
      let ab = g.product(a, b)
      for c in 0..<g.order where g.product(ab, c) != g.product(a, g.product(b, c)) { return false }
    }
  }
  return true
}

private func isLatinSquare(_ g: GroupTables) -> Bool {
  (0..<g.order).allSatisfy { a in
    Set((0..<g.order).map { g.product(a, $0) }).count == g.order
      && Set((0..<g.order).map { g.product($0, a) }).count == g.order
  }
}

private func isHomomorphism(_ g: GroupTables, tolerance: Double) -> Bool {
  let matrices = (0..<g.order).map(g.matrix)
  for a in 0..<g.order {
    for b in 0..<g.order {
      let product = multiply(matrices[a], matrices[b], g.dimension)
      guard zip(product, matrices[g.product(a, b)]).allSatisfy({ abs($0 - $1) <= tolerance }) else { return false }
    }
  }
  return true
}

private func determinantsAgree(_ g: GroupTables, tolerance: Double) -> Bool {
  (0..<g.order).allSatisfy {
    abs(g.determinants[$0]) == 1 && abs(leibniz(g.matrix($0), g.dimension) - g.determinants[$0]) <= tolerance
  }
}

private func hasMultiplicativeDeterminant(_ g: GroupTables) -> Bool {
  (0..<g.order).allSatisfy { a in
    (0..<g.order).allSatisfy { g.determinants[g.product(a, $0)] == g.determinants[a] * g.determinants[$0] }
  }
}

// MARK: Matrices, from their definitions

private func identity(_ d: Int) -> [Double] { (0..<d).flatMap { row in (0..<d).map { $0 == row ? 1 : 0 } } }

/// The product of two d×d matrices, row-major.
public func multiply(_ a: [Double], _ b: [Double], _ d: Int) -> [Double] {
  var product = [Double](repeating: 0, count: d * d)
  for row in 0..<d {
    for column in 0..<d {
      for k in 0..<d { product[row * d + column] += a[row * d + k] * b[k * d + column] }
    }
  }
  return product
}

/// The determinant by expansion along the first row.
func leibniz(_ m: [Double], _ d: Int) -> Double {
  if d == 1 { return m[0] }
  return (0..<d).reduce(0) { sum, column in
    let minor = (1..<d).flatMap { row in (0..<d).filter { $0 != column }.map { m[row * d + $0] } }
    return sum + (column % 2 == 0 ? 1 : -1) * m[column] * leibniz(minor, d - 1)
  }
}

// MARK: Groups to try laws on

/// All products of the generators, the identity first; nil if there are more than `limit`.
public func matricesGenerated(by generators: [[Double]], dimension d: Int, limit: Int = 200) -> [Double]? {
  var elements = [identity(d)]
  var next = 0
  while next < elements.count {
    for generator in generators {
      let product = multiply(elements[next], generator, d)
      if elements.contains(where: { zip($0, product).allSatisfy { abs($0 - $1) < 1e-9 } }) { continue }
      guard elements.count < limit else { return nil }
      elements.append(product)
    }
    next += 1
  }
  return elements.flatMap { $0 }
}

/// All subgroups, each as its sorted elements, by adding one element at a time from the Cayley table alone.
public func allSubgroups(of group: PointGroup) -> [[Int]] {
  let tables = GroupTables(group)
  var found: Set<[Int]> = [[0]]
  var frontier: [[Int]] = [[0]]
  while let subgroup = frontier.popLast() {
    for element in 1..<max(group.order, 1) where !subgroup.contains(element) {
      var closure = Set(subgroup + [element])
      while true {
        let products = Set(closure.flatMap { a in closure.map { tables.product(a, $0) } })
        if products == closure { break }
        closure = products
      }
      let larger = closure.sorted()
      if found.insert(larger).inserted { frontier.append(larger) }
    }
  }
  return found.sorted { ($0.count, $0.description) < ($1.count, $1.description) }
}

/// Groups that tests apply laws to.
public enum GroupCatalog {
  /// Every lattice group with a name, in 1, 2 and 3 dimensions.
  public static let lattice: [PointGroup] =
    [1, 2, 3].map { try! .trivial($0) } + [.reflection] + [1, 2, 4].map { try! .cyclic($0) }
    + [1, 2, 4].map { try! .dihedral($0) } + [.octahedral, .fullOctahedral, .tetrahedral, .pyritohedral]
    + [try! .axialCyclic(4, axis: .x), try! .axialDihedral(2, axis: .y)]

  /// Cyclic and dihedral groups of many orders, lattice or not.
  public static let planar: [PointGroup] =
    (Array(1...12) + [16]).flatMap { [try! PointGroup.cyclic($0), try! PointGroup.dihedral($0)] }

  /// Groups about an axis of space and those of the icosahedron.
  public static let spatial: [PointGroup] =
    PointGroup.Axis.allCases.flatMap { axis in
      [1, 2, 3, 4, 6, 7].flatMap { n in
        [try! PointGroup.axialCyclic(n, axis: axis), try! PointGroup.axialDihedral(n, axis: axis)]
      }
    } + [.icosahedral, .fullIcosahedral]

  /// Truncated sets of elements, which are not closed.
  public static let truncated: [PointGroup] = [
    try! .scaling(dimension: 1, factors: [1, 2, 4, 8]),
    try! .scaling(dimension: 2, factors: [1, 0.5, 2, 0.25]),
    try! .scaling(dimension: 2, factors: (0..<5).map { exp2(Double($0) / 2) }),
    try! .scaling(dimension: 3, factors: [1, 3, 1.5]),
    try! .similarity(4, factors: [1, 2, 4]),
    try! .similarity(8, factors: [1, 2.0.squareRoot(), 2]),
    try! .similarity(3, factors: [1, 0.5]),
  ]

  /// Groups made from matrices, among them groups that are not orthogonal.
  public static let fromMatrices: [PointGroup] = [
    generated("tetrahedral", 3, [cycle, [-1, 0, 0, 0, -1, 0, 0, 0, 1]]),
    generated("pyritohedral", 3, [cycle, [-1, 0, 0, 0, 1, 0, 0, 0, 1]]),
    generated("icosahedral", 3, [cycle, fifthTurn]),
    generated("full icosahedral", 3, [cycle, fifthTurn, [-1, 0, 0, 0, -1, 0, 0, 0, -1]]),
    generated("diagonal mirror", 2, [[0, 1, 1, 0]]),
    generated("hexagonal basis", 2, [[1, -1, 1, 0]]),
    generated("oblique mirror", 2, [[1, 1, 0, -1]]),
    generated("stretched quarter turn", 2, [[0, -2, 0.5, 0]]),
    generated("point reflection", 3, [[-1, 0, 0, 0, -1, 0, 0, 0, -1]]),
    generated("line", 1, [[-1]]),
  ]

  public static let all: [PointGroup] = lattice + planar + spatial + fromMatrices

  /// The rotation by a third of a turn about (1, 1, 1).
  private static let cycle: [Double] = [0, 0, 1, 1, 0, 0, 0, 1, 0]

  /// A rotation by a fifth of a turn about a vertex of the icosahedron with vertices (±1, 0, ±φ) and cyclic.
  private static var fifthTurn: [Double] {
    let phi = (1 + 5.0.squareRoot()) / 2
    return [1, -phi, 1 / phi, phi, 1 / phi, -1, 1 / phi, 1, phi].map { $0 / 2 }
  }

  private static func generated(_ name: String, _ dimension: Int, _ generators: [[Double]]) -> PointGroup {
    let matrices = matricesGenerated(by: generators, dimension: dimension)!
    return try! PointGroup(dimension: dimension, matrices: matrices, name: name)
  }
}
