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
  private nonisolated(unsafe) var choices: [ChoiceKey: Method] = [:]

  /// The method chosen before.
  func choice(_ key: ChoiceKey) -> Method? { ProcessLock.withLock { choices[key] } }

  func keep(_ method: Method, for key: ChoiceKey) {
    ProcessLock.withLock {
      // Batches of ever new sizes should not fill the memory.
      if choices.count >= 64 { choices.removeAll() }
      choices[key] = method
    }
  }

  /// The correlation that a pass of `plan` is; the weight gradient goes with the forward pass.
  /// - Throws: why it is none.
  func correlation(_ pass: Pass, of plan: ConvolutionPlan) throws(ConvolutionError) -> PlaneCorrelation {
    let pass = pass == .inputGradient ? Pass.inputGradient : .forward
    if let known = ProcessLock.withLock({ correlations[pass] }) { return try known.get() }
    let result = Result { () throws(ConvolutionError) in
      try pass == .forward ? PlaneCorrelation.forward(plan) : .adjoint(plan)
    }
    // A lack of memory passes; every other reason stays.
    if case .failure(let error) = result, error.kind == .outOfMemory { throw error }
    ProcessLock.withLock { correlations[pass] = result }
    return try result.get()
  }

  /// The plan of Fourier tiles of a length, or why there is none.
  func fourier(_ pass: Pass, length: Int, of plan: ConvolutionPlan) throws(ConvolutionError) -> FourierPlan {
    let key = FourierKey(pass: pass == .inputGradient ? .inputGradient : .forward, length: length)
    if let known = ProcessLock.withLock({ fourierPlans[key] }) { return known }
    let correlation = try correlation(pass, of: plan)
    guard let made = FourierPlan(correlation, length: length) else {
      throw plan.descriptor.tooFar(correlation.reach, atMost: length)
    }
    ProcessLock.withLock { fourierPlans[key] = made }
    return made
  }
}
