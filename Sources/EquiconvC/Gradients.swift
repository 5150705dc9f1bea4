// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import _EquiconvErrors

/// The arrays of one vector-Jacobian product. A gradient that is nil is not wanted.
struct GradientArguments {
  let batch: Int64
  let gradOutput: UnsafeRawPointer?
  let input: UnsafeRawPointer?
  let weight: UnsafeRawPointer?
  let gradInput: UnsafeMutableRawPointer?
  let gradWeight: UnsafeMutableRawPointer?
  let gradBias: UnsafeMutableRawPointer?
}

extension TypedPlan {
  /// The wanted gradients. All arguments are checked before the first is computed, so that a wrong one leaves
  /// every array as it was.
  func gradients(_ arguments: GradientArguments) throws(CallError) {
    try check(arguments)
    try checkAlgorithm(arguments)
    let a = arguments
    if a.gradInput != nil {
      try inputGradient(batch: a.batch, gradOutput: a.gradOutput, weight: a.weight, gradInput: a.gradInput)
    }
    if a.gradWeight != nil {
      try weightGradient(batch: a.batch, gradOutput: a.gradOutput, input: a.input, gradWeight: a.gradWeight)
    }
    if a.gradBias != nil { try biasGradient(batch: a.batch, gradOutput: a.gradOutput, gradBias: a.gradBias) }
  }

  private func check(_ a: GradientArguments) throws(CallError) {
    let inputCount = count(try engine(plan.inputShape(batch: Int(a.batch))))
    let outputCount = count(try engine(plan.outputShape(batch: Int(a.batch))))
    let weightCount = count(plan.weightShape)
    func array(_ name: Argument, _ pointer: UnsafeRawPointer?, _ count: Int) throws(CallError) -> ArrayArgument {
      try ArrayArgument(name, required(pointer, name), count: count, of: scalar)
    }
    let gradOutput = try array(.outputGradient, a.gradOutput, outputCount)
    let weight = a.gradInput == nil ? nil : try array(.weight, a.weight, weightCount)
    let input = a.gradWeight == nil ? nil : try array(.input, a.input, inputCount)
    let gradInput = try a.gradInput.map { (pointer) throws(CallError) in try array(.inputGradient, pointer, inputCount)
    }
    let gradWeight = try a.gradWeight.map { (pointer) throws(CallError) in
      try array(.weightGradient, pointer, weightCount)
    }
    let gradBias = try a.gradBias.map { (pointer) throws(CallError) in
      try array(.biasGradient, pointer, plan.descriptor.outChannels)
    }
    try gradInput?.checkDisjoint(from: gradOutput, weight, input)
    try gradWeight?.checkDisjoint(from: gradOutput, weight, input, gradInput)
    try gradBias?.checkDisjoint(from: gradOutput, weight, input, gradInput, gradWeight)
  }

  /// An algorithm that cannot do one of the wanted gradients is an error before the first is computed.
  private func checkAlgorithm(_ a: GradientArguments) throws(CallError) {
    switch plan.descriptor.layer.algorithm {
    case .auto, .direct: return
    case .winograd, .fourier:
      if a.gradInput != nil { _ = try explain(.inputGradient, batch: a.batch) }
      if a.gradWeight != nil { _ = try explain(.weightGradient, batch: a.batch) }
    }
  }

  /// The number of elements of a shape whose byte size the plan has checked.
  private func count(_ shape: [Int]) -> Int { shape.reduce(1, *) }
}
