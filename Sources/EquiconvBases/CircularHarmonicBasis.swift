// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory
import _EquiconvPlatform

/// Circular harmonics on Gaussian rings, the steerable and band-limited kernels of the plane:
/// B = ψ_{r,m}(|u|) cos(mφ) and ψ_{r,m}(|u|) sin(mφ), where u = |u| (cos φ, sin φ).
///
/// The profile of the ring of radius r is, with the modified Bessel functions Ĩ_m(x) = e⁻ˣ I_m(x),
///
///     ψ_{r,m}(ρ) = exp(−(ρ−r)² / 2σ²) · Ĩ_m(ρr/σ²) / Ĩ_m(r²/σ²).
///
/// It is 1 at ρ = r. The second factor varies slowly except near the origin, and makes B the harmonic cos(mφ) on the
/// circle of radius r, blurred by a Gaussian of width σ: smooth everywhere, also at the origin, where a Gaussian ring
/// alone has a kink, and with a spectrum that falls like exp(−σ²|ω|²/2).
///
/// Which frequencies a ring may carry: a harmonic m has m periods on a circumference of 2πr taps, so taps cannot tell
/// frequencies above πr apart, and ⌊πr⌋ is the limit. `standard` keeps a distance from it with m ≤ 2r, the default of
/// escnn inside the grid. A ring of radius 0 carries m = 0 only.
///
/// The order of functions is frozen: rings in the order given, for each ring m = 0, then cos(1φ), sin(1φ), cos(2φ),
/// sin(2φ), … A rotation R by θ mixes the two functions of each m among each other, exactly:
///
///     B_cos(R⁻¹u) = cos(mθ) B_cos(u) + sin(mθ) B_sin(u)
///     B_sin(R⁻¹u) = cos(mθ) B_sin(u) − sin(mθ) B_cos(u)
///
/// Source: Weiler, Hamprecht and Storath, "Learning steerable filters for rotation equivariant CNNs", 2018, section 3;
/// Weiler and Cesa, "General E(2)-equivariant steerable CNNs", 2019.
public struct CircularHarmonicBasis: Hashable, Sendable {
  /// The largest radius of a ring.
  public static let largestRadius = 64.0

  /// The width σ that `standard` chooses: rings one tap apart overlap smoothly, and taps resolve them.
  public static let standardSigma = 0.65

  /// The taps k of the square grid.
  public let extent: Int

  /// The radius r of each ring, in taps.
  public let radii: [Double]

  /// The highest frequency m on each ring.
  public let frequencies: [Int]

  /// The width σ of the rings, in taps.
  public let sigma: Double

  /// Ĩ_m(r²/σ²) for each ring and each m.
  private let besselsAtRadius: [[Double]]

  /// Which function made it.
  package private(set) var recipe = Recipe.rings

  /// Harmonics on any rings.
  ///
  /// Functions decay like a Gaussian away from their ring and are not cut off. The further a kernel has decayed at the
  /// edge of the grid, the more equivariant it is under rotations other than quarter turns: leave one tap outside the
  /// outermost ring, as `standard` does.
  ///
  /// - Parameters:
  ///   - extent: The taps k of the square grid, odd or even.
  ///   - radii: The radius of each ring, `0...64`.
  ///   - frequencies: The highest frequency on each ring, from 0 to `highestFrequency(radius:)`.
  ///   - sigma: The width of the rings, `0.25...4`.
  /// - Throws: `BasisError` naming the argument.
  public init(
    extent: Int, radii: [Double], frequencies: [Int], sigma: Double = standardSigma
  ) throws(BasisError) {
    try check(extent, in: 1...largestExtent, .extent)
    try check(sigma, in: 0.25...4, .sigma)
    guard !radii.isEmpty else { throw .wrongCount(.radii, count: 0, expected: "one radius or more") }
    guard frequencies.count == radii.count else {
      throw .wrongCount(
        .frequencies, count: frequencies.count, expected: "one for each of \(radii.count) radii")
    }
    for (ring, radius) in radii.enumerated() {
      try check(radius, in: 0...Self.largestRadius, .radii[ring])
      try check(
        frequencies[ring], in: 0...Self.highestFrequency(radius: radius), .frequencies[ring])
    }
    self.extent = extent
    self.radii = radii
    self.frequencies = frequencies
    self.sigma = sigma
    besselsAtRadius = zip(radii, frequencies).map { scaledBessels($0 * $0 / (sigma * sigma), highest: $1) }
  }

  /// Harmonics that a k × k grid resolves and holds.
  ///
  /// Rings are one tap apart, the outermost of radius (k−3)/2, or (k−1)/2 for k ≤ 3, the innermost 0 for odd k and ½
  /// for even k. The ring of radius r carries the frequencies up to 2r. For k = 3, 5, 7, 9 that makes 6, 6, 15, 28
  /// functions.
  ///
  /// - Parameters:
  ///   - extent: The taps k, `1...128`.
  ///   - highestFrequency: A limit for all rings, 0 or more; 0 gives isotropic kernels.
  /// - Throws: `BasisError` naming the argument.
  public static func standard(extent: Int, highestFrequency: Int = .max) throws(BasisError) -> CircularHarmonicBasis {
    try check(extent, in: 1...128, .extent)
    guard highestFrequency >= 0 else {
      throw .invalidInteger(.highestFrequency, value: highestFrequency, expected: "0 or more")
    }
    let outermost = extent > 3 ? extent - 3 : extent - 1
    let diameters = Array(stride(from: outermost % 2, through: outermost, by: 2))
    var basis = try CircularHarmonicBasis(
      extent: extent, radii: diameters.map { Double($0) / 2 },
      frequencies: diameters.map { min($0, highestFrequency) })
    basis.recipe = .standard(highestFrequency: highestFrequency)
    return basis
  }

  /// The highest frequency that a ring may carry: ⌊πr⌋.
  ///
  /// - Precondition: `radius` is in `0...largestRadius`.
  public static func highestFrequency(radius: Double) -> Int {
    precondition(0 <= radius && radius <= largestRadius, "radius is outside 0...largestRadius")
    return Int(Double.pi * radius)
  }
}

extension CircularHarmonicBasis {
  /// Which function made a basis.
  ///
  /// Always equal: bases compare the numbers that follow from it.
  package enum Recipe: Hashable, Sendable {
    case standard(highestFrequency: Int)
    case rings

    package static func == (_: Recipe, _: Recipe) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
  }
}

extension CircularHarmonicBasis: BasisFamily {
  /// 2.
  public var dimension: Int { 2 }

  /// One function for m = 0 and two for every other m, on each ring.
  public var count: Int { frequencies.reduce(0) { $0 + 2 * $1 + 1 } }

  /// [k, k].
  public var extents: [Int] { [extent, extent] }

  /// [J].
  public var shape: [Int] { [count] }

  func find(at u: UnsafePointer<Double>, into found: inout LocalValues) throws(BasisError) {
    found.removeAll()
    let radius = (u[0] * u[0] + u[1] * u[1]).squareRoot()
    // At the origin only m = 0 differs from 0, which has no direction; at infinity no function does.
    let direction = radius > 0 && radius.isFinite ? (x: u[0] / radius, y: u[1] / radius) : (x: 1, y: 0)
    for ring in radii.indices {
      var (cosine, sine) = (1.0, 0.0)
      for (m, profile) in profiles(ring: ring, at: radius).enumerated() {
        try found.append(LocalValue(function: found.count, value: profile * cosine))
        if m > 0 { try found.append(LocalValue(function: found.count, value: profile * sine)) }
        (cosine, sine) = (cosine * direction.x - sine * direction.y, sine * direction.x + cosine * direction.y)
      }
    }
  }

  /// ψ_{r,m}(ρ) for all m of a ring.
  private func profiles(ring: Int, at radius: Double) -> [Double] {
    let distance = (radius - radii[ring]) / sigma
    // Beyond this, ψ is below 10⁻²⁰⁰; distances that are not finite end here too.
    guard abs(distance) < 38 else { return [Double](repeating: 0, count: frequencies[ring] + 1) }
    let gaussian = exp(-distance * distance / 2)
    let bessels = scaledBessels(radius * radii[ring] / (sigma * sigma), highest: frequencies[ring])
    return zip(bessels, besselsAtRadius[ring]).map { gaussian * $0 / $1 }
  }
}

/// e⁻ˣ I_m(x) for m = 0 … M and x ≥ 0.
///
/// The ratios q_m = I_m / I_{m−1} follow downwards from q_m = x / (2m + x q_{m+1}), where all terms are positive, so no
/// digit is lost; I₀ follows from eˣ = I₀ + 2 Σ I_m. Source: Gautschi, "Computational aspects of three-term recurrence
/// relations", 1967.
/// - Complexity: O(M + √x).
func scaledBessels(_ x: Double, highest: Int) -> [Double] {
  // From order M + 9√x + 20 on, I_m is below 10⁻¹⁷ of I_M or of the sum.
  let start = highest + 20 + Int(9 * x.squareRoot())
  var (ratio, sum) = (0.0, 0.0)
  var ratios = [Double](repeating: 0, count: highest + 1)
  for m in stride(from: start, to: 0, by: -1) {
    ratio = x / (2 * Double(m) + x * ratio)
    // Σ_{n ≥ m} I_n / I_{m−1}
    sum = ratio * (1 + sum)
    if m <= highest { ratios[m] = ratio }
  }
  var bessel = 1 / (1 + 2 * sum)
  return ratios.enumerated().map { m, ratio in
    if m > 0 { bessel *= ratio }
    return bessel
  }
}
