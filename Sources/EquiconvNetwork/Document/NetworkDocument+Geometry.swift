// SPDX-License-Identifier: Apache-2.0

extension NetworkDocument {
  /// How the first output of a network lies on its input, for each spatial axis; nil where the output has none.
  public struct Geometry: Hashable, Sendable {
    /// Pixels of the input from one place of the output to the next.
    public var stride: [Double?]
    /// Pixels of the input that one place depends on.
    public var receptiveField: [Int?]

    public init(stride: [Double?], receptiveField: [Int?]) {
      self.stride = stride
      self.receptiveField = receptiveField
    }
  }
}
