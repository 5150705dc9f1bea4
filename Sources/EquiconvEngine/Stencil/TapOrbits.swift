// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvMemory

/// The reads of a stencil as orbits of a subgroup L of H, which make a layer a sum of correlations on L.
///
/// L is the lattice subgroup, or all of H for a kernel of one tap. It carries a read ω = (e, u), tap u of element e, to l·ω = (l·e, l·u), and an output point p to l·p. With
/// z_ω(x)[h] = f[c, h·e, x + h·u] and κ_ω(t) = ŵ[o,c,j(t·ω)] / |Stab ω|, j being the coefficients of p, the layer is
/// `y[o, l·p, x] = Σ_{c,ω} Σ_{t ∈ L} κ_ω(t) z_ω(x)[l·t]` for each l in L.
struct TapOrbits: Sendable {
  /// An output point and all that L carries it to.
  struct Output: Sendable {
    let point: Int
    /// The elements of L that leave the point where it is, by their places in `subgroup`.
    let stabilizer: [Int]
    /// Each point of the orbit with the place of the first element of L that reaches it.
    let turned: [(place: Int, point: Int)]
    /// The coefficient of ŵ of each read, −1 where the point does not read it.
    let coefficients: FixedArray<Int32>
  }

  /// L, ascending; the identity is the first.
  let subgroup: [Int]
  /// The taps of a kernel plane; tap u of element e is read e · taps + u.
  let taps: Int
  let outputs: [Output]
  /// The read that each element of L carries each orbit's first read to: [orbit][place].
  let members: FixedArray<Int32>
  /// The distinct stabilizers of the orbits' first reads, by places, and which of them each orbit has.
  let stabilizers: [[Int]]
  let stabilizerOfOrbit: FixedArray<Int32>

  var count: Int { stabilizerOfOrbit.count }

  /// - Parameters:
  ///   - stencil: Forward, or an adjoint.
  ///   - from, to: The fibers of what is read and of what is computed.
  /// - Throws: `outOfMemory`, `cancelled`.
  init(
    _ stencil: Stencil, group: PointGroup, geometry: Geometry, from: HomogeneousSpace, to: HomogeneousSpace
  ) throws(ConvolutionError) {
    let subgroup = StencilBuilder.carriers(group, from, to, taps: geometry.taps)
    let turns = TapTurns(group: group, geometry: geometry)
    let reads = from.count * turns.taps
    self.subgroup = subgroup
    taps = turns.taps
    outputs = try to.orbits(of: subgroup).map { points throws(ConvolutionError) in
      try Self.output(points[0], stencil, geometry, to, subgroup, reads: reads, taps: turns.taps)
    }
    var members = PlanTable<Int32>()
    var stabilizers: [[Int]] = []
    var stabilizerOfOrbit = PlanTable<Int32>()
    let isSeen = try PlanTable<Bool>(repeating: false, count: reads)
    for read in 0..<reads where !isSeen[read] {
      try Call.checkNotEnded()
      if !outputs.contains(where: { $0.coefficients[read] >= 0 }) { continue }
      var stabilizer: [Int] = []
      for (place, l) in subgroup.enumerated() {
        let element = from.act(l, read / turns.taps)
        let member = element * turns.taps + turns.tap(read % turns.taps, turnedBy: l)
        isSeen[member] = true
        if member == read { stabilizer.append(place) }
        try members.append(Int32(member))
      }
      let known = stabilizers.firstIndex(of: stabilizer)
      if known == nil { stabilizers.append(stabilizer) }
      try stabilizerOfOrbit.append(Int32(known ?? stabilizers.count - 1))
    }
    self.members = members.frozen()
    self.stabilizers = stabilizers
    self.stabilizerOfOrbit = stabilizerOfOrbit.frozen()
  }

  /// The read l·ω of an orbit, for the element of L at a place.
  @inline(__always)
  func member(_ orbit: Int, _ place: Int) -> Int { Int(members[orbit * subgroup.count + place]) }

  private static func output(
    _ point: Int, _ stencil: Stencil, _ geometry: Geometry, _ to: HomogeneousSpace, _ subgroup: [Int], reads: Int,
    taps: Int
  ) throws(ConvolutionError) -> Output {
    var stabilizer: [Int] = []
    var turned: [(place: Int, point: Int)] = []
    for (place, l) in subgroup.enumerated() {
      let target = to.act(l, point)
      if target == point { stabilizer.append(place) }
      if !turned.contains(where: { $0.point == target }) { turned.append((place, target)) }
    }
    let coefficients = try PlanTable<Int32>(repeating: -1, count: reads)
    for term in stencil.terms[point] {
      coefficients[term.element * taps + geometry.tap(of: term)] = Int32(term.coefficient)
    }
    return Output(point: point, stabilizer: stabilizer, turned: turned, coefficients: coefficients.frozen())
  }
}

extension Geometry {
  /// The row-major number of the tap that a term reads, forward or adjoint.
  func tap(of term: Stencil.Term) -> Int {
    let position = term.position
    let (z, y, x) = (tap(position.z, axis: 0), tap(position.y, axis: 1), tap(position.x, axis: 2))
    return (z * kernel.y + y) * kernel.x + x
  }
}
