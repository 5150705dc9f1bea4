// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// Checks of the arrays a caller passes: alignment, and outputs that overlap inputs.
struct ArrayRange {
  let name: Argument
  private let start: UInt
  private let bytes: UInt

  /// The `count` numbers at `pointer`.
  init<S>(_ name: Argument, _ pointer: UnsafePointer<S>, _ count: Int) throws(ConvolutionError) {
    self.name = name
    start = UInt(bitPattern: pointer)
    bytes = UInt(count) * UInt(MemoryLayout<S>.stride)
    if start % UInt(MemoryLayout<S>.alignment) != 0 {
      throw ConvolutionError(
        .misalignedPointer, name, "at address \(start)", expected: "a multiple of \(MemoryLayout<S>.alignment) bytes")
    }
  }

  init<S>(_ name: Argument, _ pointer: UnsafeMutablePointer<S>, _ count: Int) throws(ConvolutionError) {
    try self.init(name, UnsafePointer(pointer), count)
  }

  /// Nil for no array.
  init?<S>(_ name: Argument, _ pointer: UnsafePointer<S>?, _ count: Int) throws(ConvolutionError) {
    guard let pointer else { return nil }
    try self.init(name, pointer, count)
  }

  /// Nil for no array.
  init?<S>(_ name: Argument, _ pointer: UnsafeMutablePointer<S>?, _ count: Int) throws(ConvolutionError) {
    guard let pointer else { return nil }
    try self.init(name, pointer, count)
  }

  /// Throws if this array, which is written, shares memory with one that is read.
  func checkApart(from inputs: ArrayRange?...) throws(ConvolutionError) {
    for case let input? in inputs where bytes > 0 && input.bytes > 0 {
      let (end, inputEnd) = (start &+ bytes, input.start &+ input.bytes)
      if start < inputEnd && input.start < end {
        throw ConvolutionError(
          .overlap, name, "\(bytes) bytes at address \(start)",
          expected: { "memory apart from \(input.name.name(in: $0)), \(input.bytes) bytes at address \(input.start)" })
      }
    }
  }
  /// Throws if this array, which is written, shares memory with one that is read and is not that very array.
  func checkApartOrSame(as input: ArrayRange) throws(ConvolutionError) {
    if start != input.start || bytes != input.bytes { try checkApart(from: input) }
  }
}
