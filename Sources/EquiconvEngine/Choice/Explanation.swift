// SPDX-License-Identifier: Apache-2.0

/// Which algorithm a call uses, and what that costs.
public struct Explanation: Hashable, Sendable {
  /// No rule, such as auto or exact, but the algorithm that it chose.
  public var algorithm: Algorithm
  /// Winograd: outputs of a tile on each axis. Fourier: points of a tile on each axis. 0 for direct.
  public var tile: Int
  /// Floating-point operations that are made, two for each multiply-add; those of the definition are `definitionOperations`.
  public var operations: Double
  public var definitionOperations: Double
  /// Memory of the call, for all threads together, without arrays and transformed weights.
  public var workspaceBytes: Int
  /// Transformed weights, which the plan keeps for the next call.
  public var weightBytes: Int
  public var threads: Int
  /// The cost model's estimate, the transform of the weights included.
  public var seconds: Double
  /// Whether turning the signal turns the result to the last bit, for every element of the group that maps the grid to
  /// itself.
  public var isExact: Bool
  /// In a sentence: why this algorithm.
  public var reason: String
}
