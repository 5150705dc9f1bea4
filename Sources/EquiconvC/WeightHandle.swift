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

  /// Copies `count` numbers.
  init(_ scalar: ScalarType, count: Int64, copying pointer: UnsafeRawPointer) throws(CallError) {
    switch scalar {
    case .float32:
      numbers = .float32(try engine(PreparedWeight(copying: pointer.scalars(Float.self), count: Int(count))))
    case .float64:
      numbers = .float64(try engine(PreparedWeight(copying: pointer.scalars(Double.self), count: Int(count))))
    }
  }

  /// Copies the numbers to an array that has so many.
  func copyNumbers(to pointer: UnsafeMutableRawPointer, count: Int64) throws(CallError) {
    switch numbers {
    case .float32(let weight):
      try engine(weight.copyNumbers(to: pointer.scalars(Float.self), count: Int(count)))
    case .float64(let weight):
      try engine(weight.copyNumbers(to: pointer.scalars(Double.self), count: Int(count)))
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
    case (.float32, .float64): throw Self.mismatch(.float64, expected: .float32)
    case (.float64, .float32): throw Self.mismatch(.float32, expected: .float64)
    }
  }

  private static func mismatch(_ found: ScalarType, expected: ScalarType) -> CallError {
    CallError(
      EQUICONV_ERROR_DTYPE_MISMATCH, .weight, "prepared from \(found.name)",
      expected: "\(expected.name), as the layer has")
  }
}
