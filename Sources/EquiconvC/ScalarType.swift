// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import _EquiconvErrors

/// The scalar type of all arrays of a call.
enum ScalarType: Int32 {
  case float32 = 0
  case float64 = 1

  init(_ dtype: equiconv_dtype) throws(CallError) {
    self = try enumeration(dtype, .dtype, expected: "EQUICONV_FLOAT32 or _FLOAT64")
  }

  /// Its constant in C.
  var name: String { self == .float32 ? "EQUICONV_FLOAT32" : "EQUICONV_FLOAT64" }

  /// Runs a call on arrays of this type: the one place where a number becomes a type.
  @inline(__always)
  func run<C: ScalarCall>(_ call: C) throws(CallError) -> C.Result {
    switch self {
    case .float32: try call.run(Float.self)
    case .float64: try call.run(Double.self)
    }
  }
}

/// A call on arrays of either scalar type, its pointers as C gives them. A protocol, since a closure cannot be generic.
protocol ScalarCall {
  associatedtype Result = Void
  func run<S: EngineScalar>(_: S.Type) throws(CallError) -> Result
}

extension UnsafeRawPointer {
  func scalars<S: EngineScalar>(_: S.Type) -> UnsafePointer<S> { assumingMemoryBound(to: S.self) }
}

extension UnsafeMutableRawPointer {
  func scalars<S: EngineScalar>(_: S.Type) -> UnsafeMutablePointer<S> { assumingMemoryBound(to: S.self) }
}
