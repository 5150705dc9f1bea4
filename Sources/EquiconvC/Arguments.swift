// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import _EquiconvErrors

// What only C can get wrong: numbers for enumerations, NULL, and places for C types. The engine checks the rest.

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
  let (start, alignment) = (UInt(bitPattern: pointer), UInt(MemoryLayout<T>.alignment))
  guard start % alignment == 0 else {
    throw CallError(
      EQUICONV_ERROR_MISALIGNED_POINTER, argument, "0x" + String(start, radix: 16),
      expected: "a multiple of \(alignment)")
  }
  return pointer
}

/// A place to write such values: not NULL, and aligned.
func location<T>(
  _ pointer: UnsafeMutablePointer<T>?, _ argument: Argument
) throws(CallError) -> UnsafeMutablePointer<T> {
  UnsafeMutablePointer(mutating: try location(UnsafePointer(pointer), argument))
}
