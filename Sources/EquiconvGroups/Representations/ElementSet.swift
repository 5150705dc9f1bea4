// SPDX-License-Identifier: Apache-2.0

/// A set of elements of a group of at most 128, one bit for each; iterated in ascending order.
struct ElementSet: Hashable, Sendable {
  private var bits: UInt128 = 0

  init() {}

  init(_ elements: some Sequence<Int>) { for element in elements { insert(element) } }

  var count: Int { bits.nonzeroBitCount }
  var isEmpty: Bool { bits == 0 }

  func contains(_ element: Int) -> Bool { bits >> UInt128(element) & 1 == 1 }
  mutating func insert(_ element: Int) { bits |= 1 << UInt128(element) }

  func union(_ other: Self) -> Self {
    var result = self
    result.formUnion(other)
    return result
  }
  mutating func formUnion(_ other: Self) { bits |= other.bits }
  func isSubset(of other: Self) -> Bool { bits & ~other.bits == 0 }
}

extension ElementSet: Sequence {
  struct Iterator: IteratorProtocol {
    fileprivate var rest: UInt128

    mutating func next() -> Int? {
      if rest == 0 { return nil }
      let element = rest.trailingZeroBitCount
      rest &= rest - 1
      return element
    }
  }

  func makeIterator() -> Iterator { Iterator(rest: bits) }
}
