// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// A finite group H of d×d matrices, the stabilizer of the origin in G = ℝᵈ ⋊ H.
///
/// Elements are the integers `0..<order`; element 0 is the identity. All arithmetic on elements is done with an
/// integer Cayley table, so it is exact for every group:
///
///     let d4 = try PointGroup.dihedral(4)
///     d4.product(d4.inverse(3), 3) == 0        // h⁻¹ h = e
///
/// Matrices act on column vectors (x), (x, y) or (x, y, z) with y and z pointing up, against the array axes.
///
/// Infinite groups, such as the scalings, are given as a finite *truncated set* of their elements, whose `isClosed` is
/// false. Its table has −1 where a product or an inverse is not in the set; `productIfPresent(_:_:)` and
/// `relative(_:_:)` give nil there.
///
/// A value is immutable, cheap to copy (one reference), and may be used from several threads at once. Two groups
/// are equal if they have the same dimension and the same matrices in the same order, whatever their names.
public struct PointGroup: Hashable, Sendable, CustomStringConvertible {
  /// The largest order |H|.
  public static let largestOrder = 4096

  private let storage: PointGroupStorage

  init(_ storage: PointGroupStorage) { self.storage = storage }

  /// A short name: "C4", "D4", "trivial2", "reflection", "octahedral", "full octahedral", "C4 about z", "scaling(3)" or,
  /// for example, "matrices(6)".
  public var name: String { storage.name }

  /// The number d of axes the group acts on: 1, 2 or 3.
  public var dimension: Int { storage.dimension }

  /// The number of elements |H|.
  public var order: Int { storage.order }

  /// Whether all matrices are signed permutations, so that H maps the grid ℤᵈ to itself.
  public var isLattice: Bool { storage.latticeSubgroup.count == storage.order }

  /// The elements whose matrices are signed permutations, ascending; a subgroup, which is all of a lattice group.
  ///
  /// For example the quarter turns [0, 2, 4, 6] of C8.
  public var latticeSubgroup: [Int] { storage.latticeSubgroup }

  /// Whether every product and every inverse is in the set; false for a truncated set.
  public var isClosed: Bool { storage.isClosed }

  /// The name.
  public var description: String { name }

  /// The function that made it; nil for a group made of its matrices.
  var namedRecipe: Recipe? { storage.recipe }

  // MARK: Matrices

  /// The matrices of all elements, shape (order, d, d), row-major.
  ///
  /// - Complexity: O(|H|), a copy.
  public var matrices: [Double] { Array(storage.matrices) }

  /// `matrices` without a copy.
  package var matrixTable: FixedArray<Double> { storage.matrices }

  /// The determinants of all elements: exactly 1 or −1 for a closed group, sᵈ for a scaling by s of d axes.
  public var determinants: [Double] { storage.determinants }

  /// Weights w(h) with which Σ_h w(h) f(h) stands for the mean of f over the group by its Haar measure; their sum is 1.
  ///
  /// Equal, 1/|H|, for a closed group. For scalings the trapezoidal rule in log s over the sorted factors, because the
  /// invariant measure is ds/s: half the distance between a factor's neighbors, at the ends half the distance to the
  /// one neighbor, over the whole length. For rotations and scalings the product of both. One factor has the weight 1.
  public var quadratureWeights: [Double] { storage.quadratureWeights }

  /// The matrix of an element, shape (d, d), row-major.
  ///
  /// - Precondition: `element` is in `0..<order`.
  public func matrix(_ element: Int) -> [Double] {
    checkIndex(element)
    let size = dimension * dimension
    return Array(storage.matrices.part(element * size..<(element + 1) * size))
  }

  // MARK: Arithmetic

  /// The Cayley table, shape (order, order): entry `[a * order + b]` is the index of a·b, or −1 if it is not in a truncated set.
  ///
  /// - Complexity: O(|H|²), a copy; `product(_:_:)` looks up one entry.
  public var cayley: [Int32] { Array(storage.cayley) }

  /// `cayley` without a copy.
  package var cayleyTable: FixedArray<Int32> { storage.cayley }

  /// The inverse of each element, or −1 if it is not in a truncated set.
  public var inverses: [Int32] { storage.inverses }

  /// The index of the product a·b, which acts as b followed by a; −1 if it is not in a truncated set.
  ///
  /// - Precondition: `a` and `b` are in `0..<order`.
  /// - Complexity: O(1).
  public func product(_ a: Int, _ b: Int) -> Int {
    checkIndex(a)
    checkIndex(b)
    return Int(storage.cayley[a * storage.order + b])
  }

  /// The index of the product a·b, or nil if it is not in a truncated set.
  ///
  /// - Precondition: `a` and `b` are in `0..<order`.
  /// - Complexity: O(1).
  public func productIfPresent(_ a: Int, _ b: Int) -> Int? {
    let product = product(a, b)
    return product < 0 ? nil : product
  }

  /// The element d with h·d = e, which is h⁻¹·e, or nil if it is not in a truncated set.
  ///
  /// The set may have d without having h⁻¹.
  ///
  /// - Precondition: `h` and `e` are in `0..<order`.
  /// - Complexity: O(1) for a closed group, else O(|H|).
  public func relative(_ h: Int, _ e: Int) -> Int? {
    checkIndex(h)
    checkIndex(e)
    if isClosed { return product(inverse(h), e) }
    return storage.cayley.part(h * order..<(h + 1) * order).firstIndex(of: Int32(e))
  }

  /// The index of a⁻¹; −1 if it is not in a truncated set.
  ///
  /// - Precondition: `a` is in `0..<order`.
  /// - Complexity: O(1).
  public func inverse(_ a: Int) -> Int {
    checkIndex(a)
    return Int(storage.inverses[a])
  }

  // MARK: Action on the grid

  /// How an element moves the axes of an array, or nil if its matrix is not a signed permutation.
  ///
  /// - Precondition: `element` is in `0..<order`.
  /// - Complexity: O(1).
  public func axisAction(_ element: Int) -> AxisAction? {
    checkIndex(element)
    return storage.axisActions[element]
  }

  // MARK: Hashable

  public static func == (a: Self, b: Self) -> Bool {
    a.storage === b.storage
      || (a.dimension == b.dimension && a.storage.fingerprint == b.storage.fingerprint
        && a.storage.matrices == b.storage.matrices)
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(storage.fingerprint) }

  private func checkIndex(_ element: Int) {
    precondition(0 <= element && element < storage.order, "group element is outside 0..<order")
  }
}
