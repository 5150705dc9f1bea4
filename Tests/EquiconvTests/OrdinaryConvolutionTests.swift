// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing

/// For H = {e} all four layers are ordinary convolution; for other H a layer is ordinary with its expanded weight.
@Suite struct OrdinaryConvolutionTests {
  @Test(arguments: LayerKind.allCases) func trivialGroupGivesOrdinaryConvolution(_ layer: LayerKind) throws {
    let x = try Tensor<Float>.randomIntegers([2, 3, 7, 9], seed: 12)
    let weight = try Tensor<Float>.randomIntegers([4, 3, 3, 2], seed: 13)
    let bias: [Float] = [1, -2, 3, -4]
    let fibered = layer.readsGroup
    let convolution = try Convolution(
      layer, group: .trivial(2),
      weight: fibered ? Tensor(shape: [4, 3, 1, 3, 2], storage: weight.storage) : weight, bias: bias,
      stride: [2, 1], padding: [1, 0], dilation: [1, 2], algorithm: .direct)
    let y = try convolution(
      fibered ? Signal(.group, shape: [2, 3, 1, 7, 9], storage: x.storage) : Signal(.plane, x))
    let expected = try correlation(x, weight, stride: [2, 1], padding: [1, 0], dilation: [1, 2])
    #expect(y.shape == (layer.writesGroup ? [2, 4, 1, 4, 7] : [2, 4, 4, 7]))
    let volume = 4 * 7
    for (i, value) in y.storage.enumerated() {
      #expect(value == expected.storage[i] + bias[i / volume % 4], "number \(i)")
    }
  }

  @Test(arguments: LayerKind.allCases) func expandedWeightGivesTheEqualOrdinaryConvolution(_ layer: LayerKind) throws {
    let d4 = try PointGroup.dihedral(4)
    let fiber = layer.readsGroup ? [8] : []
    // Multiples of |H|, so that means over H are whole numbers too.
    let weight = try Tensor<Double>.randomIntegers([2, 3] + fiber + [3, 3], seed: 14).map { 8 * $0 }
    let x = try Tensor<Double>.randomIntegers([2, 3] + fiber + [6, 5], seed: 15)
    let convolution = try Convolution(layer, group: d4, weight: weight, algorithm: .direct)
    let bank = try convolution.expandedWeight()
    #expect(bank.shape == [layer.writesGroup ? 16 : 2, layer.readsGroup ? 24 : 3, 3, 3])
    let flat = try Tensor(shape: [2, layer.readsGroup ? 24 : 3, 6, 5], storage: x.storage)
    let expected = try correlation(flat, bank, stride: [1, 1], padding: [0, 0], dilation: [1, 1])
    let y = try convolution(Signal(layer.readsGroup ? .group : .plane, x))
    #expect(y.storage == expected.storage)
  }

  /// The published numbers of C4 lifting: x = arange(25), w = arange(9).
  @Test func liftingGivesThePublishedNumbers() throws {
    let x = try Signal<Float>(.plane, shape: [1, 1, 5, 5], storage: (0..<25).map(Float.init))
    let weight = try Tensor<Float>(shape: [1, 1, 3, 3], storage: (0..<9).map(Float.init))
    let c4 = try PointGroup.cyclic(4)
    let y = try Convolution(.lifting, group: c4, weight: weight, algorithm: .direct)(x)
    let rows: [[Float]] = [[312, 348, 384], [204, 240, 276], [120, 156, 192], [228, 264, 300]]
    #expect(y.shape == [1, 1, 4, 3, 3])
    for r in 0..<4 { #expect((0..<3).map { y[0, 0, r, 0, $0] } == rows[r]) }
    let weight2 = try Tensor<Float>(shape: [1, 1, 4, 3, 3], storage: (0..<36).map(Float.init))
    let z = try Convolution(.group, group: c4, weight: weight2, algorithm: .direct)(y)
    #expect(z.storage == [272376, 287928, 271944, 256392])
  }

  /// The four named layers are those between their spaces.
  @Test func namedLayersAreThoseBetweenTheirSpaces() throws {
    let c4 = try PointGroup.cyclic(4)
    let x = try Signal<Float>.random(.plane, [1, 2, 9, 9], seed: 16)
    let f = try Signal<Float>.random(.group, [1, 2, 4, 9, 9], seed: 17)
    let plane = try Tensor<Float>.random([3, 2, 3, 3], seed: 18)
    let full = try Tensor<Float>.random([3, 2, 4, 3, 3], seed: 19)
    let spaces: [(LayerKind, from: SignalSpace, to: SignalSpace)] = [
      (.isotropic, .plane, .plane), (.lifting, .plane, .group), (.group, .group, .group), (.projection, .group, .plane),
    ]
    for (kind, input, output) in spaces {
      let (weight, signal) = kind.readsGroup ? (full, f) : (plane, x)
      let named = try Convolution(
        kind, group: c4, weight: weight, bias: [1, 2, 3], stride: 2, padding: 2, dilation: 2, paddingMode: .circular)
      let between = try Convolution(
        from: input, to: output, group: c4, weight: weight, bias: [1, 2, 3], stride: 2, padding: 2, dilation: 2,
        paddingMode: .circular)
      #expect(named == between)
      #expect(try named(signal) == between(signal))
      #expect(try named(signal).space == output)
    }
  }

  /// Σ_{c,v} w[o,c,v] x[b,c, stride·p + dilation·v − padding], from the definition.
  private func correlation<S: EngineScalar>(
    _ x: Tensor<S>, _ weight: Tensor<S>, stride: [Int], padding: [Int], dilation: [Int]
  ) throws -> Tensor<S> {
    func size(_ a: Int) -> Int {
      let reach = dilation[a] * (weight.shape[2 + a] - 1) + 1
      return (x.shape[2 + a] + 2 * padding[a] - reach) / stride[a] + 1
    }
    func place(_ a: Int, _ output: Int, _ tap: Int) -> Int { stride[a] * output + dilation[a] * tap - padding[a] }
    func sum(_ b: Int, _ o: Int, _ row: Int, _ column: Int) -> S {
      var sum: S = 0
      for c in 0..<x.shape[1] {
        for i in 0..<weight.shape[2] {
          for j in 0..<weight.shape[3] {
            let (r, s) = (place(0, row, i), place(1, column, j))
            guard (0..<x.shape[2]).contains(r), (0..<x.shape[3]).contains(s) else { continue }
            sum += weight[o, c, i, j] * x[b, c, r, s]
          }
        }
      }
      return sum
    }
    let (rows, columns) = (size(0), size(1))
    var storage: [S] = []
    for b in 0..<x.shape[0] {
      for o in 0..<weight.shape[0] {
        for row in 0..<rows { for column in 0..<columns { storage.append(sum(b, o, row, column)) } }
      }
    }
    return try Tensor(shape: [x.shape[0], weight.shape[0], rows, columns], storage: storage)
  }
}
