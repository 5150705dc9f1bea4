// SPDX-License-Identifier: Apache-2.0

// What `print` shows: one line each, and no tables.

extension HomogeneousSpace: CustomStringConvertible {
  /// For example "4 points C8/[0, 4]"; of a long stabilizer the number of its elements.
  public var description: String {
    let isShort = stabilizer.count <= 8
    let text = isShort ? "\(stabilizer)" : "\(stabilizer.count) elements"
    return "\(count) point\(count == 1 ? "" : "s") \(group)/\(text)"
  }
}

extension AxisAction: CustomStringConvertible {
  /// The axis that each new axis reads, with a sign where it runs against it: for example "(-1, +0)".
  public var description: String {
    "(" + (0..<count).map { "\(sign($0) > 0 ? "+" : "-")\(axis($0))" }.joined(separator: ", ") + ")"
  }
}

extension RestrictedOrbit: CustomStringConvertible {
  /// For example "orbit of the point 0, 4 points".
  public var description: String {
    "orbit of the point \(representative), \(points.count) point\(points.count == 1 ? "" : "s")"
  }
}

extension Induction: CustomStringConvertible {
  /// For example "induction to 8 points D4/[0], from 4".
  public var description: String { "induction to \(space), from \(embedding.count)" }
}

extension OrbitTower: CustomStringConvertible {
  /// For example "tower of 8 elements, [2, 2, 2]".
  public var description: String { "tower of \(representatives.count) elements, \(radices)" }
}
