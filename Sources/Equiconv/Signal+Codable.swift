// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

extension Signal: Codable {
  private enum CodingKeys: String, CodingKey {
    case space, tensor
  }

  /// Encodes the space and the numbers with their shape; see `Tensor.encode(to:)`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(space, forKey: .space)
    try container.encode(tensor, forKey: .tensor)
  }

  /// - Throws: `DecodingError`, also where the shape is not that of a signal on the space.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let space = try container.decode(SignalSpace.self, forKey: .space)
    let tensor = try container.decode(Tensor<Scalar>.self, forKey: .tensor)
    self = try decoded(at: decoder.codingPath) { () throws(ConvolutionError) in try Signal(space, tensor) }
  }
}
