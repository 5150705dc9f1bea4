// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups
import _EquiconvErrors
import _EquiconvMemory

/// Builds the stencil of the group convolution between signals on ℝᵈ × H/K and on ℝᵈ × H/K'.
///
/// `y[o,p,x] = Σ_{c,e,u} bank[o,p,c,e](u) f[c,e,x+u]` with, for the output point p = aK',
/// `bank[o,p,c,e](u) = mean over h in p of k[o,c](h⁻¹e, h⁻¹u) / |det h|`:
/// the mean is the projection onto the kernels that the stabilizer K' leaves unchanged, as the theorem requires
/// (Bekkers, ICLR 2020, Theorem 1). Points h⁻¹e that are not in a truncated set contribute nothing.
///
/// For a lattice element l, `bank[o,l·p,c,l·e](l·u) = bank[o,p,c,e](u)`: one bank for each orbit of output points under the
/// lattice subgroup, in which (e, u) and (e', u') have one coefficient where an element that leaves p in place carries one
/// to the other.
struct StencilBuilder {
  private let input: HomogeneousSpace
  private let output: HomogeneousSpace
  private let group: PointGroup
  private let sampler: KernelSampler
  private let turns: TapTurns
  /// The functions on input points that kernels are made of: (function, value) of each point.
  private let pointFunctions: FixedArray<FixedArray<SamplingOperator.Entry>>
  private let functionCount: Int
  /// The measure of each input point that sums over H are weighted by; 1 without quadrature.
  private let measures: [Double]
  /// The elements by which output points share banks.
  private let carriers: [Int]

  init(_ descriptor: ConvolutionDescriptor, geometry: Geometry, sampled: SampledKernel) throws(ConvolutionError) {
    group = descriptor.layer.group
    input = try descriptor.layer.input.fiber(of: group, .inputSpace)
    output = try descriptor.layer.output.fiber(of: group, .outputSpace)
    sampler = try KernelSampler(descriptor, geometry: geometry, sampled: sampled)
    turns = sampler.turns
    let layer = descriptor.layer
    functionCount = layer.groupBasis == .full ? input.count : try layer.functionCount()
    pointFunctions = try layer.pointFunctions(input, count: functionCount)
    measures = layer.measures(input)
    carriers = Self.carriers(group, input, output, taps: geometry.taps)
  }

  /// The subgroup of elements that carry taps to taps: the lattice subgroup, or all of a closed group if there is one tap.
  /// The identity alone if the subgroup leads out of a truncated set.
  static func carriers(
    _ group: PointGroup, _ input: HomogeneousSpace, _ output: HomogeneousSpace, taps: Int
  ) -> [Int] {
    if taps == 1 && group.isClosed && group.order <= mostCarriers { return Array(0..<group.order) }
    let lattice = group.latticeSubgroup
    if group.isClosed { return lattice }
    let isStable = lattice.allSatisfy { l in
      [input, output].allSatisfy { space in (0..<space.count).allSatisfy { space.act(l, $0) >= 0 } }
    }
    return isStable ? lattice : [0]
  }

  /// The largest orbit that `OrbitSum` adds up.
  private static let mostCarriers = 48

  func stencil() throws(ConvolutionError) -> Stencil {
    let orbits = output.orbits(of: carriers)
    let stabilizers = orbits.map { output.stabilizer(of: $0[0], in: carriers) }
    let sumsOrbits = stabilizers.contains { $0.count > 1 }
    var sampling = try SamplingOperator.Builder(columns: functionCount * sampler.basis.count)
    var scratch = RowScratch(places: try PlanTable(repeating: -1, count: sampling.columns))
    let terms = try PlanTable<FixedArray<Stencil.Term>>(repeating: FixedArray(), count: output.count)
    var banks = try PlanTable<Stencil.Bank>(capacity: orbits.count)
    for (points, stabilizer) in zip(orbits, stabilizers) {
      let first = sampling.rows
      let coefficients = try self.coefficients(of: points[0], stabilizer: stabilizer, &sampling, &scratch)
      let radices = try PlanTable<[Int]>(count: sumsOrbits ? coefficients.count : 0) { coefficients[$0].tower.radices }
      try banks.append(
        Stencil.Bank(coefficients: first..<sampling.rows, points: points, orbitRadices: radices.frozen()))
      for point in points {
        try Call.checkNotEnded()
        terms[point] = try self.terms(of: point, turnedFrom: points[0], coefficients, first: first)
      }
    }
    let finished = sampling.finished()
    return Stencil(
      inputElements: input.count, outputElements: output.count, terms: terms.frozen(), banks: banks.frozen(),
      sampling: finished.isIdentity ? nil : finished)
  }

  /// Scratch in which a row is assembled.
  private struct RowScratch: ~Copyable {
    var sampler = KernelSampler.Scratch()
    var row = PlanTable<SamplingOperator.Entry>()
    /// The place of each of the user's weights in the row; −1 for those that are not in it.
    let places: PlanTable<Int32>

    init(places: consuming PlanTable<Int32>) { self.places = places }
  }

  /// One coefficient of a bank: the first (e, u) of its orbit, and the elements that reach the others.
  private struct Coefficient {
    let element: Int
    let tap: Int
    let tower: OrbitTower
  }

  /// The coefficients of the bank of one point, in order of (e, u), and their rows of the sampling operator.
  private func coefficients(
    of point: Int, stabilizer: [Int], _ sampling: inout SamplingOperator.Builder, _ scratch: inout RowScratch
  ) throws(ConvolutionError) -> FixedArray<Coefficient> {
    let members = output.members(of: point)
    let seen = try PlanTable<Bool>(repeating: false, count: input.count * turns.taps)
    var towers: [[Int]: OrbitTower] = [:]
    var coefficients = PlanTable<Coefficient>()
    for element in 0..<input.count {
      for tap in 0..<turns.taps where !seen[element * turns.taps + tap] {
        try Call.checkNotEnded()
        let fixing = stabilizer.filter { input.act($0, element) == element && turns.tap(tap, turnedBy: $0) == tap }
        let tower = if let known = towers[fixing] { known } else { try self.tower(fixing, in: stabilizer) }
        towers[fixing] = tower
        for l in tower.representatives {
          seen[input.act(l, element) * turns.taps + turns.tap(tap, turnedBy: l)] = true
        }
        try findRow(members, element, tap, &scratch)
        if scratch.row.count == 0 { continue }
        try sampling.append(scratch.row.elements, dividedBy: members.count)
        try coefficients.append(Coefficient(element: element, tap: tap, tower: tower))
      }
    }
    return coefficients.frozen()
  }

  /// Σ over h in the point of k(h⁻¹e, h⁻¹u) / |det h|, in the user's weights.
  private func findRow(
    _ members: [Int], _ element: Int, _ tap: Int, _ scratch: inout RowScratch
  ) throws(ConvolutionError) {
    scratch.row.removeAll()
    for h in members {
      guard let relative = input.relative(h, element) else { continue }
      try sampler.sample(h, tap: tap, into: &scratch.sampler)
      for function in pointFunctions[relative] {
        for entry in scratch.sampler.entries.elements {
          let weight = function.weight * sampler.basis.count + entry.weight
          let value = function.value * entry.value * measures[element]
          let place = Int(scratch.places[weight])
          if place >= 0 {
            scratch.row[place].value += value
          } else {
            scratch.places[weight] = Int32(scratch.row.count)
            try scratch.row.append(.init(weight: weight, value: value))
          }
        }
      }
    }
    for entry in scratch.row.elements { scratch.places[entry.weight] = -1 }
  }

  /// What the point l·p reads, p being the first of its bank: the reads of p, turned by l.
  private func terms(
    of point: Int, turnedFrom origin: Int, _ coefficients: FixedArray<Coefficient>, first: Int
  ) throws(ConvolutionError) -> FixedArray<Stencil.Term> {
    guard let l = carriers.first(where: { output.act($0, origin) == point }) else { return FixedArray() }
    var terms = try PlanTable<Stencil.Term>(capacity: coefficients.reduce(0) { $0 + $1.tower.representatives.count })
    for (number, coefficient) in coefficients.enumerated() {
      for r in coefficient.tower.representatives {
        let turn = group.product(l, r)
        try terms.append(
          Stencil.Term(
            coefficient: first + number, element: input.act(turn, coefficient.element),
            position: turns.position(of: coefficient.tap, turnedBy: turn)))
      }
    }
    return terms.frozen()
  }

  private func tower(_ stabilizer: [Int], in subgroup: [Int]) throws(ConvolutionError) -> OrbitTower {
    do throws(GroupError) {
      return try group.orbitTower(stabilizer: stabilizer, in: subgroup)
    } catch {
      throw ConvolutionError(
        .unsupportedGroup, .group, group.name, expected: "a group whose stabilizers are subgroups")
    }
  }
}

extension Layer {
  /// These functions at each point, where they are not 0. Relative points d = h⁻¹e index them.
  func pointFunctions(
    _ input: HomogeneousSpace, count: Int
  ) throws(ConvolutionError) -> FixedArray<FixedArray<SamplingOperator.Entry>> {
    try PlanTable<SamplingOperator.Entry>.grouped(input.count) { give in
      if groupBasis == .full { return (0..<count).forEach { give($0, .init(weight: $0, value: 1)) } }
      for point in 0..<input.count {
        for function in 0..<count {
          let value = groupBasis.value(element: point, function: function, order: group.order)
          if value != 0 { give(point, .init(weight: function, value: value)) }
        }
      }
    }
  }

  /// The measure of each input point: with quadrature ∫ over H is Σ over its points, each times its share of the measure.
  func measures(_ input: HomogeneousSpace) -> [Double] {
    // A signal on the plane is not summed over H.
    guard usesQuadrature, input.count > 1 else { return [Double](repeating: 1, count: input.count) }
    return (0..<input.count).map { point in
      input.members(of: point).reduce(0) { $0 + group.quadratureWeights[$1] }
    }
  }
}
