// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// Where an array of a caller lies.
package struct MemoryRange: Equatable {
  package let start: UInt
  package let bytes: UInt

  /// The `count` numbers at `pointer`.
  package init<S>(_ pointer: UnsafePointer<S>, _ count: Int) {
    start = UInt(bitPattern: pointer)
    bytes = UInt(count) * UInt(MemoryLayout<S>.stride)
  }

  package func isAligned<S>(for _: S.Type) -> Bool { start % UInt(MemoryLayout<S>.alignment) == 0 }

  package func overlaps(_ other: MemoryRange) -> Bool {
    bytes > 0 && other.bytes > 0 && start < other.start &+ other.bytes && other.start < start &+ bytes
  }
}

/// Checks of the arrays a caller passes: alignment, and outputs that overlap inputs.
struct ArrayRange {
  let name: Argument
  private let range: MemoryRange

  /// The `count` numbers at `pointer`.
  init<S>(_ name: Argument, _ pointer: UnsafePointer<S>, _ count: Int) throws(ConvolutionError) {
    self.name = name
    range = MemoryRange(pointer, count)
    if !range.isAligned(for: S.self) {
      throw ConvolutionError(
        .misalignedPointer, name, "at address \(range.start)",
        expected: "a multiple of \(MemoryLayout<S>.alignment) bytes")
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
    for case let input? in inputs where range.overlaps(input.range) {
      let other = input.range
      throw ConvolutionError(
        .overlap, name, "\(range.bytes) bytes at address \(range.start)",
        expected: { "memory apart from \(input.name.name(in: $0)), \(other.bytes) bytes at address \(other.start)" })
    }
  }

  /// Throws if this array, which is written, shares memory with one that is read and is not that very array.
  func checkApartOrSame(as input: ArrayRange) throws(ConvolutionError) {
    if range != input.range { try checkApart(from: input) }
  }
}
