// SPDX-License-Identifier: Apache-2.0

/// Weights in the basis of an algorithm on tiles. Written once by who makes them, then shared by any number of threads.
final class TransformedWeights<S: EngineScalar>: @unchecked Sendable {
  let base: UnsafeMutablePointer<S>
  let bytes: Int
  private let memory: MemoryBlock

  /// - Throws: `outOfMemory`.
  init(_ counts: [Int]) throws(ConvolutionError) {
    var layout = Workspace.Layout()
    var count = 1
    for size in counts { count = try ConvolutionDescriptor.product(count, size, .transformedWeights) }
    _ = try layout.reserve(S.self, count)
    memory = try MemoryBlock.reuse(layout.bytes)
    base = memory.base.assumingMemoryBound(to: S.self)
    bytes = layout.bytes
  }

  deinit { memory.drop() }
}
