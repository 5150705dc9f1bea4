// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import _EquiconvShims

/// Runs the body of an entry point that cannot fail, as a call of the engine: no fork comes in between, and what is computed does
/// not depend on the caller's floating-point environment.
@inline(__always)
func inCall<R>(_ body: () -> R) -> R {
  let before = equiconv_begin_call(EQUICONV_ARITHMETIC_FLUSHING)
  defer { equiconv_end_call(before) }
  return body()
}

/// Runs the body of an entry point. The one place where an error becomes a status and a message.
func withStatus(_ body: () throws(CallError) -> Void) -> equiconv_status {
  inCall { status(of: body) }
}

private func status(of body: () throws(CallError) -> Void) -> equiconv_status {
  do throws(CallError) {
    try body()
    return EQUICONV_SUCCESS
  } catch {
    LastError.set(error.message)
    return error.status
  }
}

// MARK: Entry points

@_cdecl("equiconv_version") @implementation
public func equiconv_version() -> Int32 {
  EQUICONV_VERSION_MAJOR * 10000 + EQUICONV_VERSION_MINOR * 100 + EQUICONV_VERSION_PATCH
}

@_cdecl("equiconv_status_name") @implementation
public func equiconv_status_name(_ status: equiconv_status) -> UnsafePointer<CChar>? {
  inCall { cString(statusName(status)) }
}

private func statusName(_ status: equiconv_status) -> StaticString {
  switch status {
  case EQUICONV_SUCCESS: "EQUICONV_SUCCESS"
  case EQUICONV_ERROR_NULL_POINTER: "EQUICONV_ERROR_NULL_POINTER"
  case EQUICONV_ERROR_STRUCT_SIZE: "EQUICONV_ERROR_STRUCT_SIZE"
  case EQUICONV_ERROR_INVALID_ENUM: "EQUICONV_ERROR_INVALID_ENUM"
  case EQUICONV_ERROR_MISALIGNED_POINTER: "EQUICONV_ERROR_MISALIGNED_POINTER"
  case EQUICONV_ERROR_OVERLAP: "EQUICONV_ERROR_OVERLAP"
  case EQUICONV_ERROR_INDEX_OUT_OF_RANGE: "EQUICONV_ERROR_INDEX_OUT_OF_RANGE"
  case EQUICONV_ERROR_INVALID_SIZE: "EQUICONV_ERROR_INVALID_SIZE"
  case EQUICONV_ERROR_INVALID_STRIDE: "EQUICONV_ERROR_INVALID_STRIDE"
  case EQUICONV_ERROR_INVALID_DILATION: "EQUICONV_ERROR_INVALID_DILATION"
  case EQUICONV_ERROR_INVALID_PADDING: "EQUICONV_ERROR_INVALID_PADDING"
  case EQUICONV_ERROR_EVEN_KERNEL: "EQUICONV_ERROR_EVEN_KERNEL"
  case EQUICONV_ERROR_KERNEL_TOO_LARGE: "EQUICONV_ERROR_KERNEL_TOO_LARGE"
  case EQUICONV_ERROR_ANISOTROPIC: "EQUICONV_ERROR_ANISOTROPIC"
  case EQUICONV_ERROR_DIMENSION_MISMATCH: "EQUICONV_ERROR_DIMENSION_MISMATCH"
  case EQUICONV_ERROR_SIZE_OVERFLOW: "EQUICONV_ERROR_SIZE_OVERFLOW"
  case EQUICONV_ERROR_INVALID_BASIS: "EQUICONV_ERROR_INVALID_BASIS"
  case EQUICONV_ERROR_DTYPE_MISMATCH: "EQUICONV_ERROR_DTYPE_MISMATCH"
  case EQUICONV_ERROR_INVALID_ORDER: "EQUICONV_ERROR_INVALID_ORDER"
  case EQUICONV_ERROR_INVALID_DIMENSION: "EQUICONV_ERROR_INVALID_DIMENSION"
  case EQUICONV_ERROR_NOT_FINITE: "EQUICONV_ERROR_NOT_FINITE"
  case EQUICONV_ERROR_IDENTITY_NOT_FIRST: "EQUICONV_ERROR_IDENTITY_NOT_FIRST"
  case EQUICONV_ERROR_DUPLICATE_ELEMENT: "EQUICONV_ERROR_DUPLICATE_ELEMENT"
  case EQUICONV_ERROR_NO_INVERSE: "EQUICONV_ERROR_NO_INVERSE"
  case EQUICONV_ERROR_NOT_CLOSED: "EQUICONV_ERROR_NOT_CLOSED"
  case EQUICONV_ERROR_NOT_A_SUBGROUP: "EQUICONV_ERROR_NOT_A_SUBGROUP"
  case EQUICONV_ERROR_INVALID_FACTOR: "EQUICONV_ERROR_INVALID_FACTOR"
  case EQUICONV_ERROR_OUT_OF_MEMORY: "EQUICONV_ERROR_OUT_OF_MEMORY"
  case EQUICONV_ERROR_TOO_LARGE: "EQUICONV_ERROR_TOO_LARGE"
  case EQUICONV_ERROR_UNSUPPORTED_GROUP: "EQUICONV_ERROR_UNSUPPORTED_GROUP"
  case EQUICONV_ERROR_UNSUPPORTED_ALGORITHM: "EQUICONV_ERROR_UNSUPPORTED_ALGORITHM"
  case EQUICONV_ERROR_CANCELLED: "EQUICONV_ERROR_CANCELLED"
  default: "unknown status"
  }
}
