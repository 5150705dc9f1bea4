// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvPlatform

/// The numbers of all tensors of a file: in memory of their own, or mapped.
final class TensorStorage: @unchecked Sendable {
  /// Numbers of fewer bytes are read. Reading is as fast, and no change of the file can end the process.
  static let mappedFrom = 64 << 20
  /// What the addresses of numbers in memory are multiples of.
  private static let alignment = 64

  let bytes: UnsafeRawBufferPointer
  /// What is unmapped at the end; nil for allocated memory.
  private let mapping: UnsafeRawBufferPointer?

  /// Memory for so many bytes, which `fill` fills.
  /// - Throws: `outOfMemory`; what `fill` throws.
  init(
    count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws(NetworkError) -> Void
  ) throws(NetworkError) {
    var base: UnsafeMutableRawPointer?
    guard posix_memalign(&base, Self.alignment, max(count, 1)) == 0, let base else {
      throw NetworkError.outOfMemory(bytes: count)
    }
    do throws(NetworkError) { try fill(UnsafeMutableRawBufferPointer(start: base, count: count)) } catch {
      free(base)
      throw error
    }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
    mapping = nil
  }

  /// The bytes of a file from `start` to its end.
  /// - Throws: `file`, `outOfMemory`.
  convenience init(_ file: borrowing FileToRead, from start: Int) throws(NetworkError) {
    if file.count - start >= Self.mappedFrom {
      self.init(mapping: try file.mapped(), from: start)
      return
    }
    try self.init(count: file.count - start) { (target) throws(NetworkError) in try file.read(into: target, at: start) }
  }

  private init(mapping: UnsafeRawBufferPointer, from start: Int) {
    bytes = UnsafeRawBufferPointer(rebasing: mapping[start...])
    self.mapping = mapping
  }

  deinit {
    if let mapping {
      munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count)
    } else {
      free(UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }
  }
}
