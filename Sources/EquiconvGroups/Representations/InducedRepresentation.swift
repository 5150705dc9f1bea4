// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// The representation that a character χ: K → ±1 induces: by signed permutations of the left cosets of K.
///
/// With one element r_q of each coset, R(h) e_q = χ(r_i⁻¹ h r_q) e_i, where i is the coset of h r_q. The subgroup that
/// keeps line q is r_q K r_q⁻¹, on which R[q][q] is the conjugate character.
///
/// Source: J.-P. Serre, Linear Representations of Finite Groups, sections 3.3 and 7.
struct InducedRepresentation {
  let order: Int
  let dimension: Int
  /// The columns `0..<columns` belong to characters of the decomposition.
  let columns: Int
  /// For each line q the subgroup that keeps it.
  let stabilizers: [ElementSet]
  /// (|L|, D): the line i and the sign of R(h) e_q.
  private let lines: [UInt8]
  private let signs: [Int8]

  /// R(h) e_q = sign · e_line.
  func image(ofLine q: Int, by h: Int) -> (line: Int, sign: Double) {
    (Int(lines[h * dimension + q]), Double(signs[h * dimension + q]))
  }

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
      representations.append(Self(character, representatives: used + unused, columns: used.count, in: group))
    }
    return representations
  }

  /// - Parameter representatives: One element of each left coset, the identity first.
  private init(_ character: SignedCharacter, representatives: [Int], columns: Int, in group: CayleyTable) {
    let domain = character.domain
    order = group.order
    dimension = representatives.count
    self.columns = columns
    stabilizers = representatives.map { group.conjugate(domain, by: $0) }
    // Of each element r_i k: the line i and χ(k).
    var images = [(line: UInt8, sign: Int8)](repeating: (0, 0), count: group.order)
    for (line, representative) in representatives.enumerated() {
      for k in domain { images[group.product(representative, k)] = (UInt8(line), Int8(character.value(k))) }
    }
    let moved = (0..<order).flatMap { h in representatives.map { images[group.product(h, $0)] } }
    lines = moved.map { $0.line }
    signs = moved.map { $0.sign }
  }

  /// tr R(h) for each h.
  var character: [Double] {
    (0..<order).map { h in
      (0..<dimension).reduce(0) { sum, q in
        let (line, sign) = image(ofLine: q, by: h)
        return line == q ? sum + sign : sum
      }
    }
  }

  /// (|L|, D, D), row-major.
  ///
  /// - Throws: `GroupError.outOfMemory`.
  func matrices() throws(GroupError) -> GroupTable<Double> {
    let matrices = try GroupTable<Double>(repeating: 0, count: order * dimension * dimension)
    for h in 0..<order {
      for q in 0..<dimension {
        let (line, sign) = image(ofLine: q, by: h)
        matrices[(h * dimension + line) * dimension + q] = sign
      }
    }
    return matrices
  }
}
