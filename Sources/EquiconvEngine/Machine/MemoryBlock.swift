// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvPlatform

/// Memory for a workspace. A few blocks are kept between calls: fresh pages cost as much as a tenth of the work.
package struct MemoryBlock {
  package let base: UnsafeMutableRawPointer
  package let bytes: Int

  /// From here on blocks are made of large pages, which save the page walks of stencils that touch hundreds of planes.
  private static let largePage = 2 << 20
  /// Two threads' spectra at the initial limit of workspace; more is asked for anew by each call.
  private static let mostBytesKept = 128 << 20
  /// One for each thread that makes small calls of its own, and one more.
  private static var mostKept: Int { Threads.count + 1 }
  /// Guarded by the lock of memory.
  private nonisolated(unsafe) static var kept: [MemoryBlock] = []

  static func take(_ bytes: Int) throws(ConvolutionError) -> MemoryBlock {
    var outgrown: [MemoryBlock] = []
    let found = ProcessLock.withMemoryLock { () -> MemoryBlock? in
      if let index = kept.firstIndex(where: { $0.bytes >= bytes }) { return kept.remove(at: index) }
      swap(&outgrown, &kept)
      return nil
    }
    // What was too small makes room before the larger block is asked for.
    for block in outgrown { free(block.base) }
    if let found { return found }
    return try allocate(bytes)
  }

  static func giveBack(_ block: MemoryBlock) {
    var surplus: [MemoryBlock] = []
    let mostKept = mostKept
    ProcessLock.withMemoryLock {
      kept.append(block)
      while kept.count > mostKept || kept.reduce(0, { $0 + $1.bytes }) > mostBytesKept {
        surplus.append(kept.remove(at: 0))
      }
    }
    for block in surplus { free(block.base) }
  }

  /// Frees the block.
  package func release() { free(base) }

  // MARK: - Blocks that live longer than a call

  /// Blocks of weights that were dropped, for weights of the same size: in training they change from step to step.
  private nonisolated(unsafe) static var dropped: [MemoryBlock] = []
  private static let mostBytesDropped = 32 << 20
  /// More than the layers of a network, and few enough to look through.
  private static let mostDropped = 1024

  /// A block of a size that was dropped not long ago, or a new one.
  static func reuse(_ bytes: Int) throws(ConvolutionError) -> MemoryBlock {
    let size = rounded(bytes)
    let found = ProcessLock.withMemoryLock { () -> MemoryBlock? in
      dropped.lastIndex { $0.bytes == size }.map { dropped.remove(at: $0) }
    }
    if let found { return found }
    return try allocate(bytes)
  }

  /// Keeps the block for `reuse`, or frees it.
  func drop() {
    var surplus: [MemoryBlock] = []
    ProcessLock.withMemoryLock {
      Self.dropped.append(self)
      while Self.dropped.count > Self.mostDropped
        || Self.dropped.reduce(0, { $0 + $1.bytes }) > Self.mostBytesDropped
      {
        surplus.append(Self.dropped.remove(at: 0))
      }
    }
    for block in surplus { block.release() }
  }

  private static func isLarge(_ bytes: Int) -> Bool { bytes > 128 << 10 }

  private static func rounded(_ bytes: Int) -> Int {
    isLarge(bytes) ? (bytes + largePage - 1) & ~(largePage - 1) : (bytes + 4095) & ~4095
  }

  package static func allocate(_ bytes: Int) throws(ConvolutionError) -> MemoryBlock {
    let (isLarge, rounded) = (isLarge(bytes), rounded(bytes))
    var pointer: UnsafeMutableRawPointer?
    guard posix_memalign(&pointer, isLarge ? largePage : 64, rounded) == 0, let pointer else {
      throw ConvolutionError(.outOfMemory, .workspace, "\(bytes) bytes", expected: "memory for it")
    }
    if isLarge { equiconv_use_large_pages(pointer, rounded) }
    return MemoryBlock(base: pointer, bytes: rounded)
  }
}
