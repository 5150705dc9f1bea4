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

  // Not by a pointer to the tuple: the optimizer of Embedded Swift (6.3.1) takes what is read so, at an axis that it
  // knows, to be undefined.
  public subscript(axis: Int) -> Int {
    get {
      precondition(axis >= 0 && axis < rank, "axis \(axis) of \(rank)")
      switch axis {
      case 0: return storage.0
      case 1: return storage.1
      case 2: return storage.2
      case 3: return storage.3
      case 4: return storage.4
      default: return storage.5
      }
    }
    set {
      precondition(axis >= 0 && axis < rank, "axis \(axis) of \(rank)")
      switch axis {
      case 0: storage.0 = newValue
      case 1: storage.1 = newValue
      case 2: storage.2 = newValue
      case 3: storage.3 = newValue
      case 4: storage.4 = newValue
      default: storage.5 = newValue
      }
    }
  }

  public var values: [Int] { (0..<rank).map { self[$0] } }

  public static func == (a: Self, b: Self) -> Bool { a.rank == b.rank && a.storage == b.storage }

  public func hash(into hasher: inout Hasher) {
    for axis in 0..<rank { hasher.combine(self[axis]) }
  }
}
