// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// The gathers of a plan's passes.
final class GatherPlans: Sendable {
  private let forward: GatherPlan
  /// Made when first needed: inference never needs the input gradient, and few layers more images side by side.
  private let others = LazyTable<Key, GatherPlan>()

  private struct Key: Hashable {
    let isAdjoint: Bool
    let depth: Int
  }

  /// - Throws: `outOfMemory`, `sizeOverflow`.
  init(_ stencil: Stencil, geometry: Geometry, isCircular: Bool) throws(ConvolutionError) {
    forward = try GatherPlan(forward: stencil, geometry: geometry, isCircular: isCircular, depth: 1)
  }

  /// The gather that computes a pass; for a weight gradient the one whose adjoint it is.
  ///
  /// - Parameter depth: images that lie side by side in its padded planes.
  func plan(_ pass: Pass, of plan: ConvolutionPlan, depth: Int = 1) throws(ConvolutionError) -> GatherPlan {
    let isAdjoint = pass == .inputGradient
    if !isAdjoint && depth == 1 { return forward }
    return try others.value(Key(isAdjoint: isAdjoint, depth: depth)) { () throws(ConvolutionError) in
      let isCircular = plan.descriptor.layer.paddingMode == .circular
      if isAdjoint {
        return try GatherPlan(
          adjoint: plan.stencil.adjoint(), geometry: plan.geometry, isCircular: isCircular, depth: depth)
      }
      return try GatherPlan(forward: plan.stencil, geometry: plan.geometry, isCircular: isCircular, depth: depth)
    }
  }
}
