// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An object that C owns through an opaque pointer: created retained, released by its `destroy`.
protocol Handle: AnyObject {
  /// What the functions that take one call it.
  static var argument: Argument { get }
}

extension Handle {
  /// The pointer that C keeps. It counts as one reference.
  func retainedPointer() -> OpaquePointer { OpaquePointer(Unmanaged.passRetained(self).toOpaque()) }

  /// The object behind a pointer that C gives for the length of a call, or nil for NULL.
  static func borrowed(_ pointer: OpaquePointer?) -> Self? {
    pointer.map { Unmanaged<Self>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
  }

  /// The object behind a pointer, or NULL_POINTER.
  static func required(_ pointer: OpaquePointer?) throws(CallError) -> Self {
    guard let object = borrowed(pointer) else {
      throw CallError(EQUICONV_ERROR_NULL_POINTER, argument, "NULL", expected: "a handle")
    }
    return object
  }

  /// Gives up the reference of C. NULL is fine.
  static func release(_ pointer: OpaquePointer?) {
    guard let pointer else { return }
    Unmanaged<Self>.fromOpaque(UnsafeRawPointer(pointer)).release()
  }
}

/// What an `equiconv_group` points to.
final class GroupHandle: Handle {
  static let argument = Argument.group
  let group: PointGroup
  /// The name as a C string that lives as long as the handle.
  let name: UnsafeMutablePointer<CChar>

  init(_ group: PointGroup) throws(CallError) {
    guard let name = strdup(group.name) else {
      throw CallError(EQUICONV_ERROR_OUT_OF_MEMORY, .group, group.name, expected: "memory for its name")
    }
    self.group = group
    self.name = name
  }

  deinit { free(name) }
}

/// What an `equiconv_plan` points to.
final class PlanHandle: Handle {
  static let argument = Argument.plan
  let layer: TypedPlan

  init(_ layer: TypedPlan) { self.layer = layer }
}
