// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

/// B-splines about centers anywhere: B_j(u) = Π_axis β_n((u_axis − c_j,axis) / s), in the order of the centers.
///
/// β_n is the centered cardinal B-spline of degree n, 0 for |t| ≥ (n+1)/2, and s the scale: the width of a spline in
/// taps. β₀ is 1 inside its interval and ½ at its ends.
///
/// Source: Bekkers, "B-Spline CNNs on Lie Groups", ICLR 2020, section 3 and figure 2.
public struct BSplineBasis: Hashable, Sendable {
  /// The number of coordinates.
  public let dimension: Int

  /// The degree n of the polynomials, `0...5`.
  public let degree: Int

  /// The centers c_j as points (x), (x, y) or (x, y, z), y and z up.
  ///
  /// - Complexity: O(J), a copy.
  public var centers: [[Double]] {
    (0..<count).map { Array(centerTable.part($0 * dimension..<($0 + 1) * dimension)) }
  }

  /// The centers, (J, d).
  private let centerTable: FixedArray<Double>
  private let boxes: CenterBoxes

  /// Which function made it.
  package let recipe: Recipe

  /// The scale s.
  public let scale: Double

  /// The taps of the grid of the identity, in array-axis order.
  public let extents: [Int]

  /// B-splines about any centers: localized kernels, in the language of the paper.
  ///
  /// - Parameters:
  ///   - dimension: The number d of coordinates, 1, 2 or 3.
  ///   - degree: The degree n, `0...5`.
  ///   - centers: One or more points with d finite coordinates. They may lie outside the grid.
  ///   - scale: The scale s, positive and finite.
  ///   - extents: The taps along each array axis; splines are sampled there and nowhere else.
  /// - Throws: `BasisError` naming the argument.
  public init(
    dimension: Int, degree: Int, centers: [[Double]], scale: Double = 1, extents: [Int]
  ) throws(BasisError) {
    // Checked before the centers are copied, since it is their number of coordinates.
    try check(dimension, in: 1...3, .dimension)
    var table = try BasisTable<Double>(capacity: centers.count * dimension)
    for (j, center) in centers.enumerated() {
      guard center.count == dimension else {
        throw .wrongCount(.centers[j], count: center.count, expected: "\(dimension) coordinates")
      }
      try table.append(contentsOf: center)
    }
    try self.init(
      dimension: dimension, degree: degree, centerTable: table.frozen(), scale: scale, extents: extents, .centers)
  }

  /// The same with the centers in one array, (J, d).
  package init(
    dimension: Int, degree: Int, copying centers: some Collection<Double>, scale: Double, extents: [Int]
  ) throws(BasisError) {
    try self.init(
      dimension: dimension, degree: degree, centerTable: try BasisTable<Double>(centers).frozen(), scale: scale,
      extents: extents, .centers)
  }

  private init(
    dimension: Int, degree: Int, centerTable: FixedArray<Double>, scale: Double, extents: [Int], _ recipe: Recipe
  ) throws(BasisError) {
    try check(dimension, in: 1...3, .dimension)
    try check(degree, in: 0...largestDegree, .degree)
    try checkPositive(scale, .scale)
    try checkExtents(extents)
    guard extents.count == dimension else {
      throw .wrongCount(.extents, count: extents.count, expected: "one for each of \(dimension) axes")
    }
    guard !centerTable.isEmpty else {
      throw .wrongCount(.centers, count: 0, expected: "one center or more")
    }
    for (index, coordinate) in centerTable.enumerated() where !coordinate.isFinite {
      throw .invalidNumber(
        .centers[index / dimension][index % dimension], value: coordinate, expected: "a finite number")
    }
    self.dimension = dimension
    self.degree = degree
    self.centerTable = centerTable
    boxes = try CenterBoxes(centerTable, dimension: dimension)
    self.scale = scale
    self.extents = extents
    self.recipe = recipe
  }

  /// B-splines as wide as the distance of their centers, which fill the grid.
  ///
  /// Centers are `scale` apart along each axis, symmetric about the origin, as many as fit between the outermost taps:
  /// ⌊(k−1)/s⌋ + 1, in row-major order of the array. With s = 1 they are the taps. The splines add up to 1 where every
  /// coordinate is at most c + s(1−n)/2 in size, c being that of the outermost center.
  ///
  /// - Throws: `BasisError` unless the degree is `0...5`, the scale is positive and there are 1, 2 or 3 positive
  ///   extents.
  public static func dense(extents: [Int], degree: Int, scale: Double = 1) throws(BasisError) -> BSplineBasis {
    let centers = try centerGrid(extents: extents, spacing: scale, .scale)
    return try BSplineBasis(
      dimension: extents.count, degree: degree, centerTable: centers, scale: scale, extents: extents, .dense)
  }

  /// B-splines one tap wide about centers that are `spacing` apart: the analogue of dilated kernels.
  ///
  /// Centers are as for `dense`, ⌊(k−1)/spacing⌋ + 1 along each axis.
  ///
  /// - Throws: `BasisError` unless the degree is `0...5`, the spacing is positive and there are 1, 2 or 3 positive
  ///   extents.
  public static func atrous(extents: [Int], degree: Int, spacing: Double) throws(BasisError) -> BSplineBasis {
    let centers = try centerGrid(extents: extents, spacing: spacing, .spacing)
    return try BSplineBasis(
      dimension: extents.count, degree: degree, centerTable: centers, scale: 1, extents: extents,
      .atrous(spacing: spacing))
  }

  /// B-splines one tap wide about the taps within a disc or ball of this radius about the origin, the round kernels
  /// that rotations need.
  ///
  /// With the default radius, (k−1)/2 − 1, cubic splines have almost decayed at the edge of the grid. A radius below
  /// that of the innermost tap counts as the latter, so that there is always a spline.
  ///
  /// - Throws: `BasisError` unless the degree is `0...5`, the radius is not negative and finite, and there are 1, 2 or
  ///   3 positive extents.
  public static func round(extents: [Int], degree: Int, radius: Double? = nil) throws(BasisError) -> BSplineBasis {
    let taps = try centerGrid(extents: extents, spacing: 1, .extents)
    let (d, count) = (extents.count, taps.count / extents.count)
    let norm = { (tap: Int) in
      (tap * d..<(tap + 1) * d).reduce(0) { $0 + taps[$1] * taps[$1] }.squareRoot()
    }
    let wanted = radius ?? Double(extents.min()! - 3) / 2
    guard wanted.isFinite, radius == nil || wanted >= 0 else {
      throw .invalidNumber(.radius, value: wanted, expected: "a finite number, 0 or more")
    }
    let limit = max(wanted, (0..<count).lazy.map(norm).min() ?? 0) + 1e-9
    var round = BasisTable<Double>()
    for tap in 0..<count where norm(tap) <= limit { try round.append(contentsOf: taps.part(tap * d..<(tap + 1) * d)) }
    let centers = round.frozen()
    return try BSplineBasis(
      dimension: extents.count, degree: degree, centerTable: centers, scale: 1, extents: extents,
      .round(radius: radius))
  }
}

extension BSplineBasis {
  /// Which function made a basis.
  ///
  /// Always equal: bases compare the numbers that follow from it.
  package enum Recipe: Hashable, Sendable {
    case dense
    case atrous(spacing: Double)
    case round(radius: Double?)
    case centers

    package static func == (_: Recipe, _: Recipe) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
  }

  /// The coordinates of all centers, (J, d).
  package var centerNumbers: FixedArray<Double> { centerTable }
}

extension BSplineBasis: BasisFamily {
  /// The number of centers.
  public var count: Int { centerTable.count / dimension }

  /// [J].
  public var shape: [Int] { [count] }

  func find(at u: UnsafePointer<Double>, into found: inout LocalValues) throws(BasisError) {
    found.removeAll()
    try boxes.forEachRange(near: u, reach: splineReach(degree: degree), scale: scale) { near throws(BasisError) in
      for j in near {
        var product = 1.0
        for axis in 0..<dimension where product != 0 {
          product *= cardinalBSpline((u[axis] - centerTable[j * dimension + axis]) / scale, degree: degree)
        }
        try found.append(LocalValue(function: j, value: product))
      }
    }
  }
}

/// Points on a grid of the given spacing, symmetric about the origin, as many as fit between the outermost taps: (J, d).
private func centerGrid(
  extents: [Int], spacing: Double, _ argument: Argument
) throws(BasisError) -> FixedArray<Double> {
  try checkExtents(extents)
  try checkPositive(spacing, argument)
  // With a tolerance of 10⁻⁹, so that a spacing of 0.1 fits ten times between taps.
  let counts = extents.map { (Double($0 - 1) / spacing * (1 + 1e-9)).rounded(.down) + 1 }
  let total = counts.reduce(1, *)
  guard total <= Double(largestCenterCount) else {
    let count = total < Double(Int.max) ? Int(total) : Int.max
    throw .wrongCount(.centers, count: count, expected: "at most \(largestCenterCount) on a grid")
  }
  let grid = counts.map { Int($0) }
  var centers = try BasisTable<Double>(capacity: Int(total) * grid.count)
  for tap in 0..<Int(total) { try centers.append(contentsOf: tapPoint(tap, extents: grid).map { $0 * spacing }) }
  return centers.frozen()
}

/// The most centers on a grid: they are stored, unlike taps.
private let largestCenterCount = 1 << 20
