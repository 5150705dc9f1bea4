// SPDX-License-Identifier: Apache-2.0

import _EquiconvPlatform

extension UnsafeMutablePointer where Pointee: BitwiseCopyable {
  /// Copies values at once, which may overlap. In Embedded Swift `update(from:count:)` copies one after the other.
  @inlinable @inline(__always)
  package func copy(from source: UnsafePointer<Pointee>, count: Int) {
    memmove(self, source, count * MemoryLayout<Pointee>.stride)
  }
}
