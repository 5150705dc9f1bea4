// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups

/// Builds the stencil of the group convolution between signals on ℝᵈ × H/K and on ℝᵈ × H/K'.
///
/// `y[o,p,x] = Σ_{c,e,u} bank[o,p,c,e](u) f[c,e,x+u]` with, for the output point p = aK',
/// `bank[o,p,c,e](u) = mean over h in p of k[o,c](h⁻¹e, h⁻¹u) / |det h|`:
/// the mean is the projection on the kernels that the stabilizer K' leaves as they are, which the theorem asks for
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
  private let pointFunctions: [[SamplingOperator.Entry]]
  private let functionCount: Int
  /// The measure of each input point that sums over H are weighted by; 1 without quadrature.
  private let measures: [Double]
  /// The lattice elements by which output points share banks.
  private let lattice: [Int]

  init(_ descriptor: ConvolutionDescriptor, geometry: Geometry, sampled: SampledKernel) throws(ConvolutionError) {
    group = descriptor.group
    input = try descriptor.input.fiber(of: group, "input_stabilizer")
    output = try descriptor.output.fiber(of: group, "output_stabilizer")
    sampler = try KernelSampler(descriptor, geometry: geometry, sampled: sampled)
    turns = sampler.turns
    (pointFunctions, functionCount) = try descriptor.pointFunctions(input)
    measures = descriptor.measures(input)
    lattice = Self.lattice(group, input, output)
  }

  /// The lattice subgroup, or the identity alone where that leads out of a truncated set.
  private static func lattice(_ group: PointGroup, _ input: HomogeneousSpace, _ output: HomogeneousSpace) -> [Int] {
    let lattice = group.latticeSubgroup
    if group.isClosed { return lattice }
    let isStable = lattice.allSatisfy { l in
      [input, output].allSatisfy { space in (0..<space.count).allSatisfy { space.act(l, $0) >= 0 } }
    }
    return isStable ? lattice : [0]
  }

  func stencil() throws(ConvolutionError) -> Stencil {
    let orbits = output.orbits(of: lattice)
    let stabilizers = orbits.map { output.stabilizer(of: $0[0], in: lattice) }
    let sumsOrbits = stabilizers.contains { $0.count > 1 }
    var sampling = SamplingOperator(columns: functionCount * sampler.basis.count)
    var terms = [[Stencil.Term]](repeating: [], count: output.count)
    var banks: [Stencil.Bank] = []
    for (points, stabilizer) in zip(orbits, stabilizers) {
      let first = sampling.rows
      let coefficients = try self.coefficients(of: points[0], stabilizer: stabilizer, &sampling)
      banks.append(
        Stencil.Bank(
          coefficients: first..<sampling.rows, points: points,
          orbitRadices: sumsOrbits ? coefficients.map(\.tower.radices) : []))
      for point in points {
        try Call.checkNotEnded()
        terms[point] = self.terms(of: point, turnedFrom: points[0], coefficients, first: first)
      }
    }
    return Stencil(
      inputElements: input.count, outputElements: output.count, terms: terms, banks: banks,
      sampling: sampling.isIdentity ? nil : sampling)
  }

  /// One coefficient of a bank: the first (e, u) of its orbit, and the elements that reach the others.
  private struct Coefficient {
    let element: Int
    let tap: Int
    let tower: OrbitTower
  }

  /// The coefficients of the bank of one point, in order of (e, u), and their rows of the sampling operator.
  private func coefficients(
    of point: Int, stabilizer: [Int], _ sampling: inout SamplingOperator
  ) throws(ConvolutionError) -> [Coefficient] {
    let members = output.members(of: point)
    var seen = [Bool](repeating: false, count: input.count * turns.taps)
    var towers: [[Int]: OrbitTower] = [:]
    var coefficients: [Coefficient] = []
    for element in 0..<input.count {
      for tap in 0..<turns.taps where !seen[element * turns.taps + tap] {
        try Call.checkNotEnded()
        let fixing = stabilizer.filter { input.act($0, element) == element && turns.tap(tap, turnedBy: $0) == tap }
        let tower = if let known = towers[fixing] { known } else { try self.tower(fixing, in: stabilizer) }
        towers[fixing] = tower
        for l in tower.representatives {
          seen[input.act(l, element) * turns.taps + turns.tap(tap, turnedBy: l)] = true
        }
        let row = self.row(members, element, tap)
        if row.isEmpty { continue }
        sampling.append(row, dividedBy: members.count)
        coefficients.append(Coefficient(element: element, tap: tap, tower: tower))
      }
    }
    return coefficients
  }

  /// Σ over h in the point of k(h⁻¹e, h⁻¹u) / |det h|, in the user's weights.
  private func row(_ members: [Int], _ element: Int, _ tap: Int) -> [SamplingOperator.Entry] {
    var row: [SamplingOperator.Entry] = []
    /// Where each weight stands in the row.
    var places: [Int: Int] = [:]
    for h in members {
      guard let relative = input.relative(h, element), let values = sampler.row(h, tap: tap) else { continue }
      for function in pointFunctions[relative] {
        for entry in values {
          let weight = function.weight * sampler.basis.count + entry.weight
          let value = function.value * entry.value * measures[element]
          if let place = places[weight] {
            row[place].value += value
          } else {
            places[weight] = row.count
            row.append(.init(weight: weight, value: value))
          }
        }
      }
    }
    return row
  }

  /// What the point l·p reads, p being the first of its bank: the reads of p, turned by l.
  private func terms(
    of point: Int, turnedFrom origin: Int, _ coefficients: [Coefficient], first: Int
  ) -> [Stencil.Term] {
    guard let l = lattice.first(where: { output.act($0, origin) == point }) else { return [] }
    return coefficients.enumerated().flatMap { number, coefficient in
      coefficient.tower.representatives.map { r in
        let turn = group.product(l, r)
        return Stencil.Term(
          coefficient: first + number, element: input.act(turn, coefficient.element),
          position: turns.position(of: coefficient.tap, turnedBy: turn))
      }
    }
  }

  private func tower(_ stabilizer: [Int], in subgroup: [Int]) throws(ConvolutionError) -> OrbitTower {
    do throws(GroupError) {
      return try group.orbitTower(stabilizer: stabilizer, in: subgroup)
    } catch {
      throw ConvolutionError(
        .unsupportedGroup, "group", group.name, expected: "a group whose stabilizers are subgroups")
    }
  }
}

extension ConvolutionDescriptor {
  /// The functions on the points of the input's fiber that kernels are made of, at each point, and how many there are.
  ///
  /// Relative points d = h⁻¹e index them.
  func pointFunctions(_ input: HomogeneousSpace) throws(ConvolutionError) -> ([[SamplingOperator.Entry]], Int) {
    guard groupBasis != .full else {
      return ((0..<input.count).map { [.init(weight: $0, value: 1)] }, input.count)
    }
    guard self.input.normalized(group) == .group else {
      throw ConvolutionError(
        .invalidBasis, "group_basis", "\(groupBasis)", expected: "full, unless the input is a signal on the group")
    }
    do throws(BasisError) {
      let matrix = try groupBasis.matrix(for: group)
      let functions = matrix.map { row in
        row.enumerated().filter { $0.element != 0 }.map { SamplingOperator.Entry(weight: $0.offset, value: $0.element) }
      }
      return (functions, matrix.first?.count ?? 0)
    } catch {
      throw ConvolutionError(.invalidBasis, "group_basis", "\(groupBasis)", expected: "a basis on H: \(error)")
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
