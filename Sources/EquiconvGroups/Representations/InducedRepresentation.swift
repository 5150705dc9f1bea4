// SPDX-License-Identifier: Apache-2.0

/// The representation that a character χ: K → ±1 induces: by signed permutations of the left cosets of K.
///
/// With one element r_q of each coset, R(h) e_q = χ(r_i⁻¹ h r_q) e_i, where i is the coset of h r_q. The subgroup that
/// keeps line q is r_q K r_q⁻¹, on which R[q][q] is the conjugate character.
///
/// Source: J.-P. Serre, Linear Representations of Finite Groups, sections 3.3 and 7.
struct InducedRepresentation {
  let character: SignedCharacter
  /// One element of each left coset; the first is the identity.
  let representatives: [Int]
  /// The columns `0..<columns` belong to characters of the decomposition.
  let columns: Int

  var dimension: Int { representatives.count }

  /// The representations that the characters of a decomposition induce, one for all conjugates.
  static func all(of characters: [SignedCharacter], in group: CayleyTable) -> [Self] {
    var rest = characters
    var representations: [Self] = []
    while let character = rest.first {
      var used: [Int] = []
      var unused: [Int] = []
      for representative in group.leftTransversal(of: character.domain) {
        if let index = rest.firstIndex(of: character.conjugate(by: representative, in: group)) {
          rest.remove(at: index)
          used.append(representative)
        } else {
          unused.append(representative)
        }
      }
      representations.append(Self(character: character, representatives: used + unused, columns: used.count))
    }
    return representations
  }

  /// The subgroup that keeps line q.
  func stabilizer(ofLine q: Int, in group: CayleyTable) -> ElementSet {
    group.conjugate(character.domain, by: representatives[q])
  }

  /// (|L|, D, D), row-major.
  func matrices(in group: CayleyTable) throws(GroupError) -> Table<Double> {
    let (domain, size) = (character.domain, dimension)
    // Of each element r_i k: the line i and χ(k).
    var images = [(line: Int, sign: Int)](repeating: (0, 0), count: group.order)
    for (line, representative) in representatives.enumerated() {
      for k in domain { images[group.product(representative, k)] = (line, character.value(k)) }
    }
    let matrices = try Table<Double>(repeating: 0, count: group.order * size * size)
    for element in 0..<group.order {
      for (column, representative) in representatives.enumerated() {
        let (line, sign) = images[group.product(element, representative)]
        matrices[(element * size + line) * size + column] = Double(sign)
      }
    }
    return matrices
  }
}
