// SPDX-License-Identifier: Apache-2.0

/// An error that can say that memory was refused.
public protocol AllocationFailure: Error {
  /// The error of an allocation of so many bytes that failed.
  static func outOfMemory(bytes: Int) -> Self
}
