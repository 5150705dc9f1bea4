// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvTestSupport

extension InstructionSet {
  /// Whether multiply-add rounds once. The baseline of x86-64 has no such instruction and rounds twice.
  var isFused: Bool {
    #if arch(x86_64)
      self != .baseline
    #else
      true
    #endif
  }

  /// a·b + c, rounded as this variant rounds.
  func multiplyAdd<S: EngineScalar>(_ a: S, _ b: S, _ c: S) -> S { isFused ? c.addingProduct(a, b) : c + a * b }
}

/// An array in which numbers that were not written can be told from those that were.
struct Guarded<S: EngineScalar> {
  /// No sum of the tests' small numbers.
  static var untouched: S { 77_777_777 }
  var values: [S]

  init(_ count: Int) { values = [S](repeating: Self.untouched, count: count) }
}

/// Whole vectors at scattered, unaligned places.
func scatteredOffsets(_ count: Int, below limit: Int, _ random: inout SplitMix64) -> [Int] {
  (0..<count).map { _ in Int.random(in: 0..<limit, using: &random) }
}

/// Memory that outlives the call whose arguments point into it.
final class Arena {
  private var blocks: [UnsafeMutableRawPointer] = []

  deinit { for block in blocks { block.deallocate() } }

  /// A copy of the array.
  func copy<T>(_ values: [T]) -> UnsafeMutablePointer<T> {
    let memory = UnsafeMutablePointer<T>.allocate(capacity: max(values.count, 1))
    memory.initialize(from: values, count: values.count)
    blocks.append(UnsafeMutableRawPointer(memory))
    return memory
  }

  /// A call whose arguments are all zero: those that a test does not set keep it as small as it can be.
  func zeroed<T>(_: T.Type) -> UnsafeMutablePointer<T> {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: MemoryLayout<T>.size, alignment: MemoryLayout<T>.alignment)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<T>.size)
    blocks.append(memory)
    return memory.assumingMemoryBound(to: T.self)
  }
}

extension UnsafeMutablePointer {
  func array(_ count: Int) -> [Pointee] { Array(UnsafeBufferPointer(start: self, count: count)) }
}
