// SPDX-License-Identifier: Apache-2.0

/// What lies around the signal. Each mode commutes with the elements that map the grid to itself.
public enum PaddingMode: Int32, Hashable, Sendable, CaseIterable, CustomStringConvertible {
  case zeros = 0
  /// The signal is periodic.
  case circular = 1
  /// The signal is mirrored in its first and last number, which are not repeated: period 2 (n − 1) for a size of n.
  case reflect = 2
  /// The first and the last number go on.
  case replicate = 3

  /// The name of the case.
  public var description: String {
    switch self {
    case .zeros: "zeros"
    case .circular: "circular"
    case .reflect: "reflect"
    case .replicate: "replicate"
    }
  }
}
