// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvShims

/// A stencil resolved to memory: the layout of the padded source and, for each grid of outputs, offsets to read.
///
/// The forward pass and the input gradient are both such a gather; only the stencil and the grids differ. Where most reads of
/// most outputs would meet zeros around the signal, outputs are split into grids that leave such reads out. Offsets are those
/// of planes in which so many images lie side by side as its layout says. A class, since every block of a pass refers to it.
final class GatherPlan: Sendable {
  let stencil: Stencil
  let layout: PlaneLayout
  let grids: FixedArray<OutputGrid>
  /// Whether the grids leave places of the destination unwritten, which are then zero.
  let leavesGaps: Bool
  /// Sizes of the planes the grids write to: the output, the input, or for a circular input gradient the padded input.
  let destination: Box
  /// For a circular input gradient, how it is made from the destination.
  let fold: CircularFold?
  let reads: GridReads
  /// Nil where every grid reads all terms.
  let leftOut: LeftOutTerms?
  /// Rows of taps that the output element of the most terms reads, in all planes.
  let rowsRead: Int
  /// For orbit layers: the offsets of all terms of each output element, and for each bank the radices of its coefficients,
  /// one after another.
  let orbitOffsets: FixedArray<FixedArray<Int>>
  let flatRadices: FixedArray<FixedArray<Int>>

  /// The forward pass: output i reads padded position stride · i + t.
  ///
  /// - Parameters:
  ///   - depth: images that lie side by side in padded planes.
  ///   - leavesOutZeros: whether outputs may be split into grids.
  init(
    forward stencil: Stencil, geometry: Geometry, isCircular: Bool, depth: Int = 1, leavesOutZeros: Bool = true
  ) throws(ConvolutionError) {
    let used = try Self.usedTaps(stencil, geometry)
    var axes = try (0..<3).map { axis throws(ConvolutionError) in
      try GatherAxis(forward: geometry, axis: axis, used: used[axis], isCircular: isCircular)
    }
    // Sums over orbits want all their reads.
    if leavesOutZeros && !stencil.isOrbit && !isCircular { axes = try GridSplit(stencil: stencil).axes(axes) }
    let grids = try GridTable(axes, keepsUnread: true)
    self.stencil = stencil
    layout = try PlaneLayout(axes, depth: depth)
    self.grids = grids.grids
    leavesGaps = false
    destination = geometry.output
    fold = nil
    reads = try GridReads(stencil, geometry, axes, grids, layout)
    leftOut = reads.isPartial ? try LeftOutTerms(axes, grids, geometry) : nil
    rowsRead = try Self.rowsRead(stencil, geometry)
    orbitOffsets = try PlanTable<Int>.grouped(stencil.isOrbit ? stencil.terms.count : 0) { [reads] give in
      if !stencil.isOrbit { return }
      for element in stencil.terms.indices { for read in reads[0, element] { give(element, read.source) } }
    }
    flatRadices = try PlanTable<Int>.grouped(stencil.isOrbit ? stencil.banks.count : 0) { give in
      if !stencil.isOrbit { return }
      for (number, bank) in stencil.banks.enumerated() {
        for radices in bank.orbitRadices { for radix in radices { give(number, radix) } }
        // An orbit of one read has no radices, and a pointer to nothing is not a pointer.
        give(number, 1)
      }
    }
    try checkInvariants(axes, geometry, isAdjoint: false)
  }

  /// The input gradient: padded position q = stride · i + t of the input receives from every output i.
  ///
  /// Each phase of the stride is a grid of its own whose reads are contiguous; see `GatherAxis`. A circular layer's gradient
  /// is made on the padded plane and folded.
  init(
    adjoint stencil: Stencil, geometry: Geometry, isCircular: Bool, depth: Int = 1, leavesOutZeros: Bool = true
  ) throws(ConvolutionError) {
    let used = try Self.usedTaps(stencil, geometry)
    let whole = try (0..<3).map { axis throws(ConvolutionError) in
      try GatherAxis(adjoint: geometry, axis: axis, used: used[axis], isCircular: isCircular)
    }
    var axes = leavesOutZeros ? try GridSplit(stencil: stencil).axes(whole) : whole
    if isCircular && leavesOutZeros {
      // If most of the padded input receives nothing, that part is left out.
      let compact = try axes.map { axis throws(ConvolutionError) in try axis.compacted() }
      let isSparse = zip(compact, axes).contains { 2 * $0.destination <= $1.destination }
      if axes.contains(where: { $0.isSplit }) || isSparse { axes = compact }
    }
    let grids = try GridTable(axes, keepsUnread: !isCircular)
    self.stencil = stencil
    layout = try PlaneLayout(axes, depth: depth)
    self.grids = grids.grids
    destination = Box(z: axes[0].destination, y: axes[1].destination, x: axes[2].destination)
    leavesGaps = !isCircular && grids.grids.reduce(0) { $0 + $1.size.volume } < destination.volume
    fold = isCircular ? try CircularFold(axes, geometry: geometry) : nil
    reads = try GridReads(stencil, geometry, axes, grids, layout)
    leftOut = reads.isPartial && !isCircular ? try LeftOutTerms(axes, grids, geometry) : nil
    rowsRead = try Self.rowsRead(stencil, geometry)
    orbitOffsets = FixedArray()
    flatRadices = FixedArray()
    try checkInvariants(axes, geometry, isAdjoint: true)
  }

  private static func rowsRead(_ stencil: Stencil, _ geometry: Geometry) throws(ConvolutionError) -> Int {
    let kernel = geometry.kernel
    let isRead = try PlanTable<Bool>(repeating: false, count: stencil.inputElements * kernel.z * kernel.y)
    for term in stencil.terms.max(by: { $0.count < $1.count }) ?? FixedArray() {
      let (z, y) = (geometry.tap(term.position.z, axis: 0), geometry.tap(term.position.y, axis: 1))
      isRead[(term.element * kernel.z + z) * kernel.y + y] = true
    }
    return isRead.elements.reduce(0) { $1 ? $0 + 1 : $0 }
  }

  /// For each axis, whether any term reads a tap, by its number in the kernel.
  private static func usedTaps(
    _ stencil: Stencil, _ geometry: Geometry
  ) throws(ConvolutionError) -> [FixedArray<Bool>] {
    let z = try PlanTable<Bool>(repeating: false, count: geometry.kernel.z)
    let y = try PlanTable<Bool>(repeating: false, count: geometry.kernel.y)
    let x = try PlanTable<Bool>(repeating: false, count: geometry.kernel.x)
    for terms in stencil.terms {
      Call.pause()
      for term in terms {
        z[geometry.tap(term.position.z, axis: 0)] = true
        y[geometry.tap(term.position.y, axis: 1)] = true
        x[geometry.tap(term.position.x, axis: 2)] = true
      }
    }
    return [z.frozen(), y.frozen(), x.frozen()]
  }
}

extension Geometry {
  /// The number of a tap on one axis, by its position in the forward stencil or the adjoint.
  @inline(__always)
  func tap(_ position: Int, axis: Int) -> Int { abs(position) / dilation[axis] }
}
