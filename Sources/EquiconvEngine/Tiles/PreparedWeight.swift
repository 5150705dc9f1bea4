// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

/// A layer's weights, copied once and transformed once: passed in place of the array in forward passes.
///
/// They are transformed when a call first needs it, and the transforms are kept as long as this lives. Changes of the
/// array they were copied from do not affect them. Safe to share between threads.
public final class PreparedWeight<S: EngineScalar>: @unchecked Sendable {
  private struct Key: Hashable {
    var descriptor: ConvolutionDescriptor
    var transform: TransformKey
  }

  /// The number of scalars.
  public let count: Int
  /// Not changed after `init`.
  let weight: UnsafeMutablePointer<S>
  private let memory: MemoryBlock
  /// Guarded by `ProcessLock`.
  private var transforms: [Key: TransformedWeights<S>] = [:]

  /// Copies `count` numbers, at least one.
  /// - Throws: `invalidSize`, `sizeOverflow`, `misalignedPointer`, `outOfMemory`.
  public init(copying numbers: UnsafePointer<S>, count: Int) throws(ConvolutionError) {
    if count < 1 { throw ConvolutionError(.invalidSize, .count, count, expected: "a positive number") }
    if count > Self.largestCount {
      throw ConvolutionError(.sizeOverflow, .count, count, expected: "a size in bytes that fits in 63 bits")
    }
    _ = try ArrayRange(.numbers, numbers, count)
    var layout = Workspace.Layout()
    _ = try layout.reserve(S.self, count)
    memory = try MemoryBlock.allocate(layout.bytes)
    self.count = count
    weight = memory.base.assumingMemoryBound(to: S.self)
    weight.copy(from: numbers, count: count)
  }

  /// Eight bytes each fit in 63 bits.
  private static var largestCount: Int { Int.limit(59) }

  deinit { memory.release() }

  /// Copies its numbers to an array that has room for so many, which must be `count`.
  /// - Throws: `invalidSize`, `misalignedPointer`.
  public func copyNumbers(to numbers: UnsafeMutablePointer<S>, count: Int) throws(ConvolutionError) {
    if count != self.count { throw ConvolutionError(.invalidSize, .count, count, expected: "\(self.count)") }
    _ = try ArrayRange(.numbers, numbers, count)
    numbers.copy(from: weight, count: count)
  }

  /// Memory of the copy and of all transforms so far.
  public var bytes: Int {
    ProcessLock.withLock { transforms.values.reduce(memory.bytes) { $0 + $1.bytes } }
  }

  /// Drops the transforms of plans of other descriptors.
  package func keepTransforms(of descriptors: Set<ConvolutionDescriptor>) {
    // What is dropped is released after the lock.
    let before = ProcessLock.withLock { () -> [Key: TransformedWeights<S>] in
      defer { transforms = transforms.filter { descriptors.contains($0.key.descriptor) } }
      return transforms
    }
    withExtendedLifetime(before) {}
  }

  /// The transform for a plan of this descriptor.
  func transformed(
    _ descriptor: ConvolutionDescriptor, _ transform: TransformKey,
    _ make: () throws(ConvolutionError) -> TransformedWeights<S>
  ) throws(ConvolutionError) -> TransformedWeights<S> {
    let key = Key(descriptor: descriptor, transform: transform)
    if let known = ProcessLock.withLock({ transforms[key] }) { return known }
    let made = try make()
    return ProcessLock.withLock {
      // Another thread may have been faster: all use the first.
      if let known = transforms[key] { return known }
      transforms[key] = made
      return made
    }
  }
}
