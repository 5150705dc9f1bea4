// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// A stencil resolved to memory: the layout of the padded source and, for each grid of outputs, offsets to read.
///
/// The forward pass and the input gradient are both such a gather; only the stencil and the grids differ. A class, since
/// every block of a pass refers to it.
final class GatherPlan: Sendable {
  let stencil: Stencil
  let layout: PlaneLayout
  let grids: [OutputGrid]
  /// Whether the grids leave places of the destination unwritten, which are then zero.
  let leavesGaps: Bool
  /// Sizes of the planes the grids write to: the output, the input, or for a circular input gradient the padded input.
  let destination: Box
  /// reads[grid][output element]: one entry a term, in canonical order.
  let reads: [[[equiconv_read]]]
  /// For orbit layers: the offsets of all terms of each output element, and for each bank the radices of its coefficients,
  /// one after another.
  let orbitOffsets: [[Int]]
  let flatRadices: [[Int]]

  /// The forward pass: output i reads padded position stride · i + t.
  init(forward stencil: Stencil, geometry: Geometry, isCircular: Bool) {
    let grid = OutputGrid(
      size: geometry.output, start: Box(z: 0, y: 0, x: 0), step: Box(z: 1, y: 1, x: 1), plane: geometry.output)
    let layout = PlaneLayout(
      signal: geometry.input, origin: geometry.padding.map { -$0 }, step: geometry.stride,
      positions: Self.positions(stencil.terms), outputs: geometry.output, isCircular: isCircular)
    self.stencil = stencil
    self.layout = layout
    grids = [grid]
    leavesGaps = false
    destination = geometry.output
    reads = [Self.reads(stencil.terms, layout)]
    orbitOffsets = stencil.isOrbit ? reads[0].map { $0.map(\.source) } : []
    // An orbit of one read has no radices, and a pointer to nothing is not a pointer.
    flatRadices = stencil.isOrbit ? stencil.banks.map { $0.orbitRadices.flatMap { $0 } + [1] } : []
  }

  /// The input gradient: padded position q = stride · i + t of the input receives from every output i.
  ///
  /// With q = stride · j + φ only taps with t mod stride = φ contribute, from i = j − t / stride: each phase φ is a
  /// grid of its own whose reads are contiguous. A circular layer's gradient is made on the padded plane and folded.
  init(adjoint stencil: Stencil, geometry: Geometry, isCircular: Bool) {
    let low = isCircular ? Box(z: 0, y: 0, x: 0) : geometry.padding
    let size = isCircular ? geometry.padded : geometry.input
    let axes = (0..<3).map { axis in
      AdjointAxis(stride: geometry.stride[axis], low: low[axis], size: size[axis], reach: geometry.reach[axis])
    }
    let phases = Self.phases(axes, stencil)
    let origin = Box(z: axes[0].origin, y: axes[1].origin, x: axes[2].origin)
    let grids = phases.map { Self.grid($0, axes, size) }
    let terms = Self.termsByPhase(stencil, phases, axes)
    let outputs = grids.reduce(Box(z: 1, y: 1, x: 1)) {
      Box(z: max($0.z, $1.size.z), y: max($0.y, $1.size.y), x: max($0.x, $1.size.x))
    }
    let layout = PlaneLayout(
      signal: geometry.output, origin: origin, step: Box(z: 1, y: 1, x: 1),
      positions: Self.positions(terms.flatMap { $0 }), outputs: outputs, isCircular: false)
    self.stencil = stencil
    self.layout = layout
    self.grids = grids
    leavesGaps = grids.reduce(0) { $0 + $1.size.volume } < size.volume
    destination = size
    reads = terms.map { Self.reads($0, layout) }
    orbitOffsets = []
    flatRadices = []
  }

  private static func positions(_ terms: [[Stencil.Term]]) -> [Set<Int>] {
    var positions = [Set<Int>](repeating: [], count: 3)
    for element in terms {
      for term in element { for axis in 0..<3 { positions[axis].insert(term.position[axis]) } }
    }
    // A grid that nothing contributes to still wants a plane to point into.
    return positions.map { $0.isEmpty ? [0] : $0 }
  }

  private static func reads(_ terms: [[Stencil.Term]], _ layout: PlaneLayout) -> [[equiconv_read]] {
    let volume = layout.volume
    return terms.map { element in
      element.map { term in
        equiconv_read(source: term.element * volume + layout.offset(of: term.position), weight: term.coefficient)
      }
    }
  }

  /// One axis of the input gradient: padded positions low ..< low + size.
  private struct AdjointAxis {
    let stride: Int
    let low: Int
    let size: Int
    /// The lowest output index that is read.
    let origin: Int

    init(stride: Int, low: Int, size: Int, reach: Int) {
      self.stride = stride
      self.low = low
      self.size = size
      origin = low / stride - (reach - 1) / stride
    }

    /// The first j with stride · j + phase ≥ low.
    func first(_ phase: Int) -> Int { (low - phase + stride - 1).quotientRoundedDown(by: stride) }
    /// The number of j with low ≤ stride · j + phase < low + size.
    func count(_ phase: Int) -> Int { (low + size - phase + stride - 1).quotientRoundedDown(by: stride) - first(phase) }
  }

  /// All phases that some tap writes to and that hold at least one position; there are no more of them than taps.
  private static func phases(_ axes: [AdjointAxis], _ stencil: Stencil) -> [Box] {
    let residues = (0..<3).map { axis in
      Set(stencil.terms.joined().map { -$0.position[axis] % axes[axis].stride })
        .filter { axes[axis].count($0) > 0 }.sorted()
    }
    return residues[0].flatMap { z in
      residues[1].flatMap { y in residues[2].map { x in Box(z: z, y: y, x: x) } }
    }
  }

  private static func grid(_ phase: Box, _ axes: [AdjointAxis], _ plane: Box) -> OutputGrid {
    var (size, start, step) = (phase, phase, phase)
    for axis in 0..<3 {
      size[axis] = axes[axis].count(phase[axis])
      start[axis] = axes[axis].stride * axes[axis].first(phase[axis]) + phase[axis] - axes[axis].low
      step[axis] = axes[axis].stride
    }
    return OutputGrid(size: size, start: start, step: step, plane: plane)
  }

  /// terms[phase][element], each relative to the first output of its phase.
  private static func termsByPhase(_ stencil: Stencil, _ phases: [Box], _ axes: [AdjointAxis]) -> [[[Stencil.Term]]] {
    let places = Dictionary(uniqueKeysWithValues: phases.enumerated().map { ($1, $0) })
    var terms = [[[Stencil.Term]]](
      repeating: [[Stencil.Term]](repeating: [], count: stencil.outputElements), count: phases.count)
    for (element, elementTerms) in stencil.terms.enumerated() {
      for term in elementTerms {
        var (phase, shifted) = (term.position, term)
        for axis in 0..<3 {
          let (tap, stride) = (-term.position[axis], axes[axis].stride)
          phase[axis] = tap % stride
          shifted.position[axis] = axes[axis].first(phase[axis]) - tap / stride - axes[axis].origin
        }
        // A phase without positions: these taps only reach padding.
        if let place = places[phase] { terms[place][element].append(shifted) }
      }
    }
    return terms
  }
}

extension Int {
  /// ⌊self / divisor⌋ for a positive divisor.
  fileprivate func quotientRoundedDown(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
