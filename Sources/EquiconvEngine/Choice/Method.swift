// SPDX-License-Identifier: Apache-2.0

/// One of the three things a plan computes that are worth an algorithm.
public enum Pass: Int32, Hashable, Sendable, CaseIterable {
  case forward = 0
  case inputGradient = 1
  case weightGradient = 2
}

/// One way to compute a pass: an algorithm with the size of its tiles.
package enum Method: Hashable, Sendable {
  case direct
  /// F(outputs × outputs, 3 × 3).
  case winograd(outputs: Int)
  /// Tiles of length × length.
  case fourier(length: Int)

  /// Outputs or points of a tile on each axis; 0 for the direct algorithm.
  package var tile: Int {
    switch self {
    case .direct: 0
    case .winograd(let outputs): outputs
    case .fourier(let length): length
    }
  }

  package var algorithm: Algorithm {
    switch self {
    case .direct: .direct
    case .winograd: .winograd
    case .fourier: .fourier
    }
  }
}
