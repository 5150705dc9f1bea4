// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// Operations on each number alone, which commute with G to the last bit.
extension Signal {
  /// Each number of this signal and of another, combined: `y[…] = combine(f[…], g[…])`.
  ///
  ///     let larger = try y.combined(with: z) { max($0, $1) }
  ///
  /// - Parameters:
  ///   - other: on the same space, of the same shape. Whether both belong to one group cannot be checked.
  ///   - combine: called once for each number, in row-major order.
  /// - Throws: `ConvolutionError` naming `other`; where memory is short.
  /// - Complexity: O(numbers).
  public func combined(
    with other: Signal, _ combine: (Scalar, Scalar) -> Scalar
  ) throws(ConvolutionError) -> Signal {
    guard space.isSame(as: other.space), shape == other.shape else {
      throw ConvolutionError(
        .invalidSize, .other, other.placeText, expected: "a signal \(placeText), as the one it is combined with")
    }
    let (a, b) = (storage, other.storage)
    return try Signal(
      space,
      Tensor(shape: shape) { target throws(ConvolutionError) in
        for i in a.indices { (target + i).initialize(to: combine(a[i], b[i])) }
      })
  }

  /// The sum of two signals on the same space, of the same shape; as in a residual connection.
  /// - Throws: `ConvolutionError` naming `other`, the signal on the right.
  public static func + (signal: Signal, other: Signal) throws(ConvolutionError) -> Signal {
    try signal.combined(with: other) { $0 + $1 }
  }

  /// The difference of two signals on the same space, of the same shape.
  /// - Throws: `ConvolutionError` naming `other`, the signal on the right.
  public static func - (signal: Signal, other: Signal) throws(ConvolutionError) -> Signal {
    try signal.combined(with: other) { $0 - $1 }
  }

  /// The product, number by number, of two signals on the same space, of the same shape; as in a gate.
  /// - Throws: `ConvolutionError` naming `other`, the signal on the right.
  public static func * (signal: Signal, other: Signal) throws(ConvolutionError) -> Signal {
    try signal.combined(with: other) { $0 * $1 }
  }
}

extension SignalSpace {
  /// Whether both have one stabilizer, in whatever order its elements are listed.
  fileprivate func isSame(as other: SignalSpace) -> Bool {
    guard case .quotient(let a) = self, case .quotient(let b) = other else { return self == other }
    return a.sorted() == b.sorted()
  }
}
