// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import _EquiconvErrors

/// What an `equiconv_weight` points to: the engine's prepared weight, of either type.
final class WeightHandle: Handle {
  enum Numbers {
    case float32(PreparedWeight<Float>)
    case float64(PreparedWeight<Double>)
  }

  static let argument = Argument.weight
  let numbers: Numbers

  /// Copies `count` numbers, whose bytes fit in 63 bits.
  init(_ scalar: ScalarType, count: Int, copying pointer: UnsafeRawPointer?) throws(CallError) {
    guard let pointer else {
      throw CallError(EQUICONV_ERROR_NULL_POINTER, .numbers, "NULL", expected: "a pointer")
    }
    _ = try ArrayArgument(.numbers, pointer, count: count, of: scalar)
    switch scalar {
    case .float32: numbers = .float32(try engine(PreparedWeight(copying: pointer.scalars(Float.self), count: count)))
    case .float64: numbers = .float64(try engine(PreparedWeight(copying: pointer.scalars(Double.self), count: count)))
    }
  }

  /// Copies the numbers to an array that has so many.
  func copyNumbers(to pointer: UnsafeMutableRawPointer, count: Int64) throws(CallError) {
    func copy<S: EngineScalar>(_ weight: PreparedWeight<S>, _ scalar: ScalarType) throws(CallError) {
      guard count == weight.count else {
        throw CallError(EQUICONV_ERROR_INVALID_SIZE, .count, count, expected: "\(weight.count)")
      }
      _ = try ArrayArgument(.numbers, pointer, count: weight.count, of: scalar)
      weight.copyNumbers(to: pointer.scalars(S.self))
    }
    switch numbers {
    case .float32(let weight): try copy(weight, .float32)
    case .float64(let weight): try copy(weight, .float64)
    }
  }

  var bytes: Int {
    switch numbers {
    case .float32(let weight): weight.bytes
    case .float64(let weight): weight.bytes
    }
  }
}

extension TypedPlan {
  func forward(
    batch: Int64, input: UnsafeRawPointer?, prepared weight: OpaquePointer?, bias: UnsafeRawPointer?,
    output: UnsafeMutableRawPointer?
  ) throws(CallError) {
    let input = try required(input, .input)
    let weight = try WeightHandle.required(weight)
    let output = try required(output, .output)
    func run<S: EngineScalar>(_ weight: PreparedWeight<S>) throws(CallError) {
      try engine(
        plan.forward(
          batch: Int(batch), input: input.scalars(S.self), weight: weight, bias: bias?.scalars(S.self),
          output: output.scalars(S.self)))
    }
    switch (scalar, weight.numbers) {
    case (.float32, .float32(let numbers)): try run(numbers)
    case (.float64, .float64(let numbers)): try run(numbers)
    case (.float32, .float64): throw Self.dtypeMismatch("EQUICONV_FLOAT64", expected: "EQUICONV_FLOAT32")
    case (.float64, .float32): throw Self.dtypeMismatch("EQUICONV_FLOAT32", expected: "EQUICONV_FLOAT64")
    }
  }

  private static func dtypeMismatch(_ value: String, expected: String) -> CallError {
    CallError(
      EQUICONV_ERROR_DTYPE_MISMATCH, .weight, "prepared from \(value)", expected: "\(expected), as the layer has")
  }
}

// MARK: Entry points

/// Gives a new handle to C.
private func create(
  _ result: UnsafeMutablePointer<OpaquePointer?>?, _ make: () throws(CallError) -> WeightHandle
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let result = try location(result, .weight)
    result.pointee = try make().retainedPointer()
  }
}

@_cdecl("equiconv_weight_create") @implementation
public func equiconv_weight_create(
  _ dtype: equiconv_dtype, _ count: Int64, _ numbers: UnsafeRawPointer?, _ weight: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(weight) { () throws(CallError) in
    let scalar = try ScalarType(dtype)
    if count < 1 {
      throw CallError(EQUICONV_ERROR_INVALID_SIZE, .count, count, expected: "a positive number")
    }
    if count > 1 << 59 {
      throw CallError(
        EQUICONV_ERROR_SIZE_OVERFLOW, .count, count, expected: "a size in bytes that fits in 63 bits")
    }
    return try WeightHandle(scalar, count: Int(count), copying: numbers)
  }
}

@_cdecl("equiconv_plan_prepare") @implementation
public func equiconv_plan_prepare(
  _ plan: OpaquePointer?, _ numbers: UnsafeRawPointer?, _ weight: UnsafeMutablePointer<OpaquePointer?>?
) -> equiconv_status {
  create(weight) { () throws(CallError) in
    let layer = try PlanHandle.required(plan).layer
    return try WeightHandle(layer.scalar, count: layer.plan.weightShape.reduce(1, *), copying: numbers)
  }
}

@_cdecl("equiconv_weight_destroy") @implementation
public func equiconv_weight_destroy(_ weight: OpaquePointer?) {
  inCall { WeightHandle.release(weight) }
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
  inCall { Int64(WeightHandle.borrowed(weight)?.bytes ?? 0) }
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
