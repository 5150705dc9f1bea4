// SPDX-License-Identifier: Apache-2.0

/// A function that acts on each number of a signal by itself, and so commutes with every group.
public enum Pointwise: Hashable, Sendable {
  /// max(x, 0); NaN stays NaN.
  case relu
  /// x, or slope · x below 0.
  case leakyRelu(slope: Double)
  /// x, or alpha · (exp(x) − 1) below 0.
  case elu(alpha: Double)
  /// x Φ(x) with the normal distribution Φ.
  case gelu
  /// Its approximation x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
  case geluTanh
  /// x sigmoid(x).
  case silu
  /// 1 / (1 + exp(−x)).
  case sigmoid
  case tanh
}
