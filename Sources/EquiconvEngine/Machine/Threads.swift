// SPDX-License-Identifier: Apache-2.0

import Synchronization
import _EquiconvErrors
import _EquiconvPlatform
import _EquiconvShims

/// How many threads large calls use. Results do not depend on it.
public enum Threads {
  private static let setting = Atomic<Int>(initialCount)
  /// The largest number that can be set.
  public static let limit = 1024

  /// The number of threads used by large calls, the calling one included. Initially `EQUICONV_NUM_THREADS`, or else the
  /// number of processors that the process could use when the library was loaded.
  public static var count: Int { setting.load(ordering: .relaxed) }

  /// Below so many numbers, work that reads each once stays on its own thread.
  private static let fewestSharedNumbers = 1 << 20

  /// The threads for work that reads so many numbers once each.
  package static func count(reading numbers: Int) -> Int { numbers < fewestSharedNumbers ? 1 : count }

  /// Sets the number of threads, 1...1024.
  public static func setCount(_ count: Int) throws(ConvolutionError) {
    try check(count)
    setting.store(count, ordering: .relaxed)
  }

  /// Throws for a number of threads that there cannot be; nil is none that was asked for.
  static func check(_ count: Int?) throws(ConvolutionError) {
    if let count, !(1...limit).contains(count) {
      throw ConvolutionError(.invalidSize, .count, count, expected: "1 to \(limit) threads")
    }
  }

  private static var initialCount: Int {
    if let text = getenv("EQUICONV_NUM_THREADS"), let count = Int(String(cString: text)), (1...limit).contains(count) {
      return count
    }
    return max(1, min(limit, Int(equiconv_processor_count())))
  }
}
