// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import _EquiconvMemory

/// Writes an operation as an object.
struct OperationWriter {
  let operation: NetworkOperation
  let place: String

  init(_ operation: NetworkOperation, place: String) {
    self.operation = operation
    self.place = place
  }

  func write(_ json: inout JSONWriter) throws(NetworkError) {
    try json.object { json throws(NetworkError) in
      try json.text(operation.kind.word, for: "kind")
      try json.text(operation.name, for: "name")
      try json.key("inputs")
      try json.list(operation.inputs)
      try json.text(operation.output, for: "output")
      try writeKind(&json)
    }
  }

  private func writeKind(_ json: inout JSONWriter) throws(NetworkError) {
    switch operation.kind {
    case .convolution(let layer, _, _): try write(layer, &json)
    case .transposedConvolution(let layer, _, _, let padding):
      try write(layer, &json)
      try write(padding, "output_padding", &json)
    case .pointwise(let function): try json.text(function.word, for: "function")
    case .groupPool(let mode, let stabilizer):
      try json.text(mode == .mean ? "mean" : "max", for: "mode")
      if let stabilizer { try write(stabilizer, "stabilizer", &json) }
    case .spatialPool(_, let kernel, let stride, let padding):
      try write(kernel, "kernel", &json)
      try write(stride, "stride", &json)
      try write(padding, "padding", &json)
    case .upsample(let mode, let factors): try write(mode, factors, &json)
    case .restrict(let subgroup): try write(subgroup, "subgroup", &json)
    case .induce(let group, let stabilizer):
      try json.text(group, for: "group")
      try write(stabilizer, "stabilizer", &json)
    case .batchNorm, .softmax, .spatialMean, .add, .concatenate, .linear, .flatten: break
    }
    for (key, tensor) in operation.kind.namedTensors { try json.text(tensor, for: key) }
    for (key, number) in operation.kind.numbers {
      try json.key(key)
      try json.number(number)
    }
  }

  private func write(_ layer: Layer, _ json: inout JSONWriter) throws(NetworkError) {
    try json.key("layer")
    try json.text(
      try engineText("\(place).layer") { () throws(ConvolutionError) in try layer.validated().text() })
  }

  private func write(_ mode: NetworkOperation.UpsampleMode, _ factors: [Int], _ json: inout JSONWriter)
    throws(NetworkError)
  {
    switch mode {
    case .nearest: try json.text("nearest", for: "mode")
    case .linear: try json.text("linear", for: "mode")
    }
    try write(factors, "factors", &json)
    if case .linear(let alignsCorners) = mode {
      try json.key("align_corners")
      try json.bool(alignsCorners)
    }
  }

  private func write(_ values: [Int], _ key: String, _ json: inout JSONWriter) throws(NetworkError) {
    try json.key(key)
    try json.list(values)
  }
}

extension NetworkOperation.Kind {
  /// The word of documents, for example `spatial_max_pool`.
  public var word: String {
    switch self {
    case .convolution: "convolution"
    case .transposedConvolution: "transposed_convolution"
    case .batchNorm: "batch_norm"
    case .pointwise: "pointwise"
    case .softmax: "softmax"
    case .groupPool: "group_pool"
    case .spatialPool(let mode, _, _, _): mode == .max ? "spatial_max_pool" : "spatial_mean_pool"
    case .spatialMean: "spatial_mean"
    case .upsample: "upsample"
    case .add: "add"
    case .concatenate: "concatenate"
    case .restrict: "restrict"
    case .induce: "induce"
    case .linear: "linear"
    case .flatten: "flatten"
    }
  }

  /// The keys of numbers, and the numbers.
  var numbers: [(key: String, number: Double)] {
    switch self {
    case .batchNorm(_, _, _, _, let epsilon): [("epsilon", epsilon)]
    case .pointwise(.leakyRelu(let slope)): [("slope", slope)]
    case .pointwise(.elu(let alpha)): [("alpha", alpha)]
    default: []
    }
  }
}

extension Pointwise {
  /// The word of documents, for example `leaky_relu`.
  public var word: String {
    switch self {
    case .relu: "relu"
    case .leakyRelu: "leaky_relu"
    case .elu: "elu"
    case .gelu: "gelu"
    case .geluTanh: "gelu_tanh"
    case .silu: "silu"
    case .sigmoid: "sigmoid"
    case .tanh: "tanh"
    }
  }
}
