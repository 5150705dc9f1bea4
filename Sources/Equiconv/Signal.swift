// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// A batch of signals of several channels on the plane ℝᵈ or on the group G = ℝᵈ ⋊ H, sampled on the grid; d = 1, 2 or 3.
///
/// Shapes: `.plane` (batch, channels, spatial…), `.group` (batch, channels, |H|, spatial…), where spatial is (width),
/// (row, column) or (depth, row, column). A value: results never share numbers with what they were made from.
///
///     let x = try Signal<Float>(.plane, shape: [1, 3, 64, 64], storage: pixels)
///     let y = x.map { max($0, 0) }
public struct Signal<Scalar: EngineScalar>: Hashable, Sendable, CustomStringConvertible {
  /// Where the signal lives.
  public let space: SignalSpace
  /// The numbers with their shape.
  public private(set) var tensor: Tensor<Scalar>

  /// The numbers `storage`, row-major, as a signal of this shape.
  /// - Throws: `ConvolutionError` where the shape is not that of a signal on `space` (1 to 3 spatial axes; every size at
  ///   least 1, but the batch may be 0), or the count of `storage` is not the product of the shape.
  public init(_ space: SignalSpace, shape: [Int], storage: [Scalar]) throws(ConvolutionError) {
    try self.init(space, Tensor(shape: shape, storage: storage))
  }

  /// A tensor as a signal.
  /// - Throws: `ConvolutionError` where its shape is not that of a signal on `space`.
  public init(_ space: SignalSpace, _ tensor: Tensor<Scalar>) throws(ConvolutionError) {
    try Self.checkShape(space, tensor.shape)
    self.space = space
    self.tensor = tensor
  }

  /// A signal of zeros.
  /// - Throws: `ConvolutionError` where the shape is not that of a signal on `space`, or memory cannot hold it.
  public static func zeros(_ space: SignalSpace, shape: [Int]) throws(ConvolutionError) -> Signal {
    try checkShape(space, shape)
    return try Signal(space, .zeros(shape: shape))
  }

  // MARK: - Shape

  /// (batch, channels, spatial…) or (batch, channels, |H|, spatial…).
  public var shape: [Int] { tensor.shape }
  public var batch: Int { shape[0] }
  public var channels: Int { shape[1] }
  /// The size of the fiber: |H/K|, which is |H| on the group and 1 on the plane.
  public var order: Int { space == .plane ? 1 : shape[2] }
  /// Sizes in the order of the array axes.
  public var spatial: Extents { Extents(shape.dropFirst(space == .plane ? 2 : 3)) }

  // MARK: - Numbers

  /// The numbers in row-major order.
  public var storage: [Scalar] { tensor.storage }

  /// The number at [batch, channel, spatial…] or [batch, channel, h, spatial…].
  ///
  /// - Precondition: one index an axis, each in `0..<shape[axis]`.
  public subscript(indices: Int...) -> Scalar {
    get { tensor.storage[tensor.offset(indices)] }
    set {
      let offset = tensor.offset(indices)
      tensor.withUnsafeMutableBufferPointer { $0[offset] = newValue }
    }
  }

  /// The signal with `transform` applied to each number. What acts on each number alone commutes with G.
  public func map<E: Error>(_ transform: (Scalar) throws(E) -> Scalar) throws(E) -> Signal {
    var result = self
    result.tensor = try tensor.map(transform)
    return result
  }

  /// Calls `body` with the numbers, to change in place. Their count stays.
  public mutating func withUnsafeMutableBufferPointer<Result, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Scalar>) throws(E) -> Result
  ) throws(E) -> Result {
    try tensor.withUnsafeMutableBufferPointer(body)
  }

  /// For example "Signal<Float> on the group, of shape (1, 16, 4, 64, 64)".
  public var description: String { "Signal<\(Scalar.self)> \(placeText)" }

  /// For example "on the plane, of shape (1, 3, 64, 64)".
  var placeText: String { "on the \(space), of shape \(shapeText(shape))" }

  private static func checkShape(_ space: SignalSpace, _ shape: [Int]) throws(ConvolutionError) {
    let leading = space == .plane ? 2 : 3
    guard (1...3).contains(shape.count - leading) else {
      throw ConvolutionError(
        .dimensionMismatch, .shape, shapeText(shape),
        expected: space == .plane
          ? "(batch, channels, spatial...) with 1 to 3 spatial axes for a signal on the plane"
          : "(batch, channels, \(space == .group ? "|H|" : "|H/K|"), spatial...) with 1 to 3 spatial axes for a signal on the "
            + "\(space)")
    }
    for (axis, size) in shape.enumerated() where size < (axis == 0 ? 0 : 1) {
      throw ConvolutionError(
        .invalidSize, .shape[axis], size, expected: "a number of at least \(axis == 0 ? 0 : 1)")
    }
  }
}
