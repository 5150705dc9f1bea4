// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvErrors

/// The largest number of taps or functions, so that sizes and offsets never overflow.
let largestCount = Int(Int32.max)

/// The largest extent of a square grid, whose taps are then fewer than `largestCount`.
let largestExtent = 46_340

/// The coordinates of the taps of a grid, in row-major order of the array.
///
/// Tap i of an axis of extent k is at i − (k−1)/2; extents are in array-axis order, (width), (height, width) or
/// (depth, height, width), and points are (x), (x, y) or (x, y, z) as `ArrayAxes` has them. So the first of 3 × 3 taps,
/// top left, is (−1, 1).
///
/// - Throws: `BasisError` unless there are 1, 2 or 3 positive extents.
/// - Complexity: O(number of taps).
public func tapPoints(extents: [Int]) throws(BasisError) -> [[Double]] {
  try checkExtents(extents)
  return (0..<extents.reduce(1, *)).map { tapPoint($0, extents: extents) }
}

/// The coordinates of one tap of a grid, as `tapPoints` has them.
///
/// - Precondition: `tap` is less than the product of the extents.
package func tapPoint(_ tap: Int, extents: [Int]) -> [Double] {
  var rest = tap
  let axes = ArrayAxes(count: extents.count)
  return extents.indices.map { i in
    let k = extents[axes.counterpart(i)]
    defer { rest /= k }
    return tapCoordinate(rest % k, extent: k, direction: axes.direction(ofCoordinate: i))
  }
}

/// The extent that a kernel of extent k samples on when it is dilated by the scale s: the least extent of the same
/// parity whose taps reach to the dilated outermost tap, s(k−1)/2.
///
/// For odd k this is 2⌈s(k−1)/2⌉ + 1, for even k 2⌈s(k−1)/2 − 1/2⌉ + 2. A tolerance of 10⁻⁹ keeps scales that are
/// products of rounded factors from gaining a tap; s = 1 gives k.
///
/// - Throws: `BasisError` unless k is positive, s is positive and finite, and the result is below 2³¹.
public func scaledExtent(_ k: Int, scale s: Double) throws(BasisError) -> Int {
  try check(k, in: 1...largestCount, .extent)
  guard s > 0, s.isFinite else {
    throw .invalidNumber(.scale, value: s, expected: "a positive finite number")
  }
  let offset = k % 2 == 1 ? 0 : 0.5
  let reach = s * Double(k - 1) / 2
  let steps = (reach - offset - 1e-9 * reach).rounded(.up)
  guard steps < Double(largestCount / 2) else {
    throw .invalidNumber(.scale, value: s, expected: "a scaled extent below 2³¹")
  }
  return 2 * max(0, Int(steps)) + (k % 2 == 1 ? 1 : 2)
}

/// Throws unless there are 1, 2 or 3 positive extents with fewer than 2³¹ taps.
func checkExtents(_ extents: [Int]) throws(BasisError) {
  guard 1...3 ~= extents.count, extents.allSatisfy({ $0 > 0 }) else {
    throw .invalidList(.extents, value: extents, expected: "1, 2 or 3 positive numbers")
  }
  var taps = 1
  for k in extents {
    let (product, overflow) = taps.multipliedReportingOverflow(by: k)
    guard !overflow, product <= largestCount else {
      throw .invalidList(.extents, value: extents, expected: "a product below 2³¹")
    }
    taps = product
  }
}

/// The coordinate of tap i of an array axis of extent k, with or against which it runs: `direction` is 1 or −1.
func tapCoordinate(_ i: Int, extent k: Int, direction: Int) -> Double {
  // The same numbers with the opposite sign: halves are exact, and 0 − c has no negative zero.
  let c = Double(i) - Double(k - 1) / 2
  return direction > 0 ? c : 0 - c
}
