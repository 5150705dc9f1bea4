// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing

/// Layers are linear in signal, weight and bias, so gradients are adjoints: ⟨K f, g⟩ = ⟨f, K* g⟩ for random f, g.
@Suite struct GradientTests {
  @Test(arguments: LayerExample.all) func gradientsAreAdjoints(_ example: LayerExample) throws {
    let x = try example.signal(Double.self)
    var layer = try example.convolution(Double.self)
    let bias = layer.bias ?? []
    let withBias = try layer(x)
    layer.bias = nil
    let y = try layer(x)
    let g = try Signal<Double>.random(y.space, y.shape, seed: 20)

    let (inputGradient, weightGradient, biasGradient) = try layer.gradients(from: g, at: x)
    #expect(inputGradient.space == x.space && inputGradient.shape == x.shape)
    #expect(weightGradient.shape == layer.weight.shape)
    let value = dot(y.storage, g.storage)
    let tolerance = 1e-12 * dot(y.storage.map(abs), g.storage.map(abs))
    #expect(abs(dot(x.storage, inputGradient.storage) - value) <= tolerance)
    #expect(abs(dot(layer.weight.storage, weightGradient.storage) - value) <= tolerance)
    #expect(abs(dot(bias, biasGradient) - (dot(withBias.storage, g.storage) - value)) <= tolerance)
  }

  @Test(arguments: LayerExample.all) func inputGradientCommutesWithTheActionUpToRounding(_ example: LayerExample) throws
  {
    let x = try example.signal(Double.self)
    let layer = try example.convolution(Double.self)
    let y = try layer(x)
    let g = try Signal<Double>.random(y.space, y.shape, seed: 21)
    let gradient = try layer.inputGradient(from: g, at: x)
    let last = example.group.order - 1
    let ofTurned = try layer.inputGradient(
      from: g.acted(by: last, of: example.group), at: x.acted(by: last, of: example.group))
    let turned = try gradient.acted(by: last, of: example.group)
    #expect(ofTurned.shape == turned.shape)
    for (a, b) in zip(ofTurned.storage, turned.storage) { #expect(abs(a - b) < 1e-11) }
  }

  /// One call gives the bits of three.
  @Test func gradientsTogetherAreThoseAlone() throws {
    for layer in LayerKind.allCases {
      for group in [try PointGroup.cyclic(4), try .cyclic(8)] {
        let example = LayerExample(
          layer: layer, group: group, spatial: [19, 19], kernel: [3, 3], stride: layer == .group ? 1 : 2, padding: 1)
        let x = try example.signal(Float.self)
        let convolution = try example.convolution(Float.self, algorithm: layer == .group ? .fourier : .auto)
        let y = try convolution(x)
        let g = try Signal<Float>.random(y.space, y.shape, seed: 22)
        let together = try convolution.gradients(from: g, at: x)
        #expect(try together.input == convolution.inputGradient(from: g, at: x))
        #expect(try together.weight == convolution.weightGradient(from: g, at: x))
        #expect(try together.bias == convolution.biasGradient(from: g, at: x))
      }
    }
  }

  @Test func emptyBatchHasEmptyOutputAndZeroGradients() throws {
    for example in LayerExample.all {
      let x = try example.signal(Float.self, batch: 0)
      let layer = try example.convolution(Float.self)
      let y = try layer(x)
      #expect(y.batch == 0 && y.storage.isEmpty)
      let (inputGradient, weightGradient, biasGradient) = try layer.gradients(from: y, at: x)
      #expect(inputGradient == x)
      #expect(try weightGradient == .zeros(shape: layer.weight.shape))
      #expect(biasGradient == [0, 0, 0, 0, 0])
    }
  }
}
