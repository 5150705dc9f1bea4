// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension PointGroup {
  /// How a group was made: by a function of this module with its arguments, or from its matrices.
  ///
  ///     let c4 = try PointGroup.cyclic(4)
  ///     c4.recipe == .cyclic(4)
  ///     try PointGroup(c4.recipe) == c4
  ///
  /// Groups with equal matrices are equal, however they were made; the recipe distinguishes `cyclic(1)` from
  /// `trivial(2)`.
  public enum Recipe: Hashable, Sendable {
    case trivial(Int)
    case reflection
    case cyclic(Int)
    case dihedral(Int)
    case octahedral, fullOctahedral, tetrahedral, pyritohedral
    case icosahedral, fullIcosahedral
    case axialCyclic(Int, Axis)
    case axialDihedral(Int, Axis)
    case scaling(dimension: Int, factors: [Double])
    case similarity(Int, factors: [Double])
    /// (order, d, d), row-major.
    case matrices(dimension: Int, FixedArray<Double>)
  }

  /// How this group was made.
  public var recipe: Recipe { namedRecipe ?? .matrices(dimension: dimension, matrixTable) }

  /// The group that a recipe makes, bit for bit.
  ///
  /// - Throws: what the function or initializer that it names throws.
  public init(_ recipe: Recipe) throws(GroupError) {
    self =
      switch recipe {
      case .trivial(let d): try .trivial(d)
      case .reflection: .reflection
      case .cyclic(let n): try .cyclic(n)
      case .dihedral(let n): try .dihedral(n)
      case .octahedral: .octahedral
      case .fullOctahedral: .fullOctahedral
      case .tetrahedral: .tetrahedral
      case .pyritohedral: .pyritohedral
      case .icosahedral: .icosahedral
      case .fullIcosahedral: .fullIcosahedral
      case .axialCyclic(let n, let axis): try .axialCyclic(n, axis: axis)
      case .axialDihedral(let n, let axis): try .axialDihedral(n, axis: axis)
      case .scaling(let dimension, let factors): try .scaling(dimension: dimension, factors: factors)
      case .similarity(let n, let factors): try .similarity(n, factors: factors)
      case .matrices(let dimension, let entries): try PointGroup(dimension: dimension, copying: entries)
      }
  }
}
