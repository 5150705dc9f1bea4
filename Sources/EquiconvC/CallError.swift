// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvBases
import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import _EquiconvErrors

/// Why an entry point fails: what C can get wrong, or an error of one of the rooms below.
enum CallError: Error {
  case argument(equiconv_status, Argument, value: String, expected: String)
  case convolution(ConvolutionError)
  case group(GroupError)
  case basis(BasisError)
  case network(NetworkError)

  /// An argument that is wrong before the engine sees it.
  init(_ status: equiconv_status, _ argument: Argument, _ value: some CustomStringConvertible, expected: String) {
    self = .argument(status, argument, value: value.description, expected: expected)
  }

  /// What `equiconv_last_error_message` gives.
  var message: String {
    switch self {
    case .argument(_, let argument, let value, let expected):
      "\(argument.name(in: .c)) is \(value), expected \(expected)"
    case .convolution(let error): error.message(in: .c)
    case .group(let error): error.message(in: .c)
    case .basis(let error): error.message(in: .c)
    case .network(let error): error.message(in: .c)
    }
  }

  var status: equiconv_status {
    switch self {
    case .argument(let status, _, _, _): status
    case .convolution(let error): error.kind.status
    case .group(let error): error.status
    case .basis(let error): error.status
    case .network(let error): error.status
    }
  }
}

// What a room below gives; what it throws is thrown as an error of a call.

@inline(__always)
func engine<R>(_ result: @autoclosure () throws(ConvolutionError) -> R) throws(CallError) -> R {
  do throws(ConvolutionError) { return try result() } catch { throw .convolution(error) }
}

@inline(__always)
func texts<R>(_ result: @autoclosure () throws(TextError) -> R) throws(CallError) -> R {
  do throws(TextError) { return try result() } catch {
    switch error {
    case .layer(let error): throw .convolution(error)
    case .group(let error): throw .group(error)
    case .basis(let error): throw .basis(error)
    }
  }
}

@inline(__always)
func groups<R>(_ result: @autoclosure () throws(GroupError) -> R) throws(CallError) -> R {
  do throws(GroupError) { return try result() } catch { throw .group(error) }
}

@inline(__always)
func bases<R>(_ result: @autoclosure () throws(BasisError) -> R) throws(CallError) -> R {
  do throws(BasisError) { return try result() } catch { throw .basis(error) }
}

@inline(__always)
func networks<R>(_ result: @autoclosure () throws(NetworkError) -> R) throws(CallError) -> R {
  do throws(NetworkError) { return try result() } catch { throw .network(error) }
}

// MARK: - Statuses

extension NetworkError {
  fileprivate var status: equiconv_status {
    switch self {
    case .invalid(let kind, _, _, _): kind.status
    case .layer(let error, _): error.kind.status
    case .group(let error, _): error.status
    case .basis(let error, _): error.status
    }
  }
}

extension NetworkError.Kind {
  fileprivate var status: equiconv_status {
    switch self {
    case .file: EQUICONV_ERROR_FILE_SYSTEM
    case .format: EQUICONV_ERROR_INVALID_FILE
    case .document: EQUICONV_ERROR_INVALID_DOCUMENT
    case .version: EQUICONV_ERROR_UNSUPPORTED_VERSION
    case .operation: EQUICONV_ERROR_UNSUPPORTED_OPERATION
    case .limit: EQUICONV_ERROR_TOO_LARGE
    case .argument: EQUICONV_ERROR_INVALID_ARRAY
    case .misalignedPointer: EQUICONV_ERROR_MISALIGNED_POINTER
    case .overlap: EQUICONV_ERROR_OVERLAP
    case .test: EQUICONV_ERROR_FAILED_TEST
    }
  }
}

extension ConvolutionError.Kind {
  fileprivate var status: equiconv_status {
    switch self {
    case .nullPointer: EQUICONV_ERROR_NULL_POINTER
    case .invalidEnum: EQUICONV_ERROR_INVALID_ENUM
    case .misalignedPointer: EQUICONV_ERROR_MISALIGNED_POINTER
    case .overlap: EQUICONV_ERROR_OVERLAP
    case .indexOutOfRange: EQUICONV_ERROR_INDEX_OUT_OF_RANGE
    case .invalidSize: EQUICONV_ERROR_INVALID_SIZE
    case .invalidStride: EQUICONV_ERROR_INVALID_STRIDE
    case .invalidDilation: EQUICONV_ERROR_INVALID_DILATION
    case .invalidPadding: EQUICONV_ERROR_INVALID_PADDING
    case .evenKernel: EQUICONV_ERROR_EVEN_KERNEL
    case .kernelTooLarge: EQUICONV_ERROR_KERNEL_TOO_LARGE
    case .anisotropic: EQUICONV_ERROR_ANISOTROPIC
    case .dimensionMismatch: EQUICONV_ERROR_DIMENSION_MISMATCH
    case .sizeOverflow: EQUICONV_ERROR_SIZE_OVERFLOW
    case .invalidBasis: EQUICONV_ERROR_INVALID_BASIS
    case .notASubgroup: EQUICONV_ERROR_NOT_A_SUBGROUP
    case .outOfMemory: EQUICONV_ERROR_OUT_OF_MEMORY
    case .tooLarge: EQUICONV_ERROR_TOO_LARGE
    case .invalidText: EQUICONV_ERROR_INVALID_TEXT
    case .unsupportedGroup: EQUICONV_ERROR_UNSUPPORTED_GROUP
    case .unsupportedAlgorithm: EQUICONV_ERROR_UNSUPPORTED_ALGORITHM
    case .cancelled: EQUICONV_ERROR_CANCELLED
    }
  }
}

extension BasisError {
  fileprivate var status: equiconv_status {
    if case .outOfMemory = self { EQUICONV_ERROR_OUT_OF_MEMORY } else { EQUICONV_ERROR_INVALID_BASIS }
  }
}

extension GroupError {
  fileprivate var status: equiconv_status {
    switch self {
    case .invalidOrder: EQUICONV_ERROR_INVALID_ORDER
    case .invalidDimension: EQUICONV_ERROR_INVALID_DIMENSION
    case .notFinite: EQUICONV_ERROR_NOT_FINITE
    case .identityNotFirst: EQUICONV_ERROR_IDENTITY_NOT_FIRST
    case .duplicateElement: EQUICONV_ERROR_DUPLICATE_ELEMENT
    case .noInverse: EQUICONV_ERROR_NO_INVERSE
    case .notClosed: EQUICONV_ERROR_NOT_CLOSED
    case .notASubgroup: EQUICONV_ERROR_NOT_A_SUBGROUP
    case .invalidFactor: EQUICONV_ERROR_INVALID_FACTOR
    case .duplicateFactor: EQUICONV_ERROR_DUPLICATE_ELEMENT
    case .differentGroups: EQUICONV_ERROR_NOT_A_SUBGROUP
    case .wrongMatrixCount: EQUICONV_ERROR_INVALID_ORDER
    case .outOfMemory: EQUICONV_ERROR_OUT_OF_MEMORY
    }
  }
}
