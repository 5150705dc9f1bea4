// SPDX-License-Identifier: Apache-2.0

/// The correlations of a plan's passes, made when first asked for.
final class PlaneCorrelations: Sendable {
  /// Guarded by `ProcessLock`.
  private nonisolated(unsafe) var forward: PlaneCorrelation?
  private nonisolated(unsafe) var adjoint: PlaneCorrelation?

  /// A pass of `plan` as a correlation; the weight gradient shares that of the forward pass.
  /// - Throws: `unsupportedAlgorithm` where the pass is none; `outOfMemory`.
  func correlation(
    _ pass: Pass, of plan: ConvolutionPlan, for algorithm: Algorithm
  ) throws(ConvolutionError) -> PlaneCorrelation {
    let isAdjoint = pass == .inputGradient
    if let known = ProcessLock.withLock({ isAdjoint ? adjoint : forward }) { return known }
    try PlaneCorrelation.check(pass, of: plan, for: algorithm)
    let made = isAdjoint ? try PlaneCorrelation.adjoint(plan) : try PlaneCorrelation.forward(plan)
    ProcessLock.withLock { if isAdjoint { adjoint = made } else { forward = made } }
    return made
  }
}
