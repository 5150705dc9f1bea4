// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import _EquiconvErrors

/// A plan and the scalar type of its arrays: the engine's typed passes on untyped pointers.
struct TypedPlan {
  let plan: ConvolutionPlan
  let scalar: ScalarType

  func forward(
    batch: Int64, input: UnsafeRawPointer?, weight: UnsafeRawPointer?, bias: UnsafeRawPointer?,
    output: UnsafeMutableRawPointer?
  ) throws(CallError) {
    try scalar.run(
      ForwardCall(
        plan: plan, batch: Int(batch), input: try required(input, .input), weight: try required(weight, .weight),
        bias: bias, output: try required(output, .output)))
  }

  private struct ForwardCall: ScalarCall {
    let plan: ConvolutionPlan
    let batch: Int
    let input: UnsafeRawPointer
    let weight: UnsafeRawPointer
    let bias: UnsafeRawPointer?
    let output: UnsafeMutableRawPointer

    func run<S: EngineScalar>(_: S.Type) throws(CallError) {
      try engine(
        plan.forward(
          batch: batch, input: input.scalars(S.self), weight: weight.scalars(S.self), bias: bias?.scalars(S.self),
          output: output.scalars(S.self)))
    }
  }

  func gradients(_ arrays: CallGradients) throws(CallError) {
    try scalar.run(
      GradientCall(plan: plan, gradOutput: try required(arrays.gradOutput, .outputGradient), arrays: arrays))
  }

  private struct GradientCall: ScalarCall {
    let plan: ConvolutionPlan
    let gradOutput: UnsafeRawPointer
    let arrays: CallGradients

    func run<S: EngineScalar>(_: S.Type) throws(CallError) {
      try engine(
        plan.gradients(
          batch: Int(arrays.batch), outputGradient: gradOutput.scalars(S.self), input: arrays.input?.scalars(S.self),
          weight: arrays.weight?.scalars(S.self), inputGradient: arrays.gradInput?.scalars(S.self),
          weightGradient: arrays.gradWeight?.scalars(S.self), biasGradient: arrays.gradBias?.scalars(S.self)))
    }
  }

  func expand(weight: UnsafeRawPointer?, bank: UnsafeMutableRawPointer?) throws(CallError) {
    try scalar.run(
      ExpandCall(plan: plan, weight: try required(weight, .weight), bank: try required(bank, .bank)))
  }

  private struct ExpandCall: ScalarCall {
    let plan: ConvolutionPlan
    let weight: UnsafeRawPointer
    let bank: UnsafeMutableRawPointer

    func run<S: EngineScalar>(_: S.Type) throws(CallError) {
      try engine(plan.expand(weight: weight.scalars(S.self), bank: bank.scalars(S.self)))
    }
  }

  func explain(_ pass: Pass, batch: Int64, isPrepared: Bool) throws(CallError) -> Explanation {
    try scalar.run(ExplainCall(plan: plan, pass: pass, batch: Int(batch), isPrepared: isPrepared))
  }

  private struct ExplainCall: ScalarCall {
    let plan: ConvolutionPlan
    let pass: Pass
    let batch: Int
    let isPrepared: Bool

    func run<S: EngineScalar>(_: S.Type) throws(CallError) -> Explanation {
      try engine(plan.explain(pass, batch: batch, isPrepared: isPrepared, S.self))
    }
  }
}

/// The arrays of one vector-Jacobian product, in the order of C. A gradient that is nil is not wanted.
struct CallGradients {
  let batch: Int64
  let gradOutput: UnsafeRawPointer?
  let input: UnsafeRawPointer?
  let weight: UnsafeRawPointer?
  let gradInput: UnsafeMutableRawPointer?
  let gradWeight: UnsafeMutableRawPointer?
  let gradBias: UnsafeMutableRawPointer?

  init(
    _ batch: Int64, _ gradOutput: UnsafeRawPointer?, input: UnsafeRawPointer? = nil, weight: UnsafeRawPointer? = nil,
    gradInput: UnsafeMutableRawPointer? = nil, gradWeight: UnsafeMutableRawPointer? = nil,
    gradBias: UnsafeMutableRawPointer? = nil
  ) {
    self.batch = batch
    self.gradOutput = gradOutput
    self.input = input
    self.weight = weight
    self.gradInput = gradInput
    self.gradWeight = gradWeight
    self.gradBias = gradBias
  }
}
