// SPDX-License-Identifier: Apache-2.0

/// Ends the process where what unchecked code relies on does not hold.
///
/// Compiled to nothing unless `EQUICONV_INTERNAL_CHECKS` is defined, as it is for tests, sanitized builds and the fuzzer: then
/// plans check all their offsets, in the files named `…+Invariants.swift`, and workspaces their pieces.
@inline(__always)
func checkInvariant(
  _ holds: @autoclosure () -> Bool, _ law: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
  #if EQUICONV_INTERNAL_CHECKS
    if !holds() { fatalError("broken invariant: \(law())", file: file, line: line) }
  #endif
}
