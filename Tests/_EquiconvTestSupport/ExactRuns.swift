// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups

/// What the direct algorithm gives in Double, and how far from it rounding may lead in S.
public struct ExactRuns<S: EngineScalar> {
  /// One pass.
  public struct Run {
    let values: [Double]
    /// The largest sum of absolute products.
    let magnitude: Double

    /// The sum of all errors squared.
    public func squaredError(_ result: [S]) -> Double {
      zip(result, values).reduce(0) { sum, pair in
        let error = Double(pair.0) - pair.1
        return sum + error * error
      }
    }

    /// The largest error as a share of what is allowed: 16 units in the last place of `magnitude`.
    public func excess(_ result: [S]) -> Double {
      guard result.count == values.count else { return .infinity }
      let allowed = 16 * Double(S.ulpOfOne) * magnitude
      return zip(result, values).reduce(0) { worst, pair in
        let error = abs(Double(pair.0) - pair.1)
        // NaN is infinitely wrong.
        return error.isNaN ? .infinity : max(worst, allowed == 0 ? (error == 0 ? 0 : .infinity) : error / allowed)
      }
    }
  }

  public let forward: Run
  public let inputGradient: Run
  public let weightGradient: Run

  public init(_ plan: ConvolutionPlan, _ numbers: LayerNumbers<S>, batch: Int) {
    let exact = LayerNumbers(
      input: numbers.input.map { Double($0) }, weight: numbers.weight.map { Double($0) },
      bias: numbers.bias.map { Double($0) }, gradient: numbers.gradient.map { Double($0) })
    let absolute = LayerNumbers(
      input: exact.input.map(abs), weight: exact.weight.map(abs), bias: exact.bias.map(abs),
      gradient: exact.gradient.map(abs))
    let runs = try! plan.allRuns(exact, batch: batch, method: .direct)
    let magnitudes = try! plan.allRuns(absolute, batch: batch, method: .direct).map { run in
      run.reduce(0) { max($0, abs($1)) }
    }
    forward = Run(values: runs[0], magnitude: magnitudes[0])
    inputGradient = Run(values: runs[1], magnitude: magnitudes[1])
    weightGradient = Run(values: runs[2], magnitude: magnitudes[2])
  }
}

extension ConvolutionPlan {
  /// Forward pass, input gradient and weight gradient.
  package func allRuns<S: EngineScalar>(
    _ numbers: LayerNumbers<S>, batch: Int, method: Method, workspaceLimit: Int? = WorkspaceLimit.initialBytes
  ) throws -> [[S]] {
    [
      try forward(numbers, batch: batch, method: method, workspaceLimit: workspaceLimit),
      try inputGradient(numbers, batch: batch, method: method, workspaceLimit: workspaceLimit),
      try weightGradient(numbers, batch: batch, method: method, workspaceLimit: workspaceLimit),
    ]
  }
}
