// SPDX-License-Identifier: Apache-2.0

/// A set of integers whose allocations are checked.
public struct CheckedSet<Failure: AllocationFailure>: ~Copyable {
  /// `vacant`, or a member: a table of 2ⁿ places, at most half of them occupied, searched from a member's hash on.
  @usableFromInline var places: CheckedArray<Int, Failure>
  @usableFromInline var members: Int

  /// The number of members.
  @inlinable public var count: Int { members }

  /// An integer that is never a size or a place.
  @inlinable static var vacant: Int { .min }

  @inlinable public init() throws(Failure) {
    places = try CheckedArray(repeating: Self.vacant, count: 16)
    members = 0
  }

  /// Adds a member, which is not `Int.min`, unless it is there.
  @inlinable public mutating func insert(_ member: Int) throws(Failure) {
    let place = self.place(of: member)
    if places[place] == member { return }
    places[place] = member
    members += 1
    if 2 * members > places.count { try grow() }
  }

  /// The members in ascending order.
  @inlinable public borrowing func ascending() throws(Failure) -> FixedArray<Int> {
    var list = try CheckedArray<Int, Failure>(capacity: count)
    for index in places.indices where places[index] != Self.vacant { try list.append(places[index]) }
    list.elements.heapsort()
    return list.frozen()
  }

  /// Where a member is, or would be.
  @inlinable func place(of member: Int) -> Int {
    let mask = places.count - 1
    // The upper half of a product with the golden ratio, since members are often multiples of a stride.
    var place = Int(truncatingIfNeeded: (UInt(bitPattern: member) &* 0x9e37_79b9_7f4a_7c15) >> 32) & mask
    while places[place] != member && places[place] != Self.vacant { place = (place + 1) & mask }
    return place
  }

  @inlinable mutating func grow() throws(Failure) {
    var old = try CheckedArray<Int, Failure>(repeating: Self.vacant, count: 2 * places.count)
    swap(&old, &places)
    for index in old.indices where old[index] != Self.vacant { places[place(of: old[index])] = old[index] }
  }
}
