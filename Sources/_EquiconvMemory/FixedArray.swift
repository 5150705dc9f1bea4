// SPDX-License-Identifier: Apache-2.0

import _EquiconvPlatform

/// Unused room from this size on, a few pages, is returned.
@inlinable var mostUnusedBytes: Int { 1 << 14 }

/// About as many elements of an array are hashed.
@inlinable var hashedElements: Int { 16 }

/// An immutable array that a `CheckedArray` became: one reference, shared by all copies and parts.
///
/// Nothing here allocates anything that grows with the number of elements.
@frozen public struct FixedArray<Element> {
  @usableFromInline let storage: FixedStorage<Element>?
  @usableFromInline let base: UnsafePointer<Element>
  public let count: Int

  /// No elements.
  @inlinable public init() { self.init(taking: nowhere(), count: 0, capacity: 0) }

  @inlinable init(storage: FixedStorage<Element>?, base: UnsafePointer<Element>, count: Int) {
    self.storage = storage
    self.base = base
    self.count = count
  }

  @inlinable init(taking base: UnsafeMutablePointer<Element>, count: Int, capacity: Int) {
    if capacity == 0 {
      self.init(storage: nil, base: base, count: 0)
      return
    }
    var base = base
    let unused = (capacity - count) * MemoryLayout<Element>.stride
    if unused >= mostUnusedBytes, let smaller = realloc(base, Swift.max(count, 1) * MemoryLayout<Element>.stride) {
      base = smaller.assumingMemoryBound(to: Element.self)
    }
    self.init(storage: FixedStorage(base, count: count), base: base, count: count)
  }

  /// The elements in a range, which share the memory.
  @inlinable public func part(_ range: Range<Int>) -> FixedArray {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "range is outside the array")
    return FixedArray(storage: storage, base: base + range.lowerBound, count: range.count)
  }

  /// The elements, valid as long as this array or a copy of it lives.
  @inlinable public var elements: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: base, count: count) }
}

/// Where the elements of an empty array lie. Any address but 0: it is no null pointer.
@inlinable func nowhere<Element>() -> UnsafeMutablePointer<Element> {
  UnsafeMutablePointer(bitPattern: MemoryLayout<Element>.alignment).unsafelyUnwrapped
}

/// What the copies and parts of a `FixedArray` share.
@usableFromInline final class FixedStorage<Element> {
  @usableFromInline let base: UnsafeMutablePointer<Element>
  @usableFromInline let count: Int

  @inlinable init(_ base: UnsafeMutablePointer<Element>, count: Int) {
    self.base = base
    self.count = count
  }

  @inlinable deinit {
    base.deinitialize(count: count)
    free(base)
  }
}

extension FixedArray: RandomAccessCollection {
  @inlinable public var startIndex: Int { 0 }
  @inlinable public var endIndex: Int { count }

  @inlinable public subscript(index: Int) -> Element {
    precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "index is outside the array")
    return base[index]
  }

  @inlinable public func withContiguousStorageIfAvailable<R, Failure: Error>(
    _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> R
  ) throws(Failure) -> R? {
    defer { withExtendedLifetime(storage) {} }
    return try body(elements)
  }
}

extension FixedArray: @unchecked Sendable where Element: Sendable {}

extension FixedArray: Equatable where Element: Equatable {
  @inlinable public static func == (a: Self, b: Self) -> Bool {
    if a.count != b.count { return false }
    if a.base == b.base { return true }
    return (0..<a.count).allSatisfy { a.base[$0] == b.base[$0] }
  }
}

extension FixedArray: Hashable where Element: Hashable {
  /// Covers the number of elements and a few of them. In keys, arrays stand beside numbers that differ more often, and
  /// hashing must not take longer than comparing.
  @inlinable public func hash(into hasher: inout Hasher) {
    hasher.combine(count)
    for index in stride(from: 0, to: count, by: Swift.max(1, count / hashedElements)) { hasher.combine(base[index]) }
  }
}

extension FixedArray {
  /// A few elements, whose number no caller decides: if there is no memory for them, the process ends, as with `Array`.
  public init(small elements: [Element]) {
    guard let made = try? CheckedArray<Element, SmallFailure>(elements) else { fatalError("out of memory") }
    self = made.frozen()
  }
}

private struct SmallFailure: AllocationFailure {
  static func outOfMemory(bytes: Int) -> SmallFailure { SmallFailure() }
}
