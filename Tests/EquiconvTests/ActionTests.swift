// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing

@Suite struct ActionTests {
  @Test func quarterTurnIsCounterClockwise() throws {
    let x = try Signal<Float>(.plane, shape: [1, 1, 2, 3], storage: [1, 2, 3, 4, 5, 6])
    let turned = try x.acted(by: 1, of: .cyclic(4))
    #expect(turned.shape == [1, 1, 3, 2])
    #expect(turned.storage == [3, 6, 2, 5, 1, 4])
  }

  @Test func quarterTurnShiftsTheFiber() throws {
    let x = try Signal<Float>(.group, shape: [1, 1, 4, 1, 1], storage: [0, 1, 2, 3])
    #expect(try x.acted(by: 1, of: .cyclic(4)).storage == [3, 0, 1, 2])
  }

  @Test(arguments: [SignalSpace.plane, .group]) func actionIsAHomomorphism(_ space: SignalSpace) throws {
    for (group, spatial) in [(try PointGroup.dihedral(4), [3, 4]), (.octahedral, [2, 3, 4]), (.reflection, [5])] {
      let fiber = space == .group ? [group.order] : []
      let x = try Signal<Double>.random(space, [2, 2] + fiber + spatial, seed: 11)
      #expect(try x.acted(by: 0, of: group) == x)
      for a in 0..<group.order {
        for b in 0..<group.order {
          let twice = try x.acted(by: b, of: group).acted(by: a, of: group)
          #expect(try twice == x.acted(by: group.product(a, b), of: group), "\(group): \(a) · \(b)")
        }
      }
    }
  }
}
