// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// The locks of the process, for short work on shared tables. They survive fork: a forking thread takes them first, so
/// the child never inherits one held by a thread that does not exist there.
///
/// Memory has a lock of its own, because objects may be released, and return their memory, while the other is held. It
/// is the inner lock: whoever holds it neither takes the other nor releases objects. Whoever holds either does not ask
/// `Call.isEnded`.
package enum ProcessLock {
  package static func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    equiconv_take_lock(EQUICONV_LOCK_TABLES)
    defer { equiconv_release_lock(EQUICONV_LOCK_TABLES) }
    return try body()
  }

  /// For the lists of `MemoryBlock` alone.
  static func withMemoryLock<R>(_ body: () -> R) -> R {
    equiconv_take_lock(EQUICONV_LOCK_MEMORY)
    defer { equiconv_release_lock(EQUICONV_LOCK_MEMORY) }
    return body()
  }
}
