// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// How the outputs of a plan are split into grids that leave out reads of nothing but zeros.
///
/// Splits follow from sizes alone, so neither threads nor processors change what is computed.
struct GridSplit {
  /// Lanes of a vector that splits assume: few enough to suit all instruction sets.
  private static let lanes = 8
  /// Splitting has to leave no more than this share of the work: everyday layers, whose padding is narrow, stay whole.
  private static let mostWork = 0.5
  /// A grid costs about as much as so many vectors of one read.
  private static let gridWork = 16.0
  /// Grids may have this many reads together, or `mostGrowth` times those of the stencil.
  private static let mostReads = Double(1 << 20)
  private static let mostGrowth = 4.0
  /// Work above the least there can be that cuts are tried with, as a share of it.
  private static let leastExcess = 0.2
  private static let mostExcess = 16.0
  private static let excessGrowth = 1.5

  let stencil: Stencil

  /// The axes cut where taps start and stop meeting the signal, if that saves enough of the vectors times reads.
  func axes(_ whole: [GatherAxis]) throws(ConvolutionError) -> [GatherAxis] {
    let wholeLoads = try loads(whole)
    // Close cuts leave little work and need many reads to be listed.
    var excess = Self.leastExcess
    while excess < Self.mostExcess {
      let split = try whole.indices.map { axis throws(ConvolutionError) in
        try whole[axis].split(tolerance: 1 + excess, lanes: lanes(axis: axis))
      }
      let loads = try loads(split)
      let reads = share(loads, { $0.reads }, whole)
      let lists = loads.reduce(Double(stencil.outputElements)) { $0 * $1.groups }
      if reads <= max(Self.mostReads, Self.mostGrowth * Double(stencil.termCount)) && lists <= Self.mostReads {
        // Estimates first: a layer that is not split in the end, like almost all layers, costs little.
        let (most, least) = (Self.mostWork * share(wholeLoads, { $0.work }, whole), share(loads, { $0.work }, whole))
        if least > most { return whole }
        return try work(split, whole) <= Self.mostWork * work(whole, whole) ? split : whole
      }
      excess *= Self.excessGrowth
    }
    return whole
  }

  private func lanes(axis: Int) -> Int { axis == 2 ? Self.lanes : 1 }

  private func loads(_ axes: [GatherAxis]) throws(ConvolutionError) -> [GatherAxis.Load] {
    try axes.indices.map { axis throws(ConvolutionError) in try axes[axis].load(lanes: lanes(axis: axis)) }
  }

  /// A sum over all terms and grids, as if the terms had every tap alike.
  private func share(
    _ loads: [GatherAxis.Load], _ value: (GatherAxis.Load) -> Double, _ whole: [GatherAxis]
  ) -> Double {
    zip(loads, whole).reduce(Double(stencil.termCount)) { product, axis in
      product * value(axis.0) / Double(max(1, axis.1.taps.reduce(0) { $1 == nil ? $0 : $0 + 1 }))
    }
  }

  /// Vectors times reads, and what the grids themselves cost.
  private func work(_ axes: [GatherAxis], _ whole: [GatherAxis]) throws(ConvolutionError) -> Double {
    let table = try GridTable(axes, keepsUnread: false)
    let layout = try PlaneLayout(axes)
    let taps = try axes.map { axis throws(ConvolutionError) in try axis.tapsOfGroups() }
    let terms = share(axes.map { _ in GatherAxis.Load(reads: 1) }, { $0.reads }, whole)
    return zip(table.grids, table.places).reduce(0) { work, grid in
      let vectors = VectorCover(grid: grid.0, layout: layout, lanes: Self.lanes).vectorCount
      let reads = terms * taps[0][grid.1.z] * taps[1][grid.1.y] * taps[2][grid.1.x]
      return work + Double(vectors) * reads + Self.gridWork * Double(stencil.outputElements)
    }
  }
}

extension GatherAxis {
  /// Whether phases are cut, or taps left out.
  var isSplit: Bool {
    phases.contains { $0.groups.count > 1 } || taps.contains { $0.map { $0.groups.isEmpty } ?? false }
  }
}
