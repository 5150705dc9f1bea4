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

  var byteCount: Int { self == .float32 ? 4 : 8 }
}

/// The case with the number of a C enumeration, which may be any number, or INVALID_ENUM.
func enumeration<E: RawRepresentable<Int32>>(
  _ value: some RawRepresentable<UInt32>, _ argument: Argument, expected: StaticString
) throws(CallError) -> E {
  let number = Int32(bitPattern: value.rawValue)
  guard let result = E(rawValue: number) else {
    throw CallError(EQUICONV_ERROR_INVALID_ENUM, argument, number, expected: "\(expected)")
  }
  return result
}

/// `pointer`, or NULL_POINTER. The engine checks the alignment of the arrays.
func required<P>(_ pointer: P?, _ argument: Argument) throws(CallError) -> P {
  guard let pointer else {
    throw CallError(EQUICONV_ERROR_NULL_POINTER, argument, "NULL", expected: "a pointer")
  }
  return pointer
}

/// A place to read values of a C type that the engine does not see: not NULL, and aligned.
func location<T>(_ pointer: UnsafePointer<T>?, _ argument: Argument) throws(CallError) -> UnsafePointer<T> {
  let pointer = try required(pointer, argument)
  try checkAlignment(UInt(bitPattern: pointer), to: MemoryLayout<T>.alignment, argument)
  return pointer
}

/// A place to write such values: not NULL, and aligned.
func location<T>(_ pointer: UnsafeMutablePointer<T>?, _ argument: Argument) throws(CallError) -> UnsafeMutablePointer<T>
{
  UnsafeMutablePointer(mutating: try location(UnsafePointer(pointer), argument))
}

private func checkAlignment(_ start: UInt, to alignment: Int, _ argument: Argument) throws(CallError) {
  guard start % UInt(alignment) == 0 else {
    throw CallError(
      EQUICONV_ERROR_MISALIGNED_POINTER, argument, address(start), expected: "a multiple of \(alignment)")
  }
}

private func address(_ bits: UInt) -> String { "0x" + String(bits, radix: 16) }

extension UnsafeRawPointer {
  func scalars<S: EngineScalar>(_: S.Type) -> UnsafePointer<S> { assumingMemoryBound(to: S.self) }
}

extension UnsafeMutableRawPointer {
  func scalars<S: EngineScalar>(_: S.Type) -> UnsafeMutablePointer<S> { assumingMemoryBound(to: S.self) }
}

/// An array argument: where it lies in memory.
struct ArrayArgument {
  private let name: Argument
  private let start: UInt
  private let byteCount: UInt

  /// An array of `count` scalars, or MISALIGNED_POINTER. The byte size must fit, as the plan has checked.
  init(_ name: Argument, _ pointer: UnsafeRawPointer, count: Int, of scalar: ScalarType) throws(CallError) {
    self.name = name
    start = UInt(bitPattern: pointer)
    byteCount = UInt(count) * UInt(scalar.byteCount)
    try checkAlignment(start, to: scalar.byteCount, name)
  }

  /// OVERLAP if this array, which is written, shares memory with another.
  func checkDisjoint(from others: ArrayArgument?...) throws(CallError) {
    for case let other? in others where byteCount > 0 && other.byteCount > 0 {
      // Distances modulo the address space, so that no end address can overflow.
      guard start &- other.start < other.byteCount || other.start &- start < byteCount else { continue }
      throw CallError(
        EQUICONV_ERROR_OVERLAP, name, address(start),
        expected: "an array that does not overlap \(other.name) at \(address(other.start))")
    }
  }
}
