// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import _EquiconvErrors

@_cdecl("equiconv_plan_create") @implementation
public func equiconv_plan_create(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ plan: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  PlanHandle.create(plan) { () throws(CallError) in
    let (descriptor, scalar) = try ConvolutionDescriptor.make(descriptor, layer: .described)
    return PlanHandle(TypedPlan(plan: try engine(ConvolutionPlan(descriptor)), scalar: scalar))
  }
}

@_cdecl("equiconv_plan_destroy") @implementation
public func equiconv_plan_destroy(_ plan: OpaquePointer?) {
  PlanHandle.destroy(plan)
}

@_cdecl("equiconv_plan_forward") @implementation
public func equiconv_plan_forward(
  _ plan: OpaquePointer?, _ batch: Int64, _ input: UnsafeRawPointer?, _ weight: UnsafeRawPointer?,
  _ bias: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    try PlanHandle.required(plan).layer
      .forward(batch: batch, input: input, weight: weight, bias: bias, output: output)
  }
}

@_cdecl("equiconv_plan_input_gradient") @implementation
public func equiconv_plan_input_gradient(
  _ plan: OpaquePointer?, _ batch: Int64, _ gradOutput: UnsafeRawPointer?, _ weight: UnsafeRawPointer?,
  _ gradInput: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let layer = try PlanHandle.required(plan).layer
    let gradInput = try required(gradInput, .inputGradient)
    try layer.gradients(CallGradients(batch, gradOutput, weight: weight, gradInput: gradInput))
  }
}

@_cdecl("equiconv_plan_weight_gradient") @implementation
public func equiconv_plan_weight_gradient(
  _ plan: OpaquePointer?, _ batch: Int64, _ gradOutput: UnsafeRawPointer?, _ input: UnsafeRawPointer?,
  _ gradWeight: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let layer = try PlanHandle.required(plan).layer
    let gradWeight = try required(gradWeight, .weightGradient)
    try layer.gradients(CallGradients(batch, gradOutput, input: input, gradWeight: gradWeight))
  }
}

@_cdecl("equiconv_plan_bias_gradient") @implementation
public func equiconv_plan_bias_gradient(
  _ plan: OpaquePointer?, _ batch: Int64, _ gradOutput: UnsafeRawPointer?, _ gradBias: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let layer = try PlanHandle.required(plan).layer
    let gradBias = try required(gradBias, .biasGradient)
    try layer.gradients(CallGradients(batch, gradOutput, gradBias: gradBias))
  }
}

@_cdecl("equiconv_plan_expand") @implementation
public func equiconv_plan_expand(
  _ plan: OpaquePointer?, _ weight: UnsafeRawPointer?, _ bank: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in try PlanHandle.required(plan).layer.expand(weight: weight, bank: bank) }
}
