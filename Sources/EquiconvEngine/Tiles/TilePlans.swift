// SPDX-License-Identifier: Apache-2.0

/// What the algorithms on tiles need of a plan, made when first asked for. A class: a plan has one, and shares it.
final class TilePlans: Sendable {
  private struct FourierKey: Hashable {
    var pass: Pass
    var length: Int
  }

  /// Guarded by `ProcessLock`.
  private nonisolated(unsafe) var correlations: [Pass: Result<PlaneCorrelation, ConvolutionError>] = [:]
  private nonisolated(unsafe) var fourierPlans: [FourierKey: FourierPlan] = [:]

  /// The correlation that a pass of `plan` is; the weight gradient goes with the forward pass.
  /// - Throws: why it is none.
  func correlation(_ pass: Pass, of plan: ConvolutionPlan) throws(ConvolutionError) -> PlaneCorrelation {
    let pass = pass == .inputGradient ? Pass.inputGradient : .forward
    if let known = ProcessLock.withLock({ correlations[pass] }) { return try known.get() }
    let result = Result { () throws(ConvolutionError) in
      try pass == .forward ? PlaneCorrelation.forward(plan) : .adjoint(plan)
    }
    ProcessLock.withLock { correlations[pass] = result }
    return try result.get()
  }

  /// The plan of Fourier tiles of a length, or why there is none.
  func fourier(_ pass: Pass, length: Int, of plan: ConvolutionPlan) throws(ConvolutionError) -> FourierPlan {
    let key = FourierKey(pass: pass == .inputGradient ? .inputGradient : .forward, length: length)
    if let known = ProcessLock.withLock({ fourierPlans[key] }) { return known }
    let correlation = try correlation(pass, of: plan)
    guard let made = FourierPlan(correlation, length: length) else {
      throw PlaneCorrelation.unsupported(
        plan.descriptor, "a reach of \(correlation.reach.y) × \(correlation.reach.x)",
        expected: "a reach below the tile's length, at most \(FourierPlan.lengths.last ?? 0)")
    }
    ProcessLock.withLock { fourierPlans[key] = made }
    return made
  }
}
