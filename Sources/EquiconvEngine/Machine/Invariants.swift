// SPDX-License-Identifier: Apache-2.0

/// What unchecked code relies on, checked where `EQUICONV_INTERNAL_CHECKS` is defined and nowhere else: in tests, in sanitized
/// builds and for the fuzzer.
///
/// Plans check all their offsets, in files named `…+Invariants.swift`; workspaces check their pieces.
package enum Invariants {
  #if EQUICONV_INTERNAL_CHECKS
    package static let areChecked = true
  #else
    package static let areChecked = false
  #endif
}

/// Ends the process where a law does not hold that unchecked code relies on. Compiled to nothing where none is checked.
@inline(__always)
func checkInvariant(
  _ holds: @autoclosure () -> Bool, _ law: StaticString, file: StaticString = #fileID, line: UInt = #line
) {
  #if EQUICONV_INTERNAL_CHECKS
    if !holds() { fatalError("broken invariant: \(law)", file: file, line: line) }
  #endif
}
