// SPDX-License-Identifier: Apache-2.0

public import EquiconvGroups
import _EquiconvMemory

/// For example `equiconv-group/1 cyclic(4)`.
extension PointGroup: TextForm {
  public static var textName: String { "equiconv-group" }

  public func write(to text: inout TextWriter) throws(ConvolutionError) {
    switch recipe {
    case .trivial(let d): try text.write("trivial(\(d))")
    case .reflection: try text.write("reflection")
    case .cyclic(let n): try text.write("cyclic(\(n))")
    case .dihedral(let n): try text.write("dihedral(\(n))")
    case .octahedral: try text.write("octahedral")
    case .fullOctahedral: try text.write("full_octahedral")
    case .tetrahedral: try text.write("tetrahedral")
    case .pyritohedral: try text.write("pyritohedral")
    case .icosahedral: try text.write("icosahedral")
    case .fullIcosahedral: try text.write("full_icosahedral")
    case .axialCyclic(let n, let axis): try text.write("axial_cyclic(\(n),\(axis))")
    case .axialDihedral(let n, let axis): try text.write("axial_dihedral(\(n),\(axis))")
    case .scaling(let dimension, let factors): try text.write("scaling", dimension, factors)
    case .similarity(let n, let factors): try text.write("similarity", n, factors)
    case .matrices(let dimension, let entries): try text.write("matrices", dimension, entries)
    }
  }

  public init(reading text: inout TextReader) throws(TextError) {
    let recipe = try Recipe(reading: &text)
    do throws(GroupError) { self = try PointGroup(recipe) } catch { throw .group(error) }
  }
}

extension PointGroup.Recipe {
  fileprivate init(reading text: inout TextReader) throws(TextError) {
    let start = text
    let name = text.word()
    switch name {
    case "reflection": self = .reflection
    case "octahedral": self = .octahedral
    case "full_octahedral": self = .fullOctahedral
    case "tetrahedral": self = .tetrahedral
    case "pyritohedral": self = .pyritohedral
    case "icosahedral": self = .icosahedral
    case "full_icosahedral": self = .fullIcosahedral
    default:
      guard let made = try Self.readCall(name, &text) else { throw start.unexpected("the name of a group") }
      self = made
    }
  }

  /// What comes behind the name of a group with arguments; nil for another name.
  private static func readCall(_ name: String, _ text: inout TextReader) throws(TextError) -> Self? {
    guard
      ["trivial", "cyclic", "dihedral", "axial_cyclic", "axial_dihedral", "scaling", "similarity", "matrices"]
        .contains(name)
    else { return nil }
    try text.expect("(")
    let n = try text.readInteger()
    let made: Self
    switch name {
    case "trivial": made = .trivial(n)
    case "cyclic": made = .cyclic(n)
    case "dihedral": made = .dihedral(n)
    case "axial_cyclic": made = .axialCyclic(n, try readAxis(&text))
    case "axial_dihedral": made = .axialDihedral(n, try readAxis(&text))
    case "scaling": made = .scaling(dimension: n, factors: try readFactors(&text))
    case "similarity": made = .similarity(n, factors: try readFactors(&text))
    default:
      try text.expect(",")
      made = .matrices(dimension: n, try text.readNumbers(atMost: 9 * PointGroup.largestOrder))
    }
    try text.expect(")")
    return made
  }

  private static func readAxis(_ text: inout TextReader) throws(TextError) -> PointGroup.Axis {
    try text.expect(",")
    return try text.choice([("x", .x), ("y", .y), ("z", .z)])
  }

  private static func readFactors(_ text: inout TextReader) throws(TextError) -> [Double] {
    try text.expect(",")
    return Array(try text.readNumbers(atMost: PointGroup.largestOrder))
  }
}

extension TextWriter {
  /// `name(n,[1.0,0.5])`.
  fileprivate mutating func write(
    _ name: String, _ n: Int, _ numbers: some Sequence<Double>
  ) throws(ConvolutionError) {
    try write("\(name)(\(n),")
    try write(numbers)
    try write(")")
  }
}
