// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvErrors
import _EquiconvMemory

/// A layer of stride 1 in the plane, or its input gradient, as the algorithms on tiles see it: correlations of planes.
///
/// `y[o,p,x] = Σ_{c,e,t} kernel_p[o,c,e](t) f[c,e, x + origin + t]`, where kernel_p is ŵ laid out by the terms of p.
struct PlaneCorrelation: Sendable {
  /// |X| and |Y|: planes of one channel that are read and written.
  let sourceElements: Int
  let targetElements: Int
  /// Sizes of a plane that is read and of one that is written; z is 1.
  let source: Box
  let target: Box
  /// The source coordinate that tap 0 of output 0 reads.
  let origin: Box
  /// Extents of the taps, dilation included.
  let reach: Box
  let isCircular: Bool
  /// Coefficients of ŵ for each pair of channels.
  let coefficients: Int
  /// The terms of each target element, positions in 0 ..< reach. Those of one (element, position) are one.
  let terms: FixedArray<FixedArray<Stencil.Term>>
  /// Elements of the target whose kernels are one kernel turned about a pixel; each is in one bank.
  let banks: [Bank]
  /// The banks of kernels that are turned about their true center, between pixels for even ones. In each, the lattice
  /// elements carry the representative to one target each, in one order. Empty where they do not, as on the plane, where
  /// they leave the target in place.
  let orbits: [Bank]

  /// Target elements whose kernels are that of the first, turned by lattice elements.
  struct Bank: Sendable {
    var turns: [Turn]
    var representative: Int { turns[0].target }
  }

  /// kernel_target[o,c, l·e](l·u) = kernel_representative[o,c,e](u), u about a center of the kernel.
  struct Turn: Sendable {
    /// l·p, p being the representative.
    var target: Int
    /// l·e for each source element e.
    var sources: [Int]
    /// (l·u)[a] = signs[a] · u[axes[a]], for the axes 0 (rows) and 1 (columns).
    var axes: [Int]
    var signs: [Int]

    /// The element that leaves everything where it is.
    static func identity(_ target: Int, sources: Int) -> Turn {
      Turn(target: target, sources: Array(0..<sources), axes: [0, 1], signs: [1, 1])
    }
  }

  /// The forward pass of a layer that is covered.
  /// - Throws: `outOfMemory`.
  static func forward(_ plan: ConvolutionPlan) throws(ConvolutionError) -> PlaneCorrelation {
    let (descriptor, geometry) = (plan.descriptor, plan.geometry)
    return try PlaneCorrelation(
      terms: plan.stencil.terms, plan,
      from: try descriptor.layer.input.fiber(of: descriptor.layer.group, .inputSpace),
      to: try descriptor.layer.output.fiber(of: descriptor.layer.group, .outputSpace), source: geometry.input,
      target: geometry.output, origin: geometry.padding.map { -$0 })
  }

  /// The input gradient of a layer that is covered: `∂f[x'] = Σ_t ŵ(t) g[x' + padding − t]`.
  /// - Throws: `outOfMemory`.
  static func adjoint(_ plan: ConvolutionPlan) throws(ConvolutionError) -> PlaneCorrelation {
    let (descriptor, geometry) = (plan.descriptor, plan.geometry)
    let last = geometry.reach.map { $0 - 1 }
    var origin = geometry.padding
    for axis in 0..<3 { origin[axis] -= last[axis] }
    let adjoint = try plan.stencil.adjoint().terms
    let terms = try PlanTable<Stencil.Term>.grouped(adjoint.count) { give in
      for (element, terms) in adjoint.enumerated() {
        for term in terms {
          var term = term
          for axis in 0..<3 { term.position[axis] += last[axis] }
          give(element, term)
        }
      }
    }
    return try PlaneCorrelation(
      terms: terms, plan, from: try descriptor.layer.output.fiber(of: descriptor.layer.group, .outputSpace),
      to: try descriptor.layer.input.fiber(of: descriptor.layer.group, .inputSpace), source: geometry.output,
      target: geometry.input, origin: origin)
  }

  private init(
    terms: FixedArray<FixedArray<Stencil.Term>>, _ plan: ConvolutionPlan, from: HomogeneousSpace,
    to: HomogeneousSpace, source: Box, target: Box, origin: Box
  ) throws(ConvolutionError) {
    sourceElements = from.count
    targetElements = to.count
    self.source = source
    self.target = target
    self.origin = origin
    reach = plan.geometry.reach
    isCircular = plan.descriptor.layer.paddingMode == .circular
    coefficients = plan.stencil.coefficients
    self.terms = terms
    let group = plan.descriptor.layer.group
    banks = try Self.banks(terms, group, from, to, reach: reach, center: reach.map { $0 & -2 })
    // Of odd kernels the pixel is the center.
    let isOdd = reach.y & reach.x & 1 == 1
    let orbits =
      isOdd ? banks : try Self.banks(terms, group, from, to, reach: reach, center: reach.map { $0 - 1 })
    let elements = group.latticeSubgroup.count
    self.orbits = orbits.allSatisfy { $0.turns.count == elements } ? orbits : []
    checkInvariants()
  }

  // MARK: - What is covered

  /// - Throws: `unsupportedAlgorithm` where no pass of the layer is made of correlations of planes.
  private static func checkLayer(_ layer: Layer, for algorithm: Algorithm) throws(ConvolutionError) {
    if layer.group.dimension != 2 {
      throw .unsupported(algorithm, "\(layer.group.dimension) dimensions", expected: "2 dimensions")
    }
    if layer.stride.values.contains(where: { $0 != 1 }) {
      throw .unsupported(algorithm, "stride \(layer.stride)", expected: "stride 1")
    }
    try layer.checkSumsOverAllChannels(for: algorithm)
  }

  /// - Throws: `unsupportedAlgorithm` where no pass of the layer is made of correlations of planes with a reach of
  ///   `limit` × `limit` at most.
  static func checkLayer(
    _ layer: Layer, reach: Box, atMost limit: Int, for algorithm: Algorithm
  ) throws(ConvolutionError) {
    try checkLayer(layer, for: algorithm)
    if max(reach.y, reach.x) > limit { throw tooFar(reach, atMost: limit, for: algorithm) }
  }

  /// - Throws: `unsupportedAlgorithm` where the pass is not made of correlations of planes.
  static func check(_ pass: Pass, of plan: ConvolutionPlan, for algorithm: Algorithm) throws(ConvolutionError) {
    let (layer, geometry) = (plan.descriptor.layer, plan.geometry)
    try checkLayer(layer, for: algorithm)
    if pass == .inputGradient && layer.paddingMode == .circular && geometry.input != geometry.output {
      throw .unsupported(
        algorithm, "circular padding that changes the size from \(geometry.input.y) × \(geometry.input.x)",
        expected: "circular padding that keeps the size, for the input gradient")
    }
  }

  /// The error for taps that reach too far for an algorithm's tiles.
  static func tooFar(_ reach: Box, atMost limit: Int, for algorithm: Algorithm) -> ConvolutionError {
    .unsupported(
      algorithm, "a reach of \(reach.y) × \(reach.x)", expected: "a reach of at most \(limit) × \(limit)")
  }

  // MARK: - Turned kernels

  /// Groups the target elements by turns that carry terms to terms. What the group says is compared with the terms
  /// themselves: whatever does not agree, such as even kernels turned about a pixel, are banks of one.
  ///
  /// - Parameter center: Twice the center of turns, in positions of taps.
  private static func banks(
    _ terms: FixedArray<FixedArray<Stencil.Term>>, _ group: PointGroup, _ from: HomogeneousSpace,
    _ to: HomogeneousSpace, reach: Box, center: Box
  ) throws(ConvolutionError) -> [Bank] {
    var banks: [Bank] = []
    banks.reserveCapacity(to.count)
    let kernel = try DenseKernel(elements: from.count, reach: reach)
    var isDone = [Bool](repeating: false, count: to.count)
    for point in 0..<to.count where !isDone[point] {
      var bank = Bank(turns: [.identity(point, sources: from.count)])
      isDone[point] = true
      for l in group.latticeSubgroup {
        Call.pause()
        let target = to.act(l, point)
        guard target >= 0, !isDone[target], let turn = turn(l, to: target, group, from) else { continue }
        guard kernel.agrees(terms[target], with: terms[point], { turned($0, turn, about: center) }) else { continue }
        bank.turns.append(turn)
        isDone[target] = true
      }
      banks.append(bank)
    }
    return banks
  }

  /// The coefficients of one target element by place, to compare the terms of two.
  private struct DenseKernel: ~Copyable {
    private let reach: Box
    /// [element][row][column], one more than the coefficient; 0 where nothing is read.
    private let places: PlanTable<Int>

    init(elements: Int, reach: Box) throws(ConvolutionError) {
      self.reach = reach
      places = try PlanTable(
        repeating: 0, count: try ConvolutionDescriptor.product(elements, reach.volume, .kernelTaps))
    }

    private func place(_ term: Stencil.Term) -> Int? {
      let (y, x) = (term.position.y, term.position.x)
      // A turn about a pixel takes even kernels, whose center lies between pixels, out of the reach.
      guard 0..<reach.y ~= y, 0..<reach.x ~= x else { return nil }
      return (term.element * reach.y + y) * reach.x + x
    }

    /// Whether terms are those of another list, each turned.
    func agrees(
      _ terms: FixedArray<Stencil.Term>, with others: FixedArray<Stencil.Term>,
      _ turned: (Stencil.Term) -> Stencil.Term
    ) -> Bool {
      guard terms.count == others.count else { return false }
      for term in terms { if let place = place(term) { places[place] = term.coefficient + 1 } }
      defer { for term in terms { if let place = place(term) { places[place] = 0 } } }
      return others.allSatisfy { other in
        let term = turned(other)
        return place(term).map { places[$0] == term.coefficient + 1 } ?? false
      }
    }
  }

  private static func turn(
    _ l: Int, to target: Int, _ group: PointGroup, _ from: HomogeneousSpace
  ) -> Turn? {
    let sources = (0..<from.count).map { from.act(l, $0) }
    guard let action = group.axisAction(l), action.count == 2, !sources.contains(-1) else { return nil }
    return Turn(
      target: target, sources: sources, axes: [action.axis(0), action.axis(1)],
      signs: [action.sign(0), action.sign(1)])
  }

  private static func turned(_ term: Stencil.Term, _ turn: Turn, about center: Box) -> Stencil.Term {
    let doubled = [2 * term.position.y - center.y, 2 * term.position.x - center.x]
    var turned = term
    turned.element = turn.sources[term.element]
    // Turns exchange axes of one center only, so that these are even.
    turned.position.y = (turn.signs[0] * doubled[turn.axes[0]] + center.y) / 2
    turned.position.x = (turn.signs[1] * doubled[turn.axes[1]] + center.x) / 2
    return turned
  }
}

extension ConvolutionPlan {
  /// A pass as correlations of planes; a weight gradient has those of the forward pass.
  /// - Throws: `unsupportedAlgorithm` where it is not made of such correlations; `outOfMemory`.
  func correlation(_ pass: Pass, for algorithm: Algorithm) throws(ConvolutionError) -> PlaneCorrelation {
    try tables.correlations.value(pass.tableKey) { () throws(ConvolutionError) in
      try PlaneCorrelation.check(pass, of: self, for: algorithm)
      return pass == .inputGradient ? try .adjoint(self) : try .forward(self)
    }
  }
}
