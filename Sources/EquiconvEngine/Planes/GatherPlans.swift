// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// The gathers of a plan's passes.
final class GatherPlans: Sendable {
  private let forward: GatherPlan
  /// Made by the first input gradient: inference never needs it.
  private let adjoint = LazyTable<Pass, GatherPlan>()

  /// - Throws: `outOfMemory`, `sizeOverflow`.
  init(_ stencil: Stencil, geometry: Geometry, isCircular: Bool) throws(ConvolutionError) {
    forward = try GatherPlan(forward: stencil, geometry: geometry, isCircular: isCircular)
  }

  /// The gather that computes a pass; for a weight gradient the one whose adjoint it is.
  func plan(_ pass: Pass, of plan: ConvolutionPlan) throws(ConvolutionError) -> GatherPlan {
    if pass != .inputGradient { return forward }
    return try adjoint.value(pass) { () throws(ConvolutionError) in
      try GatherPlan(
        adjoint: plan.stencil.adjoint(), geometry: plan.geometry,
        isCircular: plan.descriptor.layer.paddingMode == .circular)
    }
  }
}
