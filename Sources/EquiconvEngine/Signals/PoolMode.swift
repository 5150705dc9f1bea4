// SPDX-License-Identifier: Apache-2.0

/// How a signal on the group is pooled over H.
public enum PoolMode: Int32, Hashable, Sendable, CaseIterable {
  case mean = 0
  case max = 1
}
