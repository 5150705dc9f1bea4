// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import EquiconvGroups
import _EquiconvErrors

/// The cases of `equiconv_signal`.
private enum NamedSignal: Int32 {
  case plane = 0
  case group = 1
}

/// The arrays and sizes of one action.
private struct ActionArguments {
  let element: Int64
  let batch: Int64
  let channels: Int64
  let spatial: UnsafePointer<Int64>?
  let input: UnsafeRawPointer?
  let output: UnsafeMutableRawPointer?

  func run(_ group: PointGroup, on space: SignalSpace, _ scalar: ScalarType) throws(CallError) {
    let sizes = try location(spatial, .spatial)
    var extents = Extents(repeating: 0, count: group.dimension)
    for axis in extents.indices { extents[axis] = Int(sizes[axis]) }
    let input = try required(input, .input)
    let output = try required(output, .output)
    func run<S: EngineScalar>(_: S.Type) throws(CallError) {
      try engine(
        act(
          group, element: Int(element), on: space, batch: Int(batch), channels: Int(channels), spatial: extents,
          input: input.scalars(S.self), output: output.scalars(S.self)))
    }
    switch scalar {
    case .float32: try run(Float.self)
    case .float64: try run(Double.self)
    }
  }
}

@_cdecl("equiconv_act") @implementation
public func equiconv_act(
  _ group: OpaquePointer?, _ element: Int64, _ dtype: equiconv_dtype, _ signal: equiconv_signal, _ batch: Int64,
  _ channels: Int64, _ spatial: UnsafePointer<Int64>?, _ input: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let group = try GroupHandle.required(group).group
    let scalar = try ScalarType(dtype)
    let signal: NamedSignal = try enumeration(signal, .signal, expected: "an equiconv_signal, 0 or 1")
    try ActionArguments(
      element: element, batch: batch, channels: channels, spatial: spatial, input: input, output: output
    ).run(group, on: signal == .plane ? .plane : .group, scalar)
  }
}

@_cdecl("equiconv_act_on") @implementation
public func equiconv_act_on(
  _ group: OpaquePointer?, _ element: Int64, _ dtype: equiconv_dtype, _ stabilizer: OpaquePointer?, _ batch: Int64,
  _ channels: Int64, _ spatial: UnsafePointer<Int64>?, _ input: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let group = try GroupHandle.required(group).group
    let scalar = try ScalarType(dtype)
    let space = try SubgroupHandle.space(of: stabilizer, in: group, .stabilizer)
    try ActionArguments(
      element: element, batch: batch, channels: channels, spatial: spatial, input: input, output: output
    ).run(group, on: space, scalar)
  }
}

private func poolMode(_ mode: equiconv_pool_mode) throws(CallError) -> PoolMode {
  try enumeration(mode, .mode, expected: "EQUICONV_POOL_MEAN or _MAX")
}

@_cdecl("equiconv_group_pool") @implementation
public func equiconv_group_pool(
  _ dtype: equiconv_dtype, _ mode: equiconv_pool_mode, _ outer: Int64, _ order: Int64, _ inner: Int64,
  _ input: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let scalar = try ScalarType(dtype)
    let mode = try poolMode(mode)
    let input = try required(input, .input)
    let output = try required(output, .output)
    func run<S: EngineScalar>(_: S.Type) throws(CallError) {
      try engine(
        groupPool(
          mode, outer: Int(outer), order: Int(order), inner: Int(inner), input: input.scalars(S.self),
          output: output.scalars(S.self)))
    }
    switch scalar {
    case .float32: try run(Float.self)
    case .float64: try run(Double.self)
    }
  }
}

@_cdecl("equiconv_group_pool_vjp") @implementation
public func equiconv_group_pool_vjp(
  _ dtype: equiconv_dtype, _ mode: equiconv_pool_mode, _ outer: Int64, _ order: Int64, _ inner: Int64,
  _ gradOutput: UnsafeRawPointer?, _ input: UnsafeRawPointer?, _ gradInput: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let scalar = try ScalarType(dtype)
    let mode = try poolMode(mode)
    let gradOutput = try required(gradOutput, .outputGradient)
    let input = mode == .max ? try required(input, .input) : nil
    let gradInput = try required(gradInput, .inputGradient)
    func run<S: EngineScalar>(_: S.Type) throws(CallError) {
      try engine(
        groupPoolGradient(
          mode, outer: Int(outer), order: Int(order), inner: Int(inner), outputGradient: gradOutput.scalars(S.self),
          input: input?.scalars(S.self), inputGradient: gradInput.scalars(S.self)))
    }
    switch scalar {
    case .float32: try run(Float.self)
    case .float64: try run(Double.self)
    }
  }
}
