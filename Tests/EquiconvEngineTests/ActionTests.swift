// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

@Suite struct ActionTests {
  private func spatial(_ group: PointGroup) -> Extents { [[5], [3, 4], [2, 3, 4]][group.dimension - 1] }

  @Test(arguments: GroupCatalog.lattice)
  func action_isItsDefinition(_ group: PointGroup) throws {
    for space in [SignalSpace.plane, .group] {
      let size = spatial(group)
      var random = SplitMix64(seed: 91)
      let signal: [Double] = random.reals(2 * 3 * (space == .group ? group.order : 1) * size.product)
      for g in 0..<group.order {
        #expect(
          try firstDifference(
            act(group, g, on: space, batch: 2, channels: 3, spatial: size, signal),
            naiveAct(group, g, on: space, spatial: size, signal)) == nil, "\(space) \(g)")
      }
    }
  }

  /// `L_g L_h = L_gh`, and `L_e` is the identity.
  @Test(arguments: GroupCatalog.lattice)
  func action_isAHomomorphism(_ group: PointGroup) throws {
    for space in [SignalSpace.plane, .group] {
      let size = spatial(group)
      var random = SplitMix64(seed: 92)
      let signal: [Float] = random.reals(2 * (space == .group ? group.order : 1) * size.product)
      func move(_ g: Int, _ size: Extents, _ signal: [Float]) throws -> [Float] {
        try act(group, g, on: space, batch: 1, channels: 2, spatial: size, signal)
      }
      #expect(try firstDifference(move(0, size, signal), signal) == nil)
      for g in 0..<group.order {
        for h in 0..<group.order {
          let once = try move(h, size, signal)
          let twice = try move(g, turned(size, by: h, group), once)
          let product = try move(group.product(g, h), size, signal)
          #expect(firstDifference(twice, product) == nil, "\(space) \(g) \(h)")
        }
      }
    }
  }

  /// Rotation by +90° is `numpy.rot90`, the flip of a dihedral group `numpy.fliplr`.
  @Test func quarterTurn_isRot90_andFlip_isFliplr() throws {
    let image: [Float] = [
      0, 1, 2,
      3, 4, 5,
    ]
    let d4 = try PointGroup.dihedral(4)
    let rot90: [Float] = [
      2, 5,
      1, 4,
      0, 3,
    ]
    let fliplr: [Float] = [
      2, 1, 0,
      5, 4, 3,
    ]
    #expect(try act(d4, 1, on: .plane, batch: 1, channels: 1, spatial: [2, 3], image) == rot90)
    #expect(try act(d4, 4, on: .plane, batch: 1, channels: 1, spatial: [2, 3], image) == fliplr)
  }

  /// On a group signal the planes move along the fiber: what was at h is now at g·h.
  @Test func fiber_isShiftedByTheElement() throws {
    let c4 = try PointGroup.cyclic(4)
    let (before, after): ([Double], [Double]) = ([0, 1, 2, 3], [3, 0, 1, 2])
    #expect(try act(c4, 1, on: .group, batch: 1, channels: 1, spatial: [1, 1], before) == after)
  }

  /// A signal of more than 2²⁰ numbers is shared between threads.
  @Test func action_ofALargeSignal_isItsDefinition() throws {
    let group = try PointGroup.dihedral(4)
    let signal = (0..<8 * 3 * 220 * 221).map(Float.init)
    for g in [0, 3, 6] {
      #expect(
        try firstDifference(
          act(group, g, on: .group, batch: 3, channels: 1, spatial: [220, 221], signal),
          naiveAct(group, g, on: .group, spatial: [220, 221], signal)) == nil)
    }
  }
}
