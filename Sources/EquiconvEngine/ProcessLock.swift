// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The one lock of the process, for short work on shared tables. It survives fork: a forking thread takes it first, so
/// the child never inherits it held by a thread that does not exist there.
enum ProcessLock {
  private nonisolated(unsafe) static let mutex: UnsafeMutablePointer<pthread_mutex_t> = {
    let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_atfork(
      { pthread_mutex_lock(ProcessLock.mutex) },
      { pthread_mutex_unlock(ProcessLock.mutex) },
      { pthread_mutex_unlock(ProcessLock.mutex) })
    return mutex
  }()

  static func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body()
  }
}
