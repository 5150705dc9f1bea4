// SPDX-License-Identifier: Apache-2.0

import _EquiconvPlatform

/// A clock that only goes forward.
enum Clock {
  static var seconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
