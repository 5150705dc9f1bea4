// SPDX-License-Identifier: Apache-2.0

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
/// A value is immutable, cheap to copy (one reference), and may be used from several threads at once. Two groups
/// are equal if they have the same dimension and the same matrices in the same order, whatever their names.
public struct PointGroup: Hashable, Sendable, CustomStringConvertible {
  /// The largest order |H|.
  public static let largestOrder = 4096

  private let storage: PointGroupStorage

  init(_ storage: PointGroupStorage) { self.storage = storage }

  /// A short name: "C4", "D4", "trivial2", "reflection", "octahedral", "full octahedral" or, for example, "matrices(6)".
  public var name: String { storage.name }

  /// The number d of axes the group acts on: 1, 2 or 3.
  public var dimension: Int { storage.dimension }

  /// The number of elements |H|.
  public var order: Int { storage.order }

  /// Whether all matrices are signed permutations, so that H maps the grid ℤᵈ to itself.
  public var isLattice: Bool { !storage.axisActions.isEmpty }

  /// The name.
  public var description: String { name }

  // MARK: Matrices

  /// The matrices of all elements, shape (order, d, d), row-major.
  public var matrices: [Double] { storage.matrices }

  /// The determinants of all elements, each exactly 1 or −1.
  public var determinants: [Double] { storage.determinants }

  /// The matrix of an element, shape (d, d), row-major.
  ///
  /// - Precondition: `element` is in `0..<order`.
  public func matrix(_ element: Int) -> [Double] {
    checkIndex(element)
    let size = dimension * dimension
    return Array(storage.matrices[element * size..<(element + 1) * size])
  }

  // MARK: Arithmetic

  /// The Cayley table, shape (order, order): entry `[a * order + b]` is the index of a·b.
  public var cayley: [Int32] { storage.cayley }

  /// The inverse of each element.
  public var inverses: [Int32] { storage.inverses }

  /// The index of the product a·b, which acts as b followed by a.
  ///
  /// - Precondition: `a` and `b` are in `0..<order`.
  /// - Complexity: O(1).
  public func product(_ a: Int, _ b: Int) -> Int {
    checkIndex(a)
    checkIndex(b)
    return Int(storage.cayley[a * storage.order + b])
  }

  /// The index of a⁻¹.
  ///
  /// - Precondition: `a` is in `0..<order`.
  /// - Complexity: O(1).
  public func inverse(_ a: Int) -> Int {
    checkIndex(a)
    return Int(storage.inverses[a])
  }

  // MARK: Action on the grid

  /// How an element moves the axes of an array, or nil if this is not a lattice group.
  ///
  /// - Precondition: `element` is in `0..<order`.
  /// - Complexity: O(1).
  public func axisAction(_ element: Int) -> AxisAction? {
    checkIndex(element)
    return isLattice ? storage.axisActions[element] : nil
  }

  // MARK: Hashable

  public static func == (a: Self, b: Self) -> Bool {
    a.storage === b.storage
      || (a.dimension == b.dimension && a.storage.fingerprint == b.storage.fingerprint && a.matrices == b.matrices)
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(storage.fingerprint) }

  private func checkIndex(_ element: Int) {
    precondition(0 <= element && element < storage.order, "group element is outside 0..<order")
  }
}
