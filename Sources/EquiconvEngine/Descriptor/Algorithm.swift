// SPDX-License-Identifier: Apache-2.0

/// How a layer is computed: by the algorithm that is named, or by the one that a rule chooses (`auto`, `exact`).
///
/// Winograd's and Fourier's tiles spread a NaN or an infinity over all outputs of the tiles that read it, and overflow
/// for numbers within a factor of a thousand of the largest. Winograd's lose digits where the mean of the numbers is
/// many times their deviation.
public enum Algorithm: Int32, Hashable, Sendable, CaseIterable {
  /// What a cost model expects to be fastest, for each pass.
  case auto = 0
  /// The definition. Equivariant to the last bit.
  case direct = 1
  case winograd = 2
  case fourier = 3
  /// The layer as a correlation on H, by the representations of H. Equivariant to the last bit.
  case groupFourier = 4
  /// The fastest of the methods that are equivariant to the last bit; for weight gradients the fastest of all. Results
  /// depend neither on the number of threads nor on the batch that an image is in.
  case exact = 5
}

extension Algorithm: CustomStringConvertible {
  /// The word for it in messages, texts of layers and other languages.
  public var description: String {
    switch self {
    case .auto: "auto"
    case .direct: "direct"
    case .winograd: "winograd"
    case .fourier: "fourier"
    case .groupFourier: "group-fourier"
    case .exact: "exact"
    }
  }

  /// Whether it is no algorithm but a rule by which one is chosen.
  var isRule: Bool { self == .auto || self == .exact }
}
