// SPDX-License-Identifier: Apache-2.0

/// A layer with its sizes: everything a plan depends on, and nothing else.
public struct ConvolutionDescriptor: Hashable, Sendable {
  public var layer: Layer
  /// C ≥ 1.
  public var inChannels: Int
  /// O ≥ 1.
  public var outChannels: Int
  /// Sizes of the input in the order of the array axes.
  public var spatial: Extents
  /// Taps of the kernel of the identity.
  public var kernel: Extents

  /// Nothing is checked before a plan is made from it.
  public init(layer: Layer, inChannels: Int, outChannels: Int, spatial: Extents, kernel: Extents) {
    self.layer = layer
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.spatial = spatial
    self.kernel = kernel
  }
}
