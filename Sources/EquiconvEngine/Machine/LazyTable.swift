// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// Values that are made when first asked for, and kept as long as the table.
final class LazyTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  /// Guarded by `ProcessLock`.
  private nonisolated(unsafe) var values: [Key: Value] = [:]

  /// The value of a key: known, or made now without the lock, which may take seconds.
  /// - Throws: what `make` throws, and `cancelled`: only complete values are kept.
  func value(
    _ key: Key, _ make: () throws(ConvolutionError) -> Value
  ) throws(ConvolutionError) -> Value {
    if let known = ProcessLock.withLock({ values[key] }) { return known }
    let made = try make()
    try Call.checkNotEnded()
    return ProcessLock.withLock {
      // Another thread may have been faster: all use the first.
      if let known = values[key] { return known }
      values[key] = made
      return made
    }
  }
}
