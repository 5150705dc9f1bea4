// SPDX-License-Identifier: Apache-2.0

/// The Fourier plans of a plan's passes, made when first asked for.
final class FourierPlans: Sendable {
  private struct Key: Hashable {
    var isInputGradient: Bool
    var length: Int
  }

  /// Guarded by `ProcessLock`.
  private nonisolated(unsafe) var plans: [Key: FourierPlan] = [:]

  /// The plan for tiles of a length; a weight gradient shares that of the forward pass.
  /// - Throws: `unsupportedAlgorithm` where taps reach too far; `outOfMemory`.
  func plan(_ pass: Pass, length: Int, of plan: ConvolutionPlan) throws(ConvolutionError) -> FourierPlan {
    let key = Key(isInputGradient: pass == .inputGradient, length: length)
    if let known = ProcessLock.withLock({ plans[key] }) { return known }
    let correlation = try plan.tables.correlations.correlation(pass, of: plan, for: .fourier)
    guard let made = FourierPlan(correlation, length: length) else {
      throw PlaneCorrelation.tooFar(correlation.reach, atMost: length, for: .fourier)
    }
    ProcessLock.withLock { plans[key] = made }
    return made
  }
}
