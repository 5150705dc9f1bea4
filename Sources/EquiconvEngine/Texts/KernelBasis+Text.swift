// SPDX-License-Identifier: Apache-2.0

public import EquiconvBases
import _EquiconvMemory

/// For example `equiconv-basis/1 bspline([5,5],3,1.0)`.
extension KernelBasis: TextForm {
  public static var textName: String { "equiconv-basis" }

  public func write(to text: inout TextWriter) throws(ConvolutionError) {
    switch self {
    case .pixel(let basis):
      try text.write("pixel(")
      try text.write(basis.extents)
      try text.write(",\(basis.interpolation.word))")
    case .bSpline(let basis): try basis.write(to: &text)
    case .circularHarmonics(let basis): try basis.write(to: &text)
    case .gaussianDerivatives(let basis):
      try text.write("gaussian_derivatives(")
      try text.write(basis.extents)
      try text.write(",\(basis.order),")
      try text.write(basis.sigma)
      try text.write(")")
    }
  }

  public init(reading text: inout TextReader) throws(TextError) {
    let start = text
    let name = text.word()
    switch name {
    case "pixel", "bspline", "atrous_bspline", "round_bspline", "bspline_at", "gaussian_derivatives":
      self = try Self.readOnGrid(name, &text, from: start)
    case "circular_harmonics", "harmonic_rings":
      self = .circularHarmonics(try CircularHarmonicBasis(name, reading: &text, from: start))
    default: throw start.unexpected("the name of a basis")
    }
    try text.expect(")")
  }

  /// Those that begin with the extents of a grid.
  private static func readOnGrid(
    _ name: String, _ text: inout TextReader, from start: TextReader
  ) throws(TextError) -> KernelBasis {
    try text.expect("(")
    let extents = try text.readIntegers(atMost: 3)
    try text.expect(",")
    if name == "pixel" {
      let interpolation = try text.choice(Interpolation.words)
      return .pixel(
        try made { () throws(BasisError) in
          try PixelBasis(extents: extents, interpolation: interpolation)
        })
    }
    let number = try text.readInteger()
    try text.expect(",")
    if name == "gaussian_derivatives" {
      let sigma = try text.readNumber()
      return .gaussianDerivatives(
        try made { () throws(BasisError) in
          try GaussianDerivativeBasis(dimension: extents.count, order: number, sigma: sigma, extents: extents)
        })
    }
    return .bSpline(try BSplineBasis(name, extents, degree: number, reading: &text, from: start))
  }
}

extension BSplineBasis {
  fileprivate func write(to text: inout TextWriter) throws(ConvolutionError) {
    let name =
      switch recipe {
      case .dense: "bspline"
      case .atrous: "atrous_bspline"
      case .round: "round_bspline"
      case .centers: "bspline_at"
      }
    try text.write("\(name)(")
    try text.write(extents)
    try text.write(",\(degree),")
    switch recipe {
    case .dense: try text.write(scale)
    case .atrous(let spacing): try text.write(spacing)
    case .round(nil): try text.write("default")
    case .round(let radius?): try text.write(radius)
    case .centers:
      try text.write(scale)
      try text.write(",")
      try text.write(centerNumbers)
    }
    try text.write(")")
  }

  fileprivate init(
    _ name: String, _ extents: [Int], degree: Int, reading text: inout TextReader, from start: TextReader
  ) throws(TextError) {
    if name == "round_bspline" {
      let radius = text.takesWord("default") ? nil : try text.readNumber()
      self = try made { () throws(BasisError) in
        try .round(extents: extents, degree: degree, radius: radius)
      }
      return
    }
    let number = try text.readNumber()
    if name == "bspline_at" {
      try text.expect(",")
      let centers = try text.readNumbers(atMost: 1 << 20)
      if extents.isEmpty || centers.count % extents.count != 0 {
        throw start.unexpected("\(extents.count) coordinates for each of the centers, not \(centers.count) numbers")
      }
      self = try made { () throws(BasisError) in
        try BSplineBasis(
          dimension: extents.count, degree: degree, copying: centers, scale: number, extents: extents)
      }
      return
    }
    self = try made { () throws(BasisError) in
      name == "bspline"
        ? try .dense(extents: extents, degree: degree, scale: number)
        : try .atrous(extents: extents, degree: degree, spacing: number)
    }
  }
}

extension CircularHarmonicBasis {
  fileprivate func write(to text: inout TextWriter) throws(ConvolutionError) {
    if case .standard(let highest) = recipe {
      return try text.write("circular_harmonics(\(extent),\(highest == .max ? "all" : "\(highest)"))")
    }
    try text.write("harmonic_rings(\(extent),")
    try text.write(sigma)
    try text.write(",")
    try text.write(radii)
    try text.write(",")
    try text.write(frequencies)
    try text.write(")")
  }

  fileprivate init(
    _ name: String, reading text: inout TextReader, from start: TextReader
  ) throws(TextError) {
    try text.expect("(")
    let extent = try text.readInteger()
    try text.expect(",")
    if name == "circular_harmonics" {
      let highest = text.takesWord("all") ? Int.max : try text.readInteger()
      self = try made { () throws(BasisError) in
        try .standard(extent: extent, highestFrequency: highest)
      }
      return
    }
    let sigma = try text.readNumber()
    try text.expect(",")
    let radii = Array(try text.readNumbers(atMost: 4096))
    try text.expect(",")
    let frequencies = try text.readIntegers(atMost: 4096)
    self = try made { () throws(BasisError) in
      try CircularHarmonicBasis(extent: extent, radii: radii, frequencies: frequencies, sigma: sigma)
    }
  }
}

extension Interpolation {
  static var words: [(word: String, value: Interpolation)] {
    [("bilinear", .bilinear), ("bicubic", .bicubic), ("bspline3", .bSpline3)]
  }

  var word: String {
    switch self {
    case .bilinear: "bilinear"
    case .bicubic: "bicubic"
    case .bSpline3: "bspline3"
    }
  }
}

/// What `make` gives.
func made<Basis>(_ make: () throws(BasisError) -> Basis) throws(TextError) -> Basis {
  do throws(BasisError) { return try make() } catch { throw .basis(error) }
}
