// SPDX-License-Identifier: Apache-2.0

/// How a layer is computed.
///
/// Winograd's and Fourier's tiles spread a NaN or an infinity over all outputs of the tiles that read it, and overflow
/// for numbers within a factor of a thousand of the largest. Winograd's lose digits where the mean of the numbers is
/// many times their deviation.
public enum Algorithm: Int32, Hashable, Sendable, CaseIterable {
  case auto = 0
  /// Equivariant to the last bit.
  case direct = 1
  case winograd = 2
  case fourier = 3
}

extension Algorithm: CustomStringConvertible {
  /// The word for it in messages, texts of layers and other languages.
  public var description: String {
    switch self {
    case .auto: "auto"
    case .direct: "direct"
    case .winograd: "winograd"
    case .fourier: "fourier"
    }
  }
}
