// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// A homogeneous space H/K: the left cosets a·K of a subgroup K, on which H acts by h·(a·K) = (h·a)·K.
///
/// Points are the integers `0..<count`, numbered by the first appearance of their coset among the elements of H, as in
/// `PointGroup.leftCosets(of:)`; point 0 is K itself, whose stabilizer is K.
///
///     let orientations = try HomogeneousSpace(group: .cyclic(8), stabilizer: [0, 4])  // modulo a half turn
///     orientations.count == 4
///     orientations.act(3, 2) == 1
///
/// For a truncated set of elements (`PointGroup.isClosed` is false) the stabilizer is a subgroup all of whose cosets are
/// in the set, such as {e} or the rotations of a similarity group, or the whole set, which gives the plane.
///
/// A value is immutable and cheap to copy (one reference). Two spaces are equal if group and stabilizer are.
public struct HomogeneousSpace: Hashable, Sendable {
  private let storage: HomogeneousSpaceStorage

  /// The space H/K.
  ///
  /// - Parameters:
  ///   - group: H.
  ///   - stabilizer: The elements of K in any order.
  /// - Throws: `GroupError.notASubgroup`.
  /// - Complexity: O(|H| + |K|²), O(|H|·|K|) for a truncated set.
  public init(group: PointGroup, stabilizer: [Int]) throws(GroupError) {
    let stabilizer = stabilizer.sorted()
    // The whole of a truncated set is not a subgroup, but it stands for an infinite one, which is enough for a single
    // point.
    let isPlane = stabilizer == Array(0..<group.order)
    let cosets = isPlane ? [Int](repeating: 0, count: group.order) : try group.leftCosets(of: stabilizer)
    storage = HomogeneousSpaceStorage(group: group, stabilizer: stabilizer, cosets: cosets)
  }

  private init(_ storage: HomogeneousSpaceStorage) { self.storage = storage }

  /// H/H, a single point: signals on ℝᵈ × H/H are signals on the plane.
  public static func plane(_ group: PointGroup) -> Self {
    let cosets = [Int](repeating: 0, count: group.order)
    return Self(HomogeneousSpaceStorage(group: group, stabilizer: Array(0..<group.order), cosets: cosets))
  }

  /// H/{e}, whose point a is the element a: signals on ℝᵈ × H are signals on the group.
  public static func group(_ group: PointGroup) -> Self {
    Self(HomogeneousSpaceStorage(group: group, stabilizer: [0], cosets: Array(0..<group.order)))
  }

  /// The group H.
  public var group: PointGroup { storage.group }

  /// The elements of K, ascending.
  public var stabilizer: [Int] { storage.stabilizer }

  /// The number of points, |H| / |K|.
  public var count: Int { storage.representatives.count }

  /// The smallest element of each coset, ascending; `[0]` is 0.
  public var representatives: [Int] { storage.representatives }

  /// The point a·K that an element a lies in.
  ///
  /// - Precondition: `element` is in `0..<group.order`.
  /// - Complexity: O(1).
  public func coset(of element: Int) -> Int {
    precondition(0 <= element && element < storage.cosets.count, "group element is outside 0..<order")
    return storage.cosets[element]
  }

  /// The elements of H that lie in a point, ascending.
  ///
  /// - Precondition: `point` is in `0..<count`.
  /// - Complexity: O(|H|).
  public func members(of point: Int) -> [Int] {
    checkIndex(point)
    var members: [Int] = []
    members.reserveCapacity(storage.stabilizer.count)
    for (element, coset) in storage.cosets.enumerated() where coset == point { members.append(element) }
    return members
  }

  // MARK: Action

  /// The point h·(a·K) = (h·a)·K; −1 if it is not in a truncated set.
  ///
  /// - Precondition: `h` is in `0..<group.order`, `point` in `0..<count`.
  /// - Complexity: O(1).
  public func act(_ h: Int, _ point: Int) -> Int {
    checkIndex(point)
    precondition(0 <= h && h < storage.cosets.count, "group element is outside 0..<order")
    if count == 1 { return 0 }
    let product = group.product(h, storage.representatives[point])
    return product < 0 ? -1 : storage.cosets[product]
  }

  /// The point q with h·q = point, which is h⁻¹·point, or nil if it is not in a truncated set.
  ///
  /// - Precondition: `h` is in `0..<group.order`, `point` in `0..<count`.
  /// - Complexity: O(1) for a closed group, else O(|H|).
  public func relative(_ h: Int, _ point: Int) -> Int? {
    checkIndex(point)
    precondition(0 <= h && h < storage.cosets.count, "group element is outside 0..<order")
    if count == 1 { return 0 }
    return group.relative(h, storage.representatives[point]).map { storage.cosets[$0] }
  }

  /// The orbits of a subgroup L of H, each ascending, by smallest point.
  ///
  /// - Parameter subgroup: The elements of L in any order.
  /// - Precondition: The elements are in `0..<group.order`.
  /// - Complexity: O(|L| · count).
  public func orbits(of subgroup: [Int]) -> [[Int]] {
    var isSeen = [Bool](repeating: false, count: count)
    var orbits: [[Int]] = []
    orbits.reserveCapacity(count)
    for point in 0..<count where !isSeen[point] {
      // The elements of a subgroup reach the whole orbit in one step.
      var orbit: [Int] = []
      orbit.reserveCapacity(min(subgroup.count, count))
      isSeen[point] = true
      orbit.append(point)
      for element in subgroup {
        let member = act(element, point)
        guard member >= 0, !isSeen[member] else { continue }
        isSeen[member] = true
        orbit.append(member)
      }
      orbits.append(orbit.sorted())
    }
    return orbits
  }

  /// The elements of a subgroup L that leave a point where it is, L ∩ aKa⁻¹ for the point a·K, ascending.
  ///
  /// - Parameters:
  ///   - point: In `0..<count`.
  ///   - subgroup: The elements of L in any order.
  /// - Precondition: The point and the elements exist.
  /// - Complexity: O(|L| log |L|).
  public func stabilizer(of point: Int, in subgroup: [Int]) -> [Int] {
    var fixing: [Int] = []
    fixing.reserveCapacity(min(subgroup.count, storage.stabilizer.count))
    for element in subgroup where act(element, point) == point { fixing.append(element) }
    return fixing.sorted()
  }

  private func checkIndex(_ point: Int) {
    precondition(0 <= point && point < storage.representatives.count, "point is outside 0..<count")
  }

  // MARK: Hashable

  public static func == (a: Self, b: Self) -> Bool {
    a.storage === b.storage || (a.group == b.group && a.stabilizer == b.stabilizer)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(group)
    // Enough to distinguish most subgroups.
    hasher.combine(stabilizer.count)
    hasher.combine(stabilizer.last)
  }
}

/// What a `HomogeneousSpace` refers to.
private final class HomogeneousSpaceStorage: Sendable {
  let group: PointGroup
  let stabilizer: [Int]
  /// The point of each element of H.
  let cosets: [Int]
  let representatives: [Int]

  init(group: PointGroup, stabilizer: [Int], cosets: [Int]) {
    self.group = group
    self.stabilizer = stabilizer
    self.cosets = cosets
    var representatives: [Int] = []
    representatives.reserveCapacity((cosets.max() ?? 0) + 1)
    for (element, coset) in cosets.enumerated() where coset == representatives.count {
      representatives.append(element)
    }
    self.representatives = representatives
  }
}

extension HomogeneousSpace: CustomStringConvertible {
  /// For example "4 points C8/[0, 4]"; of a long stabilizer the number of its elements.
  public var description: String {
    let isShort = stabilizer.count <= 8
    let text = isShort ? listText(stabilizer) : "\(stabilizer.count) elements"
    return "\(count) point\(count == 1 ? "" : "s") \(group)/\(text)"
  }
}
