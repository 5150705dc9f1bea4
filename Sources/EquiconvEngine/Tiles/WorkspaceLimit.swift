// SPDX-License-Identifier: Apache-2.0

import Synchronization
import _EquiconvErrors

/// How much memory the algorithms on tiles may use for each thread.
public enum WorkspaceLimit {
  /// 64 MiB.
  public static let initialBytes = 64 << 20
  /// The smallest limit that can be set.
  public static let smallestBytes = 1 << 20
  private static let setting = Atomic<Int>(initialBytes)

  /// Bytes for each thread. Larger problems are computed in chunks, which changes the last bits of their results.
  public static var bytesPerThread: Int { setting.load(ordering: .relaxed) }

  /// Sets the limit, at least 1 MiB.
  public static func set(bytesPerThread bytes: Int) throws(ConvolutionError) {
    guard bytes >= smallestBytes else {
      throw ConvolutionError(.invalidSize, .bytes, bytes, expected: "at least 2^20 bytes for each thread")
    }
    setting.store(bytes, ordering: .relaxed)
  }
}
