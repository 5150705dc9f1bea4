// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import _EquiconvErrors

/// Extents of up to three axes as C has them, with 1 beyond.
func threeExtents(_ extents: [Int]) -> [Int64] { (0..<3).map { $0 < extents.count ? Int64(extents[$0]) : 1 } }

/// Writes a shape of the plan, with 1 in the places beyond its rank.
private func query(
  _ plan: OpaquePointer?, _ shape: UnsafeMutablePointer<Int64>?, _ rank: UnsafeMutablePointer<Int32>?,
  _ sizes: (ConvolutionPlan) throws(ConvolutionError) -> [Int]
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let plan = try PlanHandle.required(plan).layer.plan
    let shape = try location(shape, .shape)
    let rank = try location(rank, .rank)
    let sizes = try engine(sizes(plan))
    for axis in 0..<Int(EQUICONV_MAX_RANK) { shape[axis] = axis < sizes.count ? Int64(sizes[axis]) : 1 }
    rank.pointee = Int32(sizes.count)
  }
}

@_cdecl("equiconv_plan_get_input_shape") @implementation
public func equiconv_plan_get_input_shape(
  _ plan: OpaquePointer?, _ batch: Int64, _ shape: UnsafeMutablePointer<Int64>?, _ rank: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  query(plan, shape, rank) { plan throws(ConvolutionError) in try plan.inputShape(batch: Int(batch)) }
}

@_cdecl("equiconv_plan_get_output_shape") @implementation
public func equiconv_plan_get_output_shape(
  _ plan: OpaquePointer?, _ batch: Int64, _ shape: UnsafeMutablePointer<Int64>?, _ rank: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  query(plan, shape, rank) { plan throws(ConvolutionError) in try plan.outputShape(batch: Int(batch)) }
}

@_cdecl("equiconv_plan_get_weight_shape") @implementation
public func equiconv_plan_get_weight_shape(
  _ plan: OpaquePointer?, _ shape: UnsafeMutablePointer<Int64>?, _ rank: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  query(plan, shape, rank) { $0.weightShape }
}

@_cdecl("equiconv_plan_get_bank_shape") @implementation
public func equiconv_plan_get_bank_shape(
  _ plan: OpaquePointer?, _ shape: UnsafeMutablePointer<Int64>?, _ rank: UnsafeMutablePointer<Int32>?
) -> equiconv_status {
  query(plan, shape, rank) { $0.bankShape }
}

@_cdecl("equiconv_plan_get_sampled_kernel") @implementation
public func equiconv_plan_get_sampled_kernel(
  _ plan: OpaquePointer?, _ extents: UnsafeMutablePointer<Int64>?
) -> equiconv_status {
  PlanHandle.copy(plan, to: extents, .extents) { threeExtents($0.layer.plan.sampledKernel.values) }
}

@_cdecl("equiconv_plan_get_stride_remainder") @implementation
public func equiconv_plan_get_stride_remainder(
  _ plan: OpaquePointer?, _ axis: Int32, _ remainder: UnsafeMutablePointer<Int64>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let remainders = try PlanHandle.required(plan).layer.plan.strideRemainder
    let remainder = try location(remainder, .remainder)
    guard remainders.indices ~= Int(axis) else {
      throw CallError(
        EQUICONV_ERROR_INDEX_OUT_OF_RANGE, .axis, axis, expected: "0...\(remainders.count - 1)")
    }
    remainder.pointee = Int64(remainders[Int(axis)])
  }
}

@_cdecl("equiconv_plan_flops") @implementation
public func equiconv_plan_flops(_ plan: OpaquePointer?, _ batch: Int64) -> Double {
  PlanHandle.property(plan, of: 0) { $0.layer.plan.flops(batch: Int(max(batch, 0))) }
}
