// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine

/// A plan and the scalar type of its arrays: the engine's typed passes on untyped pointers.
struct TypedPlan {
  let plan: ConvolutionPlan
  let scalar: ScalarType

  func forward(
    batch: Int64, input: UnsafeRawPointer?, weight: UnsafeRawPointer?, bias: UnsafeRawPointer?,
    output: UnsafeMutableRawPointer?
  ) throws(CallError) {
    let input = try required(input, .input)
    let weight = try required(weight, .weight)
    let output = try required(output, .output)
    func run<S: EngineScalar>(_: S.Type) throws(CallError) {
      try engine(
        plan.forward(
          batch: Int(batch), input: input.scalars(S.self), weight: weight.scalars(S.self), bias: bias?.scalars(S.self),
          output: output.scalars(S.self)))
    }
    switch scalar {
    case .float32: try run(Float.self)
    case .float64: try run(Double.self)
    }
  }

  func inputGradient(
    batch: Int64, gradOutput: UnsafeRawPointer?, weight: UnsafeRawPointer?, gradInput: UnsafeMutableRawPointer?
  ) throws(CallError) {
    let gradOutput = try required(gradOutput, .outputGradient)
    let weight = try required(weight, .weight)
    let gradInput = try required(gradInput, .inputGradient)
    func run<S: EngineScalar>(_: S.Type) throws(CallError) {
      try engine(
        plan.inputGradient(
          batch: Int(batch), outputGradient: gradOutput.scalars(S.self), weight: weight.scalars(S.self),
          inputGradient: gradInput.scalars(S.self)))
    }
    switch scalar {
    case .float32: try run(Float.self)
    case .float64: try run(Double.self)
    }
  }

  func weightGradient(
    batch: Int64, gradOutput: UnsafeRawPointer?, input: UnsafeRawPointer?, gradWeight: UnsafeMutableRawPointer?
  ) throws(CallError) {
    let gradOutput = try required(gradOutput, .outputGradient)
    let input = try required(input, .input)
    let gradWeight = try required(gradWeight, .weightGradient)
    func run<S: EngineScalar>(_: S.Type) throws(CallError) {
      try engine(
        plan.weightGradient(
          batch: Int(batch), outputGradient: gradOutput.scalars(S.self), input: input.scalars(S.self),
          weightGradient: gradWeight.scalars(S.self)))
    }
    switch scalar {
    case .float32: try run(Float.self)
    case .float64: try run(Double.self)
    }
  }

  func biasGradient(
    batch: Int64, gradOutput: UnsafeRawPointer?, gradBias: UnsafeMutableRawPointer?
  ) throws(CallError) {
    let gradOutput = try required(gradOutput, .outputGradient)
    let gradBias = try required(gradBias, .biasGradient)
    func run<S: EngineScalar>(_: S.Type) throws(CallError) {
      try engine(
        plan.biasGradient(
          batch: Int(batch), outputGradient: gradOutput.scalars(S.self), biasGradient: gradBias.scalars(S.self)))
    }
    switch scalar {
    case .float32: try run(Float.self)
    case .float64: try run(Double.self)
    }
  }

  func expand(weight: UnsafeRawPointer?, bank: UnsafeMutableRawPointer?) throws(CallError) {
    let weight = try required(weight, .weight)
    let bank = try required(bank, .bank)
    func run<S: EngineScalar>(_: S.Type) throws(CallError) {
      try engine(
        plan.expand(weight: weight.scalars(S.self), bank: bank.scalars(S.self)))
    }
    switch scalar {
    case .float32: try run(Float.self)
    case .float64: try run(Double.self)
    }
  }
}
