// SPDX-License-Identifier: Apache-2.0

/// Chains {e} = K₀ < K₁ < … < K of index 2 that end at given 2-groups K and have as many subgroups in common as possible.
///
/// Sums over left cosets of a subgroup are computed once for all chains that begin alike. So each step goes to a
/// subgroup that lies in the most of the given ones, then on in those, then in the others. Among equals the subgroup of
/// the smallest element is taken.
struct CosetChains {
  private let group: CayleyTable
  private var chains: [ElementSet: [ElementSet]] = [:]

  /// Chains to these 2-groups, which may be given several times: each time counts.
  init(to subgroups: [ElementSet], in group: CayleyTable) {
    self.group = group
    extend([ElementSet([0])], to: subgroups)
  }

  /// The chain that ends at one of the subgroups, each as a list of its elements.
  subscript(subgroup: ElementSet) -> [[Int]] { chains[subgroup]!.map { Array($0) } }

  private mutating func extend(_ chain: [ElementSet], to subgroups: [ElementSet]) {
    let end = chain[chain.count - 1]
    var rest = subgroups.filter { $0 != end }
    if rest.count < subgroups.count { chains[end] = chain }
    while !rest.isEmpty {
      var best: (next: ElementSet, covered: Int)?
      for element in 0..<group.order where rest.contains(where: { $0.contains(element) }) {
        guard let next = group.doubled(end, by: element) else { continue }
        let covered = rest.count { next.isSubset(of: $0) }
        if covered > best?.covered ?? 0 { best = (next, covered) }
      }
      guard let next = best?.next else { preconditionFailure("a subgroup is not a 2-group") }
      extend(chain + [next], to: rest.filter { next.isSubset(of: $0) })
      rest.removeAll { next.isSubset(of: $0) }
    }
  }
}
