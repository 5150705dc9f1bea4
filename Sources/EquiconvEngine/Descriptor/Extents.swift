// SPDX-License-Identifier: Apache-2.0

/// One integer for each of one to three array axes, without an allocation.
///
/// Axes are in the order of the array: (width), (row, column) or (depth, row, column). Unused places are 0.
public struct Extents: Hashable, Sendable, CustomStringConvertible, ExpressibleByArrayLiteral {
  /// The number of axes, 1, 2 or 3.
  public let count: Int
  var storage: (Int, Int, Int) = (0, 0, 0)

  /// The same `value` on each of `count` axes.
  public init(repeating value: Int, count: Int) {
    precondition((1...3).contains(count), "Extents has 1, 2 or 3 axes, not \(count)")
    self.count = count
    for axis in 0..<count { self[axis] = value }
  }

  /// One value an axis; `values` has 1, 2 or 3 elements.
  public init(_ values: some Collection<Int>) {
    self.init(repeating: 0, count: values.count)
    for (axis, value) in values.enumerated() { self[axis] = value }
  }

  public init(arrayLiteral elements: Int...) { self.init(elements) }

  public subscript(axis: Int) -> Int {
    get {
      precondition(axis >= 0 && axis < count, "axis \(axis) of \(count)")
      return axis == 0 ? storage.0 : axis == 1 ? storage.1 : storage.2
    }
    set {
      precondition(axis >= 0 && axis < count, "axis \(axis) of \(count)")
      if axis == 0 { storage.0 = newValue } else if axis == 1 { storage.1 = newValue } else { storage.2 = newValue }
    }
  }

  public var indices: Range<Int> { 0..<count }
  public var values: [Int] { indices.map { self[$0] } }
  /// The product over all axes.
  public var product: Int { indices.reduce(1) { $0 * self[$1] } }
  public var description: String { "(" + values.map(String.init).joined(separator: ", ") + ")" }

  public static func == (a: Extents, b: Extents) -> Bool { a.count == b.count && a.storage == b.storage }
  public func hash(into hasher: inout Hasher) {
    hasher.combine(storage.0)
    hasher.combine(storage.1)
    hasher.combine(storage.2)
  }
}
