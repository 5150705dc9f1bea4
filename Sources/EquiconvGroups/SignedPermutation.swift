// SPDX-License-Identifier: Apache-2.0

/// A signed permutation of d ≤ 3 coordinates: `(p v)[a] = sign(a) · v[axis(a)]`.
///
/// These are the d×d matrices with one entry ±1 in each row and column and zeros elsewhere, the symmetries of the
/// grid ℤᵈ that fix the origin. There are 2ᵈ d! of them.
struct SignedPermutation: Hashable, Sendable {
  // Small, as groups keep one for each element.
  private let size: UInt8
  /// Three bits for each coordinate a, lowest first: the axis it reads (two bits) and whether it is negated.
  private let code: UInt16

  /// The signed permutation that reads `axes[a]` with the sign `signs[a]` (1 or −1).
  init(axes: [Int], signs: [Int]) {
    assert(axes.count == signs.count && axes.count <= 3 && axes.sorted() == Array(axes.indices))
    var code: UInt16 = 0
    for a in axes.indices {
      code |= UInt16(axes[a] | (signs[a] < 0 ? 4 : 0)) << UInt16(3 * a)
    }
    size = UInt8(axes.count)
    self.code = code
  }

  /// The signed permutation with this d×d matrix (row-major), or nil if the matrix is not exactly one.
  init?(matrix: some RandomAccessCollection<Double>, dimension d: Int) {
    var axes: [Int] = []
    var signs: [Int] = []
    for row in 0..<d {
      for column in 0..<d {
        let entry = matrix[matrix.index(matrix.startIndex, offsetBy: row * d + column)]
        if entry == 0 { continue }
        guard abs(entry) == 1, axes.count == row, !axes.contains(column) else { return nil }
        axes.append(column)
        signs.append(entry < 0 ? -1 : 1)
      }
    }
    guard axes.count == d else { return nil }
    self.init(axes: axes, signs: signs)
  }

  var count: Int { Int(size) }

  func axis(_ a: Int) -> Int { Int(code >> UInt16(3 * a)) & 3 }

  func sign(_ a: Int) -> Int { 1 - (Int(code >> UInt16(3 * a)) & 4) / 2 }

  var axes: [Int] { (0..<count).map(axis) }

  var signs: [Int] { (0..<count).map(sign) }

  /// +1 or −1.
  var determinant: Int {
    var result = 1
    for a in 0..<count {
      result *= sign(a)
      for b in 0..<a where axis(b) > axis(a) { result = -result }
    }
    return result
  }

  /// The d×d matrix, row-major.
  var matrix: [Double] {
    var entries = [Double](repeating: 0, count: count * count)
    for a in 0..<count { entries[a * count + axis(a)] = Double(sign(a)) }
    return entries
  }

  /// The product `p · q`: first `q`, then `p`.
  static func * (p: Self, q: Self) -> Self {
    Self(axes: p.axes.map(q.axis), signs: (0..<p.count).map { p.sign($0) * q.sign(p.axis($0)) })
  }

  static prefix func - (p: Self) -> Self { Self(axes: p.axes, signs: p.signs.map { -$0 }) }
}
