// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing

@Suite struct PoolingTests {
  let f: Signal<Double>

  init() throws { f = try Signal(.group, shape: [1, 1, 2, 3], storage: [1, 5, 2, 3, 5, -4]) }

  @Test func poolingTakesMeanAndMaximumOverTheFiber() throws {
    #expect(try f.groupPool(.mean) == Signal(.plane, shape: [1, 1, 3], storage: [2, 5, -1]))
    #expect(try f.groupPool(.max) == Signal(.plane, shape: [1, 1, 3], storage: [3, 5, 2]))
  }

  @Test func meanIsTheProjectionWithAConstantKernel() throws {
    let c4 = try PointGroup.cyclic(4)
    let f = try Signal<Double>(.group, .randomIntegers([2, 1, 4, 5, 5], seed: 23))
    let weight = try Tensor<Double>(shape: [1, 1, 4, 1, 1], storage: [0.25, 0.25, 0.25, 0.25])
    let project = try Convolution(.projection, group: c4, weight: weight, algorithm: .direct)
    #expect(try f.groupPool(.mean) == project(f))
  }

  @Test func gradientOfTheMeanIsSpreadEvenly() throws {
    let g = try Signal<Double>(.plane, shape: [1, 1, 3], storage: [2, 4, 6])
    #expect(try f.groupPoolGradient(from: g, .mean).storage == [1, 2, 3, 1, 2, 3])
  }

  @Test func gradientOfTheMaximumGoesToTheLargestInEqualParts() throws {
    let g = try Signal<Double>(.plane, shape: [1, 1, 3], storage: [2, 4, 6])
    #expect(try f.groupPoolGradient(from: g, .max).storage == [0, 2, 6, 2, 2, 0])
  }

  @Test func notANumberStaysOne() throws {
    let f = try Signal<Float>(.group, shape: [1, 1, 2, 1], storage: [.nan, 1])
    #expect(try f.groupPool(.mean).storage[0].isNaN)
    #expect(try f.groupPool(.max).storage[0].isNaN)
  }

  @Test func emptyBatchPoolsToAnEmptyBatch() throws {
    let empty = try Signal<Float>(.group, shape: [0, 1, 2, 3], storage: [])
    #expect(try empty.groupPool(.mean).shape == [0, 1, 3])
    #expect(try empty.groupPoolGradient(from: empty.groupPool(.max), .max) == empty)
  }
}
