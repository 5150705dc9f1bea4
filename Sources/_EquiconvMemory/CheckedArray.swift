// SPDX-License-Identifier: Apache-2.0

import _EquiconvPlatform

/// The room of an array that gets its first element.
@inlinable var leastCapacity: Int { 4 }

/// What `realloc` aligns its blocks to.
@inlinable var heapAlignment: Int { 16 }

/// An array under construction whose allocations are checked: it throws where `Array` would end the process.
///
/// Each module names its error once, `typealias GroupTable<Element> = CheckedArray<Element, GroupError>`. `frozen()` returns
/// the finished array without a copy. Elements may be of any type that is not over-aligned and holds no weak reference:
/// they are moved as bits.
@frozen public struct CheckedArray<Element, Failure: AllocationFailure>: ~Copyable {
  @usableFromInline var base: UnsafeMutablePointer<Element>
  @usableFromInline var capacity: Int
  @usableFromInline var length: Int

  /// The number of elements.
  @inlinable public var count: Int { length }

  /// No elements, and no allocation.
  @inlinable public init() {
    base = nowhere()
    capacity = 0
    length = 0
  }

  /// No elements, and memory for so many.
  @inlinable public init(capacity: Int) throws(Failure) {
    base = capacity > 0 ? try Self.allocate(capacity, nil) : nowhere()
    self.capacity = max(capacity, 0)
    length = 0
  }

  /// The same value, so many times.
  @inlinable public init(repeating value: Element, count: Int) throws(Failure) {
    base = count > 0 ? try Self.allocate(count, nil) : nowhere()
    capacity = count
    length = count
    base.initialize(repeating: value, count: count)
  }

  /// `element(i)` for i in `0..<count`.
  @inlinable public init(count: Int, _ element: (Int) throws(Failure) -> Element) throws(Failure) {
    var made = try CheckedArray(capacity: count)
    for index in 0..<count { try made.append(try element(index)) }
    self = made
  }

  /// The elements of a collection.
  @inlinable public init(_ elements: some Collection<Element>) throws(Failure) {
    var made = try CheckedArray(capacity: elements.count)
    try made.append(contentsOf: elements)
    self = made
  }

  @inlinable deinit {
    base.deinitialize(count: length)
    if capacity > 0 { free(base) }
  }

  // MARK: - Growth

  /// Adds an element. Full memory is doubled.
  @inlinable public mutating func append(_ element: Element) throws(Failure) {
    if length == capacity { try grow(to: max(leastCapacity, 2 * capacity)) }
    (base + length).initialize(to: element)
    length &+= 1
  }

  /// Adds the elements of a collection.
  @inlinable public mutating func append(contentsOf elements: some Collection<Element>) throws(Failure) {
    let wanted = length + elements.count
    if wanted > capacity { try grow(to: max(wanted, 2 * capacity)) }
    let end = base + length
    let isCopied: Void? = elements.withContiguousStorageIfAvailable {
      if let source = $0.baseAddress { end.initialize(from: source, count: $0.count) }
    }
    if isCopied != nil {
      length = wanted
      return
    }
    for element in elements {
      (base + length).initialize(to: element)
      length &+= 1
    }
  }

  /// Removes all elements and keeps the memory.
  @inlinable public mutating func removeAll() {
    base.deinitialize(count: length)
    length = 0
  }

  @inlinable mutating func grow(to wanted: Int) throws(Failure) {
    base = try Self.allocate(wanted, capacity > 0 ? base : nil)
    capacity = wanted
  }

  /// Memory for so many elements, with those of a smaller block.
  @inlinable static func allocate(
    _ count: Int, _ old: UnsafeMutablePointer<Element>?
  ) throws(Failure) -> UnsafeMutablePointer<Element> {
    assert(MemoryLayout<Element>.alignment <= heapAlignment)
    let (bytes, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
    if overflow { throw Failure.outOfMemory(bytes: .max) }
    guard let memory = realloc(old, bytes) else { throw Failure.outOfMemory(bytes: bytes) }
    return memory.assumingMemoryBound(to: Element.self)
  }

  // MARK: - Elements

  @inlinable public subscript(index: Int) -> Element {
    get {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: length), "index is outside the array")
      return base[index]
    }
    nonmutating set {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: length), "index is outside the array")
      base[index] = newValue
    }
  }

  @inlinable public var indices: Range<Int> { 0..<length }

  /// The elements, valid until the array grows or is destroyed.
  @inlinable public var elements: UnsafeMutableBufferPointer<Element> {
    UnsafeMutableBufferPointer(start: base, count: length)
  }

  /// The finished array, which takes over the memory.
  @inlinable public consuming func frozen() -> FixedArray<Element> {
    let (base, length, capacity) = (base, length, capacity)
    discard self
    return FixedArray(taking: base, count: length, capacity: capacity)
  }
}
