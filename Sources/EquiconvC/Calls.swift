// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import _EquiconvErrors

/// Why a pointer is not to an `equiconv_call`: it is not aligned, or its `struct_size` is not that of this library.
///
/// For EquiconvInC, whose functions copy every other message into the struct. Not exported.
@_cdecl("_equiconv_refuse_call")
func refuseCall(_ call: UnsafePointer<equiconv_call>?) -> equiconv_status {
  withStatus { () throws(CallError) in
    try checkStructSize(location(call, .call), .field(.call, .structSize), "EQUICONV_CALL_INIT")
  }
}

/// STRUCT_SIZE unless the first field of a struct of the caller's is its size.
func checkStructSize<T>(
  _ pointer: UnsafePointer<T>, _ argument: Argument, _ initializer: StaticString
) throws(CallError) {
  // Only the first field may be read before the size is known.
  let size = UnsafeRawPointer(pointer).load(as: Int.self)
  guard size == MemoryLayout<T>.size else {
    throw CallError(
      EQUICONV_ERROR_STRUCT_SIZE, argument, UInt(bitPattern: size),
      expected: "\(MemoryLayout<T>.size), as \(initializer) sets it")
  }
}
