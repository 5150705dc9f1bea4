// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// A finite group of at most 128 elements, given by its products alone. Element 0 is the identity.
package struct CayleyTable: Hashable, Sendable {
  /// The largest order: sets of elements are 128 bits.
  package static let largestOrder = 128

  package let order: Int
  /// (order, order): entry `[a * order + b]` is a·b.
  private let products: [UInt8]
  private let inverses: [UInt8]

  /// The group of `0..<order` with these products.
  ///
  /// - Precondition: `order` is in `1...largestOrder`, and the products are those of a group whose identity is 0.
  package init(order: Int, product: (Int, Int) -> Int) {
    precondition(1...Self.largestOrder ~= order, "order is outside 1...128")
    let products = (0..<order * order).map { UInt8(product($0 / order, $0 % order)) }
    self.order = order
    self.products = products
    inverses = (0..<order).map { a in UInt8(products[a * order..<(a + 1) * order].firstIndex(of: 0)! - a * order) }
  }

  package func product(_ a: Int, _ b: Int) -> Int { Int(products[a * order + b]) }

  package func inverse(_ a: Int) -> Int { Int(inverses[a]) }

  /// g·a·g⁻¹.
  func conjugate(_ a: Int, by g: Int) -> Int { product(product(g, a), inverse(g)) }

  /// g·S.
  func translate(_ set: ElementSet, by g: Int) -> ElementSet { ElementSet(set.lazy.map { product(g, $0) }) }

  /// g·S·g⁻¹.
  func conjugate(_ set: ElementSet, by g: Int) -> ElementSet { ElementSet(set.lazy.map { conjugate($0, by: g) }) }

  /// The smallest element of each left coset of a subgroup, ascending; `[0]` is the identity.
  func leftTransversal(of subgroup: ElementSet) -> [Int] {
    var covered = ElementSet()
    return (0..<order).filter { candidate in
      if covered.contains(candidate) { return false }
      covered.formUnion(translate(subgroup, by: candidate))
      return true
    }
  }

  /// The subgroup K ∪ gK, if g is not in K, keeps K by conjugation, and has its square in K.
  func doubled(_ subgroup: ElementSet, by g: Int) -> ElementSet? {
    guard !subgroup.contains(g), subgroup.contains(product(g, g)),
      subgroup.allSatisfy({ subgroup.contains(conjugate($0, by: g)) })
    else { return nil }
    return subgroup.union(translate(subgroup, by: g))
  }
}

extension PointGroup {
  /// A subgroup by its products alone: element i is the i-th smallest of the given elements.
  ///
  /// - Throws: `GroupError.notASubgroup`; `invalidOrder` for more than 128 elements.
  func cayleyTable(of subgroup: [Int]) throws(GroupError) -> CayleyTable {
    guard subgroup.count <= CayleyTable.largestOrder else {
      throw .invalidOrder(.size(of: .subgroup), value: subgroup.count, limit: CayleyTable.largestOrder)
    }
    try checkSubgroup(subgroup)
    let elements = subgroup.sorted()
    var numbers = [Int: Int]()
    for (number, element) in elements.enumerated() { numbers[element] = number }
    return CayleyTable(order: elements.count) { numbers[product(elements[$0], elements[$1])]! }
  }
}
