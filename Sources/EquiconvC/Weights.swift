// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import _EquiconvErrors

@_cdecl("equiconv_weight_create") @implementation
public func equiconv_weight_create(
  _ dtype: equiconv_dtype, _ count: Int64, _ numbers: UnsafeRawPointer?, _ weight: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  WeightHandle.create(weight) { () throws(CallError) in
    try WeightHandle(ScalarType(dtype), count: count, copying: required(numbers, .numbers))
  }
}

@_cdecl("equiconv_plan_prepare") @implementation
public func equiconv_plan_prepare(
  _ plan: OpaquePointer?, _ numbers: UnsafeRawPointer?, _ weight: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  WeightHandle.create(weight) { () throws(CallError) in
    let layer = try PlanHandle.required(plan).layer
    let count = Int64(layer.plan.weightShape.reduce(1, *))
    return try WeightHandle(layer.scalar, count: count, copying: required(numbers, .numbers))
  }
}

@_cdecl("equiconv_weight_destroy") @implementation
public func equiconv_weight_destroy(_ weight: OpaquePointer?) {
  WeightHandle.destroy(weight)
}

@_cdecl("equiconv_weight_get_numbers") @implementation
public func equiconv_weight_get_numbers(
  _ weight: OpaquePointer?, _ count: Int64, _ numbers: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    try WeightHandle.required(weight).copyNumbers(to: try required(numbers, .numbers), count: count)
  }
}

@_cdecl("equiconv_weight_bytes") @implementation
public func equiconv_weight_bytes(_ weight: OpaquePointer?) -> Int64 {
  WeightHandle.property(weight, of: 0) { Int64($0.bytes) }
}

@_cdecl("equiconv_plan_forward_prepared") @implementation
public func equiconv_plan_forward_prepared(
  _ plan: OpaquePointer?, _ batch: Int64, _ input: UnsafeRawPointer?, _ weight: OpaquePointer?,
  _ bias: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    try PlanHandle.required(plan).layer
      .forward(batch: batch, input: input, prepared: weight, bias: bias, output: output)
  }
}

@_cdecl("equiconv_forward_prepared") @implementation
public func equiconv_forward_prepared(
  _ descriptor: UnsafePointer<equiconv_descriptor>?, _ batch: Int64, _ input: UnsafeRawPointer?,
  _ weight: OpaquePointer?, _ bias: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    try cachedPlan(.described, descriptor)
      .forward(batch: batch, input: input, prepared: weight, bias: bias, output: output)
  }
}
