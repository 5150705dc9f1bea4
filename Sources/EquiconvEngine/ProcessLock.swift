// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The locks of the process, for short work on shared tables. They survive fork: a forking thread takes them first, so
/// the child never inherits one held by a thread that does not exist there.
///
/// Memory has a lock of its own, as objects that give theirs back may end while the other is held. It is the inner one:
/// whoever holds it neither takes the other nor lets go of objects.
enum ProcessLock {
  private struct Mutexes {
    let tables: UnsafeMutablePointer<pthread_mutex_t>
    let memory: UnsafeMutablePointer<pthread_mutex_t>
  }

  private nonisolated(unsafe) static let mutexes: Mutexes = {
    let mutexes = Mutexes(tables: .allocate(capacity: 1), memory: .allocate(capacity: 1))
    pthread_mutex_init(mutexes.tables, nil)
    pthread_mutex_init(mutexes.memory, nil)
    pthread_atfork({ ProcessLock.lockAll() }, { ProcessLock.unlockAll() }, { ProcessLock.unlockAll() })
    return mutexes
  }()

  private static func lockAll() {
    pthread_mutex_lock(mutexes.tables)
    pthread_mutex_lock(mutexes.memory)
  }

  private static func unlockAll() {
    pthread_mutex_unlock(mutexes.memory)
    pthread_mutex_unlock(mutexes.tables)
  }

  static func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    pthread_mutex_lock(mutexes.tables)
    defer { pthread_mutex_unlock(mutexes.tables) }
    return try body()
  }

  /// For the lists of `MemoryBlock` alone.
  static func withMemoryLock<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(mutexes.memory)
    defer { pthread_mutex_unlock(mutexes.memory) }
    return body()
  }
}
