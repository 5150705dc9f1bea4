// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors

/// What an `equiconv_layer` points to.
final class LayerHandle: Handle {
  static let argument = Argument.layer
  let layer: PlannedLayer

  init(_ layer: PlannedLayer) { self.layer = layer }

  /// The plan for these shapes, and the scalar type of its arrays.
  func plan(
    _ dtype: equiconv_dtype, _ input: UnsafePointer<equiconv_shape>?, _ weight: UnsafePointer<equiconv_shape>?,
    _ names: (input: Argument, weight: Argument) = (.inputShape, .weightShape)
  ) throws(CallError) -> (plan: TypedPlan, batch: Int64) {
    let scalar = try ScalarType(dtype)
    let input = try shape(input, names.input)
    let weight = try shape(weight, names.weight)
    let plan = try engine(layer.plan(input: input, weight: weight))
    return (TypedPlan(plan: plan, scalar: scalar), Int64(input[0]))
  }
}

/// A shape that C gives, of a number of axes that arrays may have.
func shape(_ pointer: UnsafePointer<equiconv_shape>?, _ argument: Argument) throws(CallError) -> Shape {
  let pointer = try location(pointer, argument)
  let rank = Int(pointer.pointee.rank)
  guard 0...Shape.largestRank ~= rank else {
    throw CallError(
      EQUICONV_ERROR_INVALID_SIZE, argument, "of \(rank) axes", expected: "at most \(Shape.largestRank)")
  }
  return withUnsafeBytes(of: pointer.pointee.sizes) { sizes in
    Shape(rank: rank) { Int(sizes.load(fromByteOffset: 8 * $0, as: Int64.self)) }
  }
}

extension equiconv_shape {
  /// With 1 in the places beyond the rank.
  init(rank: Int, _ size: (Int) -> Int) {
    self.init()
    self.rank = Int32(rank)
    withUnsafeMutableBytes(of: &sizes) { sizes in
      for axis in 0..<Int(EQUICONV_MAX_RANK) {
        sizes.storeBytes(of: axis < rank ? Int64(size(axis)) : 1, toByteOffset: 8 * axis, as: Int64.self)
      }
    }
  }
}

@_cdecl("equiconv_layer_create") @implementation
public func equiconv_layer_create(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ layer: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  LayerHandle.create(layer) { () throws(CallError) in
    let descriptor = try location(descriptor, .descriptor)
    try checkStructSize(descriptor, .field(.descriptor, .structSize), "EQUICONV_DESCRIPTOR_INIT")
    let described = try Layer.make(descriptor.pointee, .described)
    return LayerHandle(try engine(PlannedLayer(described)))
  }
}

@_cdecl("equiconv_layer_destroy") @implementation
public func equiconv_layer_destroy(_ layer: OpaquePointer?) {
  LayerHandle.destroy(layer)
}

// MARK: Shapes

@_cdecl("equiconv_layer_get_weight_shape") @implementation
public func equiconv_layer_get_weight_shape(
  _ layer: OpaquePointer?, _ outChannels: Int64, _ inChannels: Int64, _ kernel: UnsafePointer<Int64>?,
  _ weight: UnsafeMutablePointer<equiconv_shape>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let layer = try LayerHandle.required(layer).layer.layer
    let result = try location(weight, .weight)
    var extents = Extents(repeating: 1, count: layer.group.dimension)
    if layer.basis == nil {
      let kernel = try location(kernel, .kernel)
      for axis in extents.indices { extents[axis] = Int(kernel[axis]) }
    }
    let sizes = try engine(
      layer.weightShape(outChannels: Int(outChannels), inChannels: Int(inChannels), kernel: extents))
    result.pointee = equiconv_shape(rank: sizes.count) { sizes[$0] }
  }
}

@_cdecl("equiconv_layer_get_output_shape") @implementation
public func equiconv_layer_get_output_shape(
  _ layer: OpaquePointer?, _ input: UnsafePointer<equiconv_shape>?, _ weight: UnsafePointer<equiconv_shape>?,
  _ output: UnsafeMutablePointer<equiconv_shape>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let layer = try LayerHandle.required(layer).layer
    let result = try location(output, .output)
    let (input, weight) = (try shape(input, .input), try shape(weight, .weight))
    let sizes = try engine(layer.output(input: input, weight: weight)).shape
    result.pointee = equiconv_shape(rank: sizes.rank) { sizes[$0] }
  }
}

@_cdecl("equiconv_layer_get_stride_remainders") @implementation
public func equiconv_layer_get_stride_remainders(
  _ layer: OpaquePointer?, _ input: UnsafePointer<equiconv_shape>?, _ weight: UnsafePointer<equiconv_shape>?,
  _ remainders: UnsafeMutablePointer<Int64>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let layer = try LayerHandle.required(layer).layer
    let result = try location(remainders, .remainders)
    let (input, weight) = (try shape(input, .input), try shape(weight, .weight))
    let left = try engine(layer.output(input: input, weight: weight)).strideRemainder
    for axis in 0..<3 { result[axis] = axis < left.count ? Int64(left[axis]) : 0 }
  }
}

@_cdecl("equiconv_layer_get_bank_shape") @implementation
public func equiconv_layer_get_bank_shape(
  _ layer: OpaquePointer?, _ weight: UnsafePointer<equiconv_shape>?, _ bank: UnsafeMutablePointer<equiconv_shape>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let layer = try LayerHandle.required(layer).layer
    let result = try location(bank, .bank)
    let weight = try shape(weight, .weight)
    let sizes = try engine(layer.planOfKernels(weight: weight)).bankShape
    result.pointee = equiconv_shape(rank: sizes.count) { sizes[$0] }
  }
}

@_cdecl("equiconv_layer_create_plan") @implementation
public func equiconv_layer_create_plan(
  _ layer: OpaquePointer?, _ dtype: equiconv_dtype, _ input: UnsafePointer<equiconv_shape>?,
  _ weight: UnsafePointer<equiconv_shape>?, _ plan: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  PlanHandle.create(plan) { () throws(CallError) in
    PlanHandle(try LayerHandle.required(layer).plan(dtype, input, weight, (.input, .weight)).plan)
  }
}

// MARK: Passes

@_cdecl("equiconv_layer_forward") @implementation
public func equiconv_layer_forward(
  _ layer: OpaquePointer?, _ dtype: equiconv_dtype, _ inputShape: UnsafePointer<equiconv_shape>?,
  _ input: UnsafeRawPointer?, _ weightShape: UnsafePointer<equiconv_shape>?, _ weight: UnsafeRawPointer?,
  _ bias: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let (plan, batch) = try LayerHandle.required(layer).plan(dtype, inputShape, weightShape)
    try plan.forward(batch: batch, input: input, weight: weight, bias: bias, output: output)
  }
}

@_cdecl("equiconv_layer_forward_prepared") @implementation
public func equiconv_layer_forward_prepared(
  _ layer: OpaquePointer?, _ dtype: equiconv_dtype, _ inputShape: UnsafePointer<equiconv_shape>?,
  _ input: UnsafeRawPointer?, _ weightShape: UnsafePointer<equiconv_shape>?, _ weight: OpaquePointer?,
  _ bias: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let (plan, batch) = try LayerHandle.required(layer).plan(dtype, inputShape, weightShape)
    try plan.forward(batch: batch, input: input, prepared: weight, bias: bias, output: output)
  }
}

@_cdecl("equiconv_layer_vjp") @implementation
public func equiconv_layer_vjp(
  _ layer: OpaquePointer?, _ dtype: equiconv_dtype, _ inputShape: UnsafePointer<equiconv_shape>?,
  _ weightShape: UnsafePointer<equiconv_shape>?, _ gradOutput: UnsafeRawPointer?, _ input: UnsafeRawPointer?,
  _ weight: UnsafeRawPointer?, _ gradInput: UnsafeMutableRawPointer?, _ gradWeight: UnsafeMutableRawPointer?,
  _ gradBias: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let (plan, batch) = try LayerHandle.required(layer).plan(dtype, inputShape, weightShape)
    try plan.gradients(
      CallGradients(
        batch, gradOutput, input: input, weight: weight, gradInput: gradInput, gradWeight: gradWeight,
        gradBias: gradBias))
  }
}

@_cdecl("equiconv_layer_expand") @implementation
public func equiconv_layer_expand(
  _ layer: OpaquePointer?, _ dtype: equiconv_dtype, _ weightShape: UnsafePointer<equiconv_shape>?,
  _ weight: UnsafeRawPointer?, _ bank: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let layer = try LayerHandle.required(layer).layer
    let scalar = try ScalarType(dtype)
    let shape = try shape(weightShape, .weightShape)
    let plan = TypedPlan(plan: try engine(layer.planOfKernels(weight: shape)), scalar: scalar)
    try plan.expand(weight: weight, bank: bank)
  }
}

@_cdecl("equiconv_layer_explain") @implementation
public func equiconv_layer_explain(
  _ layer: OpaquePointer?, _ dtype: equiconv_dtype, _ pass: equiconv_pass,
  _ inputShape: UnsafePointer<equiconv_shape>?, _ weightShape: UnsafePointer<equiconv_shape>?,
  _ explanation: UnsafeMutablePointer<equiconv_explanation>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let (plan, batch) = try LayerHandle.required(layer).plan(dtype, inputShape, weightShape)
    try plan.explain(pass, batch: batch, into: explanation)
  }
}
