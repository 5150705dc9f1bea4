// SPDX-License-Identifier: Apache-2.0

/// The sizes of an array of at most six axes, without an allocation.
public struct Shape: Hashable, Sendable {
  /// Batch, channels, |H| and three axes of space.
  public static let largestRank = 6

  /// The number of axes.
  public let rank: Int
  private var storage: (Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0)

  /// - Precondition: `rank` is in `0...largestRank`.
  public init(rank: Int, _ size: (Int) -> Int) {
    precondition((0...Self.largestRank).contains(rank), "Shape has at most 6 axes, not \(rank)")
    self.rank = rank
    for axis in 0..<rank { self[axis] = size(axis) }
  }

  public subscript(axis: Int) -> Int {
    get {
      precondition(axis >= 0 && axis < rank, "axis \(axis) of \(rank)")
      return withUnsafeBytes(of: storage) { $0.load(fromByteOffset: 8 * axis, as: Int.self) }
    }
    set {
      precondition(axis >= 0 && axis < rank, "axis \(axis) of \(rank)")
      withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: newValue, toByteOffset: 8 * axis, as: Int.self) }
    }
  }

  public var values: [Int] { (0..<rank).map { self[$0] } }

  public static func == (a: Self, b: Self) -> Bool { a.rank == b.rank && a.storage == b.storage }

  public func hash(into hasher: inout Hasher) {
    for axis in 0..<rank { hasher.combine(self[axis]) }
  }
}
