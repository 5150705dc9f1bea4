// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// Weights in the basis of an algorithm on tiles. Written once by who makes them, then shared by any number of threads.
struct TransformedWeights<S: EngineScalar> {
  /// Keeps the numbers alive.
  let memory: TransformedMemory

  var base: UnsafeMutablePointer<S> { memory.block.base.assumingMemoryBound(to: S.self) }
  var bytes: Int { memory.bytes }

  /// Memory for the product of `counts` numbers.
  /// - Throws: `outOfMemory`, `sizeOverflow`.
  init(_ counts: [Int]) throws(ConvolutionError) {
    var layout = Workspace.Layout()
    var count = 1
    for size in counts { count = try ConvolutionDescriptor.product(count, size, .transformedWeights) }
    _ = try layout.reserve(S.self, count)
    memory = try TransformedMemory(bytes: layout.bytes)
  }

  /// The weights that were kept as memory alone; their scalar must be S.
  init(_ memory: TransformedMemory) { self.memory = memory }
}

/// The memory of transformed weights, whatever their scalar. Its numbers do not change once they are written.
final class TransformedMemory: Sendable {
  nonisolated(unsafe) let block: MemoryBlock
  let bytes: Int

  fileprivate init(bytes: Int) throws(ConvolutionError) {
    block = try MemoryBlock.reuse(bytes)
    self.bytes = bytes
  }

  deinit { block.drop() }
}
