// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import _EquiconvErrors

/// An object that C owns through an opaque pointer: created retained, released by its `destroy`.
protocol Handle: AnyObject {
  /// What the functions that take one call it.
  static var argument: Argument { get }
}

extension Handle {
  /// The pointer that C keeps. It counts as one reference.
  private func retainedPointer() -> OpaquePointer { OpaquePointer(Unmanaged.passRetained(self).toOpaque()) }

  /// The object behind a pointer that C gives for the length of a call, or nil for NULL.
  static func borrowed(_ pointer: OpaquePointer?) -> Self? {
    pointer.map { Unmanaged<Self>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
  }

  /// The object behind a pointer, or NULL_POINTER.
  static func required(_ pointer: OpaquePointer?) throws(CallError) -> Self { try required(pointer, argument) }

  static func required(_ pointer: OpaquePointer?, _ argument: Argument) throws(CallError) -> Self {
    guard let object = borrowed(pointer) else {
      throw CallError(EQUICONV_ERROR_NULL_POINTER, argument, "NULL", expected: "a handle")
    }
    return object
  }

  // MARK: - Entry points that all handles have

  /// Gives a new handle to C.
  static func create(
    _ result: UnsafeMutablePointer<OpaquePointer?>?, _ make: () throws(CallError) -> Self
  ) -> equiconv_status {
    withStatus { () throws(CallError) in
      let result = try location(result, argument)
      result.pointee = try make().retainedPointer()
    }
  }

  /// Gives up the reference of C. NULL is fine.
  static func destroy(_ pointer: OpaquePointer?) {
    inCall {
      guard let pointer else { return }
      Unmanaged<Self>.fromOpaque(UnsafeRawPointer(pointer)).release()
    }
  }

  /// A number that an object has, or what NULL has.
  static func property<T>(_ pointer: OpaquePointer?, of null: T, _ value: (Self) -> T) -> T {
    inCall { borrowed(pointer).map(value) ?? null }
  }

  /// Copies a table of an object into the caller's array.
  static func copy<T>(
    _ pointer: OpaquePointer?, to result: UnsafeMutablePointer<T>?, _ argument: Argument,
    _ table: (Self) -> some Sequence<T>
  ) -> equiconv_status {
    withStatus { () throws(CallError) in
      let object = try required(pointer)
      let result = try location(result, argument)
      for (position, value) in table(object).enumerated() { result[position] = value }
    }
  }
}
