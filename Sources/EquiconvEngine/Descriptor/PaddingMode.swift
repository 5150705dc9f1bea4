// SPDX-License-Identifier: Apache-2.0

/// What lies around the signal.
public enum PaddingMode: Int32, Hashable, Sendable, CaseIterable {
  case zeros = 0
  /// The signal is periodic.
  case circular = 1
}
