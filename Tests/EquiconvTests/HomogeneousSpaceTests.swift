// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing

/// Layers between any homogeneous spaces, with kernels in any basis, on value types.
@Suite struct HomogeneousSpaceTests {
  /// A network C8 → orientations modulo a half turn → plane, with harmonics and pixels.
  @Test func networkOfC8_commutesWithQuarterTurns_toTheLastBit() throws {
    let c8 = try PointGroup.cyclic(8)
    let halfTurns = SignalSpace.quotient(stabilizer: [0, 4])
    let harmonics = KernelBasis.circularHarmonics(try .standard(extent: 5))
    let lift = try Convolution<Double>(
      .lifting, group: c8, weight: .random([3, 2, harmonics.count], seed: 1), padding: .same, algorithm: .direct,
      basis: harmonics)
    let fold = try Convolution<Double>(
      from: .group, to: halfTurns, group: c8, weight: .random([3, 3, 8, 3, 3], seed: 2), padding: .same,
      algorithm: .direct)
    let project = try Convolution<Double>(
      from: halfTurns, to: .plane, group: c8, weight: .random([1, 3, 4, 3, 3], seed: 3), padding: .same,
      algorithm: .direct)
    func network(_ x: Signal<Double>) throws -> Signal<Double> {
      let y = try fold(lift(x).map { max($0, 0) })
      #expect(y.shape == [1, 3, 4, 9, 9])
      return try project(y.map { max($0, 0) })
    }
    let x = try Signal<Double>(.plane, .random([1, 2, 9, 9], seed: 4))
    let y = try network(x)
    for turn in c8.latticeSubgroup {
      #expect(try network(x.acted(by: turn, of: c8)) == y.acted(by: turn, of: c8))
    }
    #expect(throws: ConvolutionError.self) { try x.acted(by: 1, of: c8) }
  }

  @Test func gradientsAreAdjoint_forQuotientsAndBases() throws {
    let d6 = try PointGroup.dihedral(6)
    let space = SignalSpace.quotient(stabilizer: [0, 6])
    let layer = try Convolution<Double>(
      from: space, to: space, group: d6, weight: .random([2, 2, 6, 3, 3], seed: 5), padding: .same,
      interpolation: .bicubic)
    let x = try Signal<Double>(space, .random([1, 2, 6, 7, 7], seed: 6))
    let y = try layer(x)
    let g = try Signal<Double>(space, .random(y.shape, seed: 7))
    let (inputGradient, weightGradient, _) = try layer.gradients(from: g, at: x)
    let linear = dot(y.storage, g.storage)
    #expect(abs(linear - dot(x.storage, inputGradient.storage)) < 1e-10 * (1 + abs(linear)))
    #expect(abs(linear - dot(layer.weight.storage, weightGradient.storage)) < 1e-10 * (1 + abs(linear)))
  }

  @Test func wrongShapes_areNamedByTheirFunctions() throws {
    let c8 = try PointGroup.cyclic(8)
    let harmonics = KernelBasis.circularHarmonics(try .standard(extent: 5))
    let calls: [(String, () throws -> Convolution<Double>)] = [
      (
        "weight is of shape (1, 1, 7), expected shape (O, C, J = 6), one weight for each function",
        { try Convolution<Double>(.lifting, group: c8, weight: .zeros(shape: [1, 1, 7]), basis: harmonics) }
      ),
      (
        "weight is of shape (1, 1, 8, 3, 3), expected shape (O, C, I, k, k) with I = 2 of C8 on axis 2",
        {
          try Convolution<Double>(
            .group, group: c8, weight: .zeros(shape: [1, 1, 8, 3, 3]), groupBasis: .localized([0, 1]))
        }
      ),
      (
        "weight is of shape (1, 1, 8, 3, 3), expected shape (O, C, |H/K|, k, k) with |H/K| = 4 of C8 on axis 2",
        {
          try Convolution<Double>(
            from: .quotient(stabilizer: [0, 4]), to: .plane, group: c8, weight: .zeros(shape: [1, 1, 8, 3, 3]))
        }
      ),
    ]
    for (message, call) in calls {
      let error = #expect(throws: ConvolutionError.self) { _ = try call() }
      #expect(error?.description == message)
    }
  }

  /// k(d, u) = k_H(d) k_X(u) as a layer over H and a depthwise one over space (Knigge et al., 2022).
  @Test func separableKernel_isAConvolutionOverHAndADepthwiseOneOverSpace() throws {
    let c8 = try PointGroup.cyclic(8)
    let (kernelH, kernelX) = (
      try Tensor<Double>.random([3, 2, 8], seed: 8), try Tensor<Double>.random([3, 25], seed: 9)
    )
    let product = try Tensor(
      shape: [3, 2, 8, 5, 5],
      storage: (0..<48).flatMap { i in (0..<25).map { kernelH.storage[i] * kernelX.storage[i / 16 * 25 + $0] } })
    let x = try Signal<Double>(.group, .random([2, 2, 8, 9, 9], seed: 10))
    let overH = try Convolution<Double>(
      .group, group: c8, weight: Tensor(shape: [3, 2, 8, 1, 1], storage: kernelH.storage))
    let overSpace = try Convolution<Double>(
      .group, group: c8, weight: Tensor(shape: [3, 1, 1, 5, 5], storage: kernelX.storage), padding: .same,
      groupBasis: .localized([0]), channelGroups: 3)
    let full = try Convolution<Double>(.group, group: c8, weight: product, padding: .same)
    let (a, b) = (try overSpace(overH(x)), try full(x))
    #expect(a.shape == b.shape)
    #expect(zip(a.storage, b.storage).allSatisfy { abs($0 - $1) < 1e-11 })
  }
}
