// SPDX-License-Identifier: Apache-2.0

public import EquiconvBases
import EquiconvGroups
import _EquiconvMemory

/// For example `equiconv-group-basis/1 localized([0,1])`.
extension GroupBasis: TextForm {
  public static var textName: String { "equiconv-group-basis" }

  public func write(to text: inout TextWriter) throws(ConvolutionError) {
    switch self {
    case .full: try text.write("full")
    case .localized(let elements):
      try text.write("localized(")
      try text.write(elements)
      try text.write(")")
    case .bSpline(let degree, let centers, let scale):
      try text.write("bspline(\(degree),")
      try text.write(scale)
      try text.write(",")
      try text.write(centers)
      try text.write(")")
    }
  }

  public init(reading text: inout TextReader) throws(TextError) {
    let start = text
    switch text.word() {
    case "full": self = .full
    case "localized":
      try text.expect("(")
      self = .localized(try text.readIntegers(atMost: PointGroup.largestOrder))
      try text.expect(")")
    case "bspline":
      try text.expect("(")
      let degree = try text.readInteger()
      try text.expect(",")
      let scale = try text.readNumber()
      try text.expect(",")
      let centers = Array(try text.readNumbers(atMost: PointGroup.largestOrder))
      try text.expect(")")
      self = .bSpline(degree: degree, centers: centers, scale: scale)
    default: throw start.unexpected("the name of a basis on H")
    }
    let basis = self
    try made { () throws(BasisError) in try basis.validate() }
  }
}
