// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

/// Memory of one pass, not initialized: allocated once, for all pieces of a layout.
///
///     var layout = Workspace.Layout()
///     let sums = try layout.reserve(Float.self, rows, columns)
///     let threads = try layout.reserve(threads: 8) { try $0.reserve(Int.self, columns) }
///     let workspace = try Workspace(layout)
///     workspace[sums]                               // UnsafeMutablePointer<Float>, rows · columns of them
///     workspace[threads, worker][threads.each]      // UnsafeMutablePointer<Int>, those of one thread
///
/// Pointers are valid as long as the workspace lives.
struct Workspace: ~Copyable {
  private let block: MemoryBlock
  private let bytes: Int

  /// - Throws: `outOfMemory`.
  init(_ layout: Layout) throws(ConvolutionError) {
    block = try MemoryBlock.take(layout.allocatedBytes)
    bytes = layout.bytes
  }

  /// Memory for two passes, one after the other: for the larger of their layouts.
  /// - Throws: `outOfMemory`.
  init(_ first: Layout, or second: Layout) throws(ConvolutionError) {
    try self.init(first.bytes < second.bytes ? second : first)
  }

  deinit { MemoryBlock.giveBack(block) }

  /// The elements of a piece that every thread sees.
  @inline(__always)
  subscript<T>(piece: Piece<T>) -> UnsafeMutablePointer<T> { Share(base: block.base, bytes: bytes)[piece] }

  /// The share of one thread. Workers are numbered from 0.
  @inline(__always)
  subscript<Pieces>(threads: PerThread<Pieces>, worker: Int) -> Share { threads.share(worker, of: block.base) }

  /// A part of a workspace, laid out by a layout of its own.
  struct Share {
    fileprivate let base: UnsafeMutableRawPointer
    fileprivate let bytes: Int

    @inline(__always)
    subscript<T>(piece: Piece<T>) -> UnsafeMutablePointer<T> {
      checkInvariant(piece.isInside(bytes), "a piece lies in the workspace it was reserved for")
      return (base + piece.start).assumingMemoryBound(to: T.self)
    }
  }
}

extension Workspace {
  /// Where the pieces of a workspace lie. Their sizes are added up before anything is allocated.
  struct Layout {
    /// Pieces begin at cache lines, which hold any vector.
    static let alignment = 64
    /// More than any address space holds. Sums of two sizes below it do not overflow.
    private static let mostBytes = Int.limit(61)

    /// The memory of all pieces.
    private(set) var bytes = 0

    fileprivate var allocatedBytes: Int { max(bytes, Self.alignment) }

    /// Reserves `counts` multiplied together elements of T, and `beyond` more.
    ///
    /// - Throws: `outOfMemory` for sizes that overflow.
    mutating func reserve<T>(_: T.Type, _ counts: Int..., beyond: Int = 0) throws(ConvolutionError) -> Piece<T> {
      let count = try Self.count(of: T.self, counts) + beyond
      let size = try Self.checked(count.multipliedReportingOverflow(by: MemoryLayout<T>.stride))
      let start = bytes
      // At least one line lies between the elements of two pieces.
      let whole = try Self.checked(size.addingReportingOverflow(2 * Self.alignment - 1)) & -Self.alignment
      bytes = try Self.checked(bytes.addingReportingOverflow(whole))
      return Piece(start: start, count: count)
    }

    /// `counts` multiplied together, if there can be memory for so many elements of T.
    ///
    /// - Throws: `outOfMemory` for sizes that overflow.
    static func count<T>(of _: T.Type, _ counts: Int...) throws(ConvolutionError) -> Int {
      try count(of: T.self, counts)
    }

    private static func count<T>(of _: T.Type, _ counts: [Int]) throws(ConvolutionError) -> Int {
      var size = MemoryLayout<T>.stride
      for count in counts { size = try checked(size.multipliedReportingOverflow(by: max(count, 0))) }
      return size / MemoryLayout<T>.stride
    }

    /// Reserves what `pieces` does once for each of so many threads.
    ///
    /// - Throws: `outOfMemory` for sizes that overflow.
    mutating func reserve<Pieces>(
      threads: Int, _ pieces: (inout Layout) throws(ConvolutionError) -> Pieces
    ) throws(ConvolutionError) -> PerThread<Pieces> {
      var layout = Layout()
      let each = try pieces(&layout)
      return PerThread(each: each, all: try reserve(UInt8.self, threads, layout.bytes), bytes: layout.bytes)
    }

    /// Makes room for a layout that began as a copy of this one and is needed after what this one has reserved since.
    mutating func share(with other: Layout) { bytes = max(bytes, other.bytes) }

    private static func checked(_ result: (partialValue: Int, overflow: Bool)) throws(ConvolutionError) -> Int {
      if result.overflow || result.partialValue > mostBytes {
        throw ConvolutionError(.outOfMemory, .workspace, "over 2^61 bytes", expected: "memory for it")
      }
      return result.partialValue
    }
  }
}

/// Elements of one type in a workspace, as `Workspace.Layout` reserved them.
struct Piece<T> {
  /// In bytes.
  fileprivate let start: Int
  /// The number of elements.
  let count: Int

  fileprivate func isInside(_ bytes: Int) -> Bool { start + count * MemoryLayout<T>.stride <= bytes }
}

/// Pieces that each of several threads has for itself.
struct PerThread<Pieces> {
  /// Those of one thread, in its share.
  let each: Pieces
  private let all: Piece<UInt8>
  private let bytes: Int

  fileprivate init(each: Pieces, all: Piece<UInt8>, bytes: Int) {
    self.each = each
    self.all = all
    self.bytes = bytes
  }

  @inline(__always)
  fileprivate func share(_ worker: Int, of base: UnsafeMutableRawPointer) -> Workspace.Share {
    checkInvariant(worker >= 0 && (worker + 1) * bytes <= all.count, "workers are those that memory was reserved for")
    return Workspace.Share(base: base + all.start + worker * bytes, bytes: bytes)
  }
}
