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

  @Test func namedGradientsAreThoseOfTheLayers() throws {
    let c4 = try PointGroup.cyclic(4)
    for layer in LayerKind.allCases {
      let example = LayerExample(layer: layer, group: c4, spatial: [9, 9], kernel: [3, 3], stride: 2, padding: 1)
      let (x, convolution) = (try example.signal(Double.self), try example.convolution(Double.self))
      let y = try convolution(x)
      let g = try Signal<Double>.random(y.space, y.shape, seed: 22)
      let weight = convolution.weight
      let named =
        switch layer {
        case .isotropic: try x.isotropicConvolutionGradients(from: g, weight: weight, group: c4, stride: 2, padding: 1)
        case .lifting: try x.liftingConvolutionGradients(from: g, weight: weight, group: c4, stride: 2, padding: 1)
        case .group: try x.groupConvolutionGradients(from: g, weight: weight, group: c4, stride: 2, padding: 1)
        case .projection:
          try x.projectionConvolutionGradients(from: g, weight: weight, group: c4, stride: 2, padding: 1)
        }
      #expect(try named == convolution.gradients(from: g, at: x))
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
