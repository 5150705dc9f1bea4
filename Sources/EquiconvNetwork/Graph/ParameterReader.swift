// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvMemory

/// Reads the parameters of operations that a graph has checked.
struct ParameterReader<Tensors: NetworkTensors> {
  let tensors: Tensors
  let document: NetworkDocument

  /// The work of an operation that is one step.
  func work(of kind: NetworkOperation.Kind) throws(NetworkError) -> StepWork {
    switch kind {
    case .convolution(let layer, let weight, let bias):
      return .convolution(layer, StepParameters(weight: weight, bias: bias, channelAxis: 0))
    case .transposedConvolution(let layer, let weight, let bias, _):
      return .transposed(
        layer,
        StepParameters(weight: weight, bias: bias, channelAxis: 1, channelGroups: layer.channelGroups))
    case .linear(let weight, let bias):
      return .linear(StepParameters(weight: weight, bias: bias, channelAxis: 0))
    case .batchNorm(let mean, let variance, let weight, let bias, let epsilon):
      return .affine(
        try ChannelScaling(
          mean: try doubles(mean), variance: try doubles(variance), weight: try weight.map(doubles),
          bias: try bias.map(doubles), epsilon: epsilon))
    case .spatialPool(let mode, let kernel, let stride, let padding):
      return .spatialPool(mode, kernel: kernel, stride: stride, padding: padding)
    case .upsample(let mode, let factors): return .upsample(mode, factors: factors)
    case .softmax: return .softmax
    case .spatialMean: return .spatialMean
    case .add: return .add
    case .concatenate: return .concatenate
    case .flatten: return .view
    case .pointwise, .groupPool, .restrict, .induce: return .copy
    }
  }

  /// The numbers of a tensor.
  private func doubles(_ name: String) throws(NetworkError) -> FixedArray<Double> {
    guard let tensor = tensors.tensor(name) else { return FixedArray() }
    return document.scalar == .float32
      ? try NetworkTable<Double>(count: tensor.count(of: Float.self)) { Double(tensor.number($0, Float.self)) }.frozen()
      : try NetworkTable<Double>(count: tensor.count(of: Double.self)) { tensor.number($0, Double.self) }.frozen()
  }
}

extension NetworkTensor {
  /// How many numbers of a type its bytes are.
  func count<S>(of _: S.Type) -> Int { bytes.count / MemoryLayout<S>.stride }

  func number<S: EngineScalar>(_ index: Int, _: S.Type) -> S {
    bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<S>.stride, as: S.self)
  }
}
