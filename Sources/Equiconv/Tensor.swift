// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// Numbers in an array of several axes, contiguous, the last axis fastest: a weight, or the numbers of a signal.
///
/// A value: copies are independent, and share memory until one is changed. Equality compares shapes and numbers.
public struct Tensor<Scalar: EngineScalar>: Hashable, Sendable, CustomStringConvertible {
  /// The size of each axis.
  public let shape: [Int]
  /// The numbers in row-major order; their count is the product of the shape.
  public private(set) var storage: [Scalar]

  /// The numbers `storage`, row-major, as an array of this shape.
  /// - Throws: `ConvolutionError` where a size is negative, or the count of `storage` is not their product.
  public init(shape: [Int], storage: [Scalar]) throws(ConvolutionError) {
    let count = try Self.count(shape)
    guard storage.count == count else {
      throw ConvolutionError(
        .invalidSize, .storage, "of \(storage.count) numbers", expected: "\(count) for shape \(shapeText(shape))")
    }
    self.shape = shape
    self.storage = storage
  }

  /// A tensor of zeros.
  /// - Throws: `ConvolutionError` where a size is negative, or memory cannot hold them.
  public static func zeros(shape: [Int]) throws(ConvolutionError) -> Tensor {
    let count = try count(shape)
    return try Tensor(shape: shape) { target throws(ConvolutionError) in
      target.update(repeating: 0, count: count)
    }
  }

  /// A tensor whose numbers `fill` writes, all of them. It is not called for an empty tensor.
  init(
    shape: [Int], fill: (UnsafeMutablePointer<Scalar>) throws(ConvolutionError) -> Void
  ) throws(ConvolutionError) {
    storage = try filledArray(count: Self.count(shape), fill)
    self.shape = shape
  }

  /// The number at an index of each axis.
  ///
  /// - Precondition: one index an axis, each in `0..<shape[axis]`.
  /// - Complexity: O(axes). Loops over all numbers are faster over `storage`.
  public subscript(indices: Int...) -> Scalar {
    get { storage[offset(indices)] }
    set { storage[offset(indices)] = newValue }
  }

  /// The tensor with `transform` applied to each number.
  public func map<E: Error>(_ transform: (Scalar) throws(E) -> Scalar) throws(E) -> Tensor {
    var result = self
    result.storage = try storage.map(transform)
    return result
  }

  /// Calls `body` with the numbers, to change in place. Their count stays.
  public mutating func withUnsafeMutableBufferPointer<Result, E: Error>(
    _ body: (UnsafeMutableBufferPointer<Scalar>) throws(E) -> Result
  ) throws(E) -> Result {
    try storage.withUnsafeMutableBufferPointer { buffer throws(E) in try body(buffer) }
  }

  /// For example "Tensor<Float> of shape (16, 3, 5, 5)".
  public var description: String { "Tensor<\(Scalar.self)> of shape \(shapeText(shape))" }

  func offset(_ indices: [Int]) -> Int {
    precondition(indices.count == shape.count, "\(indices.count) indices of a tensor with \(shape.count) axes")
    var offset = 0
    for (index, size) in zip(indices, shape) {
      precondition(0 <= index && index < size, "index \(index) on an axis of size \(size)")
      offset = offset * size + index
    }
    return offset
  }

  /// The product of the sizes, if they are not negative and 8 bytes for each number fit in 63 bits.
  private static func count(_ shape: [Int]) throws(ConvolutionError) -> Int {
    for (axis, size) in shape.enumerated() where size < 0 {
      throw ConvolutionError(.invalidSize, .shape[axis], size, expected: "a number of at least 0")
    }
    if shape.contains(0) { return 0 }
    var count = 1
    for size in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      if overflow || product > 1 << 59 {
        throw ConvolutionError(.sizeOverflow, .shape, shapeText(shape), expected: "at most 2^59 numbers")
      }
      count = product
    }
    return count
  }
}

/// For example "(16, 3, 5, 5)".
func shapeText(_ shape: [Int]) -> String { "(" + shape.map(String.init).joined(separator: ", ") + ")" }
