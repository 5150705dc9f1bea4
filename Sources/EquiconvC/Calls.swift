// SPDX-License-Identifier: Apache-2.0

import CEquiconv

/// Why a pointer is not to an `equiconv_call`: it is not aligned, or its `struct_size` is not that of this library.
///
/// For EquiconvInC, whose functions copy every other message into the struct. Not exported.
@_cdecl("_equiconv_refuse_call")
func refuseCall(_ call: UnsafePointer<equiconv_call>?) -> equiconv_status {
  withStatus { try checkStructSize(location(call, "call"), "call.struct_size", "EQUICONV_CALL_INIT") }
}

/// STRUCT_SIZE unless the first field of a struct of the caller's is its size.
func checkStructSize<T>(
  _ pointer: UnsafePointer<T>, _ argument: StaticString, _ initializer: StaticString
) throws {
  // Only the first field may be read before the size is known.
  let size = UnsafeRawPointer(pointer).load(as: Int.self)
  guard size == MemoryLayout<T>.size else {
    throw ArgumentError(
      EQUICONV_ERROR_STRUCT_SIZE, argument, UInt(bitPattern: size),
      expected: "\(MemoryLayout<T>.size), as \(initializer) sets it")
  }
}
