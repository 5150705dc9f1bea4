// SPDX-License-Identifier: Apache-2.0

/// The identity of the group algebra as a sum of idempotents of characters χ: K → ±1, with the fewest products.
///
/// e_χ = Σ_k χ(k) k / |K| is an idempotent, and generates the representation induced by χ, of dimension D = |L| / |K|.
/// It is worth D² products: D columns of ẑ times one column of κ̂. If χ extends to an overgroup K ∪ gK, it does so in two
/// ways, χ₊ and χ₋, and
///
///     e_χ = e_χ₊ + e_χ₋
///
/// with half the products. Beginning with the identity, which is e_χ of {e}, the search extends characters as long as
/// that is possible. Different overgroups may end at different numbers of products, so all are tried, and each
/// character once. Subgroups K are 2-groups, so with a Sylow 2-subgroup S all dimensions are at least |L| / |S|, and the
/// products of e_χ at least D |L| / |S|: where they are that few, the search stops.
struct SignedDecomposition {
  private let group: CayleyTable
  private var choices: [SignedCharacter: Choice] = [:]

  /// The fewest products of a character, and the element g of the first overgroup K ∪ gK that has them; nil if there is none.
  private struct Choice {
    var products: Int
    var element: Int?
  }

  /// The characters of the best sum, each before its conjugates.
  static func characters(of group: CayleyTable) -> [SignedCharacter] {
    var search = SignedDecomposition(group: group)
    return search.leaves(of: .onIdentity)
  }

  private init(group: CayleyTable) { self.group = group }

  private mutating func leaves(of character: SignedCharacter) -> [SignedCharacter] {
    guard let element = choice(for: character).element,
      let (plus, minus) = character.extensions(by: element, in: group)
    else { return [character] }
    return leaves(of: plus) + leaves(of: minus)
  }

  private mutating func choice(for character: SignedCharacter) -> Choice {
    if let known = choices[character] { return known }
    let domain = character.domain
    let dimension = group.order / domain.count
    var best = Choice(products: dimension * dimension, element: nil)
    var tried = domain
    let fewest = dimension * (group.order >> group.order.trailingZeroBitCount)
    for element in 0..<group.order where best.products > fewest && !tried.contains(element) {
      guard let (plus, minus) = character.extensions(by: element, in: group) else { continue }
      tried.formUnion(plus.domain)
      let products = choice(for: plus).products + choice(for: minus).products
      if products < best.products { best = Choice(products: products, element: element) }
    }
    choices[character] = best
    return best
  }
}
