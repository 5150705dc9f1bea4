// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups

/// Operations without a layer.
extension OperationReader {
  func batchNorm(_ fields: DocumentObject) throws(NetworkError) -> NetworkOperation.Kind {
    let epsilon = try fields.value("epsilon")
    let number = try epsilon.number()
    if number < 0 { throw epsilon.error("a number that is not negative") }
    return .batchNorm(
      mean: try fields.value("mean").name(), variance: try fields.value("variance").name(),
      weight: try fields.optional("weight")?.name(), bias: try fields.optional("bias")?.name(), epsilon: number)
  }

  func pointwise(_ fields: DocumentObject) throws(NetworkError) -> Pointwise {
    let function = try fields.value("function")
    switch try function.name() {
    case "relu": return .relu
    case "leaky_relu": return .leakyRelu(slope: try fields.value("slope").number())
    case "elu": return .elu(alpha: try fields.value("alpha").number())
    case "gelu": return .gelu
    case "gelu_tanh": return .geluTanh
    case "silu": return .silu
    case "sigmoid": return .sigmoid
    case "tanh": return .tanh
    default: throw function.error("a function that this library knows", .operation)
    }
  }

  func groupPool(_ fields: DocumentObject) throws(NetworkError) -> NetworkOperation.Kind {
    let mode = try fields.value("mode").choice([("mean", PoolMode.mean), ("max", .max)])
    return .groupPool(mode, stabilizer: try fields.optional("stabilizer")?.elements(below: PointGroup.largestOrder))
  }

  func spatialPool(_ mode: PoolMode, _ fields: DocumentObject) throws(NetworkError) -> NetworkOperation.Kind {
    let kernel = try fields.value("kernel").integers(dimension, in: 1...Limits.size)
    let padding = try fields.value("padding")
    let amounts = try padding.integers(dimension, in: 0...Limits.size)
    for (axis, amount) in amounts.enumerated() where amount > kernel[axis] / 2 {
      throw .invalid(
        .document, place: "\(padding.place)[\(axis)]", value: "\(amount)",
        expected: "at most \(kernel[axis] / 2), half the kernel")
    }
    return .spatialPool(
      mode, kernel: kernel, stride: try fields.value("stride").integers(dimension, in: 1...Limits.size),
      padding: amounts)
  }

  func upsample(_ fields: DocumentObject) throws(NetworkError) -> NetworkOperation.Kind {
    let isLinear = try fields.value("mode").choice([("nearest", false), ("linear", true)])
    let factors = try fields.value("factors").integers(dimension, in: 1...Limits.size)
    if !isLinear { return .upsample(.nearest, factors: factors) }
    let alignsCorners = try fields.optional("align_corners")?.bool() ?? false
    return .upsample(.linear(alignsCorners: alignsCorners), factors: factors)
  }
}
