// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups

/// What each output element reads: the group convolution as one weight matrix and turned reads.
///
/// With x' = x + h·v and h' = h·d the definition becomes
/// `y[o,h,x] = Σ_{c,(d,v)} ŵ[o,c,(d,v)] f[c, h·d, x + h·v]`: every h has the same weights ŵ, in the same order.
/// For a plane output k̄ takes one value on each orbit of (h', u) under H, so there
/// `y[o,x] = Σ_{c,j} ŵ[o,c,j] Σ_{(h',u) in orbit j} f[c, h', x + u]`, and the inner sum is an `OrbitSum`.
struct Stencil: Sendable {
  /// One read: coefficient of ŵ, element of the input, and position on the padded grid relative to the output's.
  struct Term: Sendable, Hashable {
    var coefficient: Int
    var element: Int
    /// In 0..<reach on each axis for the forward stencil, its negative for the adjoint.
    var position: Box
  }

  /// |X| and |Y|: 1 for a plane signal, |H| for a group signal.
  let inputElements: Int
  let outputElements: Int
  /// Coefficients of ŵ for each pair of channels.
  let coefficients: Int
  /// Terms of each output element, in the canonical order of the coefficients.
  let terms: [[Term]]
  /// For orbit layers: the radices of each coefficient's orbit; its terms are consecutive. Empty for single reads.
  let orbitRadices: [[Int]]
  /// The user's weights whose mean is each coefficient; `nil` where ŵ is the user's weight itself.
  let averages: [[Int]]?

  /// The stencil of input gradients: each read becomes a write back, sorted by coefficient.
  ///
  /// `∂f[c,e,x'] = Σ ŵ[o,c,j] g[o,y,x'−t]` over all forward terms (j, e, t) of all y.
  var adjoint: Stencil {
    var adjoint = [[Term]](repeating: [], count: inputElements)
    for (output, outputTerms) in terms.enumerated() {
      for term in outputTerms {
        adjoint[term.element].append(
          Term(coefficient: term.coefficient, element: output, position: term.position.map { -$0 }))
      }
    }
    for element in adjoint.indices { adjoint[element].sort { $0.coefficient < $1.coefficient } }
    return Stencil(
      inputElements: outputElements, outputElements: inputElements, coefficients: coefficients, terms: adjoint,
      orbitRadices: [], averages: averages)
  }
}

extension Stencil {
  init(layer: Layer, group: PointGroup, geometry: Geometry) throws(ConvolutionError) {
    let turns = TapTurns(group: group, geometry: geometry)
    switch layer {
    case .lifting: self.init(liftingWith: turns)
    case .group: self.init(groupConvolutionWith: turns)
    case .projection: try self.init(projectionWith: turns)
    case .isotropic: try self.init(isotropicWith: turns)
    }
  }

  /// h reads the tap v at h·v.
  private init(liftingWith turns: TapTurns) {
    let terms = (0..<turns.group.order).map { h in
      (0..<turns.taps).map { v in Term(coefficient: v, element: 0, position: turns.position(of: v, turnedBy: h)) }
    }
    self.init(
      inputElements: 1, outputElements: turns.group.order, coefficients: turns.taps, terms: terms, orbitRadices: [],
      averages: nil)
  }

  /// h reads the coefficient (d, v) of the plane h·d at h·v.
  private init(groupConvolutionWith turns: TapTurns) {
    let group = turns.group
    let terms = (0..<group.order).map { h in
      (0..<group.order).flatMap { d in
        (0..<turns.taps).map { v in
          Term(
            coefficient: d * turns.taps + v, element: group.product(h, d),
            position: turns.position(of: v, turnedBy: h))
        }
      }
    }
    self.init(
      inputElements: group.order, outputElements: group.order, coefficients: group.order * turns.taps, terms: terms,
      orbitRadices: [], averages: nil)
  }

  /// H acts freely on (h', u): the orbit of (e, v) is all (h, h·v), and ŵ(v) is the mean of k(h⁻¹, h⁻¹·v).
  private init(projectionWith turns: TapTurns) throws(ConvolutionError) {
    let group = turns.group
    let tower = try Self.tower(group, stabilizer: [0])
    let terms = (0..<turns.taps).flatMap { v in
      tower.representatives.map { h in
        Term(coefficient: v, element: h, position: turns.position(of: v, turnedBy: h))
      }
    }
    let averages = (0..<turns.taps).map { v in
      (0..<group.order).map { h in h * turns.taps + turns.tap(v, turnedBy: h) }
    }
    self.init(
      inputElements: group.order, outputElements: 1, coefficients: turns.taps, terms: [terms],
      orbitRadices: [[Int]](repeating: tower.radices, count: turns.taps), averages: averages)
  }

  /// The orbit of the tap v is H/S for its stabilizer S, and ŵ is the mean of k over the orbit.
  private init(isotropicWith turns: TapTurns) throws(ConvolutionError) {
    let group = turns.group
    var seen = [Bool](repeating: false, count: turns.taps)
    var terms: [Term] = []
    var radices: [[Int]] = []
    var averages: [[Int]] = []
    var towers: [[Int]: OrbitTower] = [:]
    for v in 0..<turns.taps where !seen[v] {
      let stabilizer = (0..<group.order).filter { turns.tap(v, turnedBy: $0) == v }
      let tower = if let known = towers[stabilizer] { known } else { try Self.tower(group, stabilizer: stabilizer) }
      towers[stabilizer] = tower
      let orbit = tower.representatives.map { turns.tap(v, turnedBy: $0) }
      for (tap, h) in zip(orbit, tower.representatives) {
        seen[tap] = true
        terms.append(
          Term(coefficient: radices.count, element: 0, position: turns.position(of: v, turnedBy: h)))
      }
      radices.append(tower.radices)
      averages.append(orbit)
    }
    self.init(
      inputElements: 1, outputElements: 1, coefficients: radices.count, terms: [terms], orbitRadices: radices,
      averages: averages)
  }

  private static func tower(_ group: PointGroup, stabilizer: [Int]) throws(ConvolutionError) -> OrbitTower {
    do {
      return try group.orbitTower(stabilizer: stabilizer)
    } catch {
      throw ConvolutionError(
        .unsupportedGroup, "group", group.name, expected: "a group whose stabilizers are subgroups")
    }
  }
}

/// How H permutes the taps of a kernel about its centre.
struct TapTurns {
  let group: PointGroup
  let taps: Int
  private let dilation: Box
  private let kernel: Box
  private let dimension: Int

  init(group: PointGroup, geometry: Geometry) {
    self.group = group
    taps = geometry.taps
    kernel = geometry.kernel
    dilation = geometry.dilation
    dimension = group.dimension
  }

  /// Where the tap `v` (row-major index) lands under `h`: dilated grid positions, 0..<reach on each axis.
  func position(of v: Int, turnedBy h: Int) -> Box {
    let turned = self.turned(v, by: h)
    return Box(z: turned.z * dilation.z, y: turned.y * dilation.y, x: turned.x * dilation.x)
  }

  /// The row-major index of h·v.
  func tap(_ v: Int, turnedBy h: Int) -> Int {
    let turned = self.turned(v, by: h)
    return (turned.z * kernel.y + turned.y) * kernel.x + turned.x
  }

  private func turned(_ v: Int, by h: Int) -> Box {
    let tap = Box(z: v / (kernel.y * kernel.x), y: v / kernel.x % kernel.y, x: v % kernel.x)
    guard let action = group.axisAction(h) else { return tap }
    var turned = tap
    let first = 3 - dimension
    for axis in 0..<dimension {
      // Twice the coordinate about the centre, so that even kernels, centred between taps, stay integral.
      let source = first + action.axis(axis)
      let coordinate = action.sign(axis) * (2 * tap[source] - (kernel[source] - 1))
      turned[first + axis] = (coordinate + kernel[first + axis] - 1) / 2
    }
    return turned
  }
}
