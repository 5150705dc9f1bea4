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
private struct ActionCall: ScalarCall {
  let group: PointGroup
  let element: Int
  let space: SignalSpace
  let batch: Int
  let channels: Int
  let spatial: Extents
  let input: UnsafeRawPointer
  let output: UnsafeMutableRawPointer

  init(
    _ group: PointGroup, _ element: Int64, on space: SignalSpace, _ batch: Int64, _ channels: Int64,
    _ spatial: UnsafePointer<Int64>?, _ input: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
  ) throws(CallError) {
    let sizes = try location(spatial, .spatial)
    self.group = group
    self.element = Int(element)
    self.space = space
    self.batch = Int(batch)
    self.channels = Int(channels)
    var extents = Extents(repeating: 0, count: group.dimension)
    for axis in extents.indices { extents[axis] = Int(sizes[axis]) }
    self.spatial = extents
    self.input = try required(input, .input)
    self.output = try required(output, .output)
  }

  func run<S: EngineScalar>(_: S.Type) throws(CallError) {
    try engine(
      act(
        group, element: element, on: space, batch: batch, channels: channels, spatial: spatial,
        input: input.scalars(S.self), output: output.scalars(S.self)))
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
    let space = signal == .plane ? SignalSpace.plane : .group
    try scalar.run(ActionCall(group, element, on: space, batch, channels, spatial, input, output))
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
    try scalar.run(ActionCall(group, element, on: space, batch, channels, spatial, input, output))
  }
}

/// How, and over which axis, a signal is pooled.
private struct Pool {
  let mode: PoolMode
  let outer: Int
  let order: Int
  let inner: Int

  init(_ mode: equiconv_pool_mode, _ outer: Int64, _ order: Int64, _ inner: Int64) throws(CallError) {
    self.mode = try enumeration(mode, .mode, expected: "EQUICONV_POOL_MEAN or _MAX")
    self.outer = Int(outer)
    self.order = Int(order)
    self.inner = Int(inner)
  }
}

private struct PoolCall: ScalarCall {
  let pool: Pool
  let input: UnsafeRawPointer
  let output: UnsafeMutableRawPointer

  func run<S: EngineScalar>(_: S.Type) throws(CallError) {
    try engine(
      groupPool(
        pool.mode, outer: pool.outer, order: pool.order, inner: pool.inner, input: input.scalars(S.self),
        output: output.scalars(S.self)))
  }
}

private struct PoolGradientCall: ScalarCall {
  let pool: Pool
  let gradOutput: UnsafeRawPointer
  /// Read for the maximum alone.
  let input: UnsafeRawPointer?
  let gradInput: UnsafeMutableRawPointer

  func run<S: EngineScalar>(_: S.Type) throws(CallError) {
    try engine(
      groupPoolGradient(
        pool.mode, outer: pool.outer, order: pool.order, inner: pool.inner,
        outputGradient: gradOutput.scalars(S.self), input: pool.mode == .max ? input?.scalars(S.self) : nil,
        inputGradient: gradInput.scalars(S.self)))
  }
}

@_cdecl("equiconv_group_pool") @implementation
public func equiconv_group_pool(
  _ dtype: equiconv_dtype, _ mode: equiconv_pool_mode, _ outer: Int64, _ order: Int64, _ inner: Int64,
  _ input: UnsafeRawPointer?, _ output: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let scalar = try ScalarType(dtype)
    let pool = try Pool(mode, outer, order, inner)
    try scalar.run(
      PoolCall(pool: pool, input: try required(input, .input), output: try required(output, .output)))
  }
}

@_cdecl("equiconv_group_pool_vjp") @implementation
public func equiconv_group_pool_vjp(
  _ dtype: equiconv_dtype, _ mode: equiconv_pool_mode, _ outer: Int64, _ order: Int64, _ inner: Int64,
  _ gradOutput: UnsafeRawPointer?, _ input: UnsafeRawPointer?, _ gradInput: UnsafeMutableRawPointer?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let scalar = try ScalarType(dtype)
    let pool = try Pool(mode, outer, order, inner)
    try scalar.run(
      PoolGradientCall(
        pool: pool, gradOutput: try required(gradOutput, .outputGradient), input: input,
        gradInput: try required(gradInput, .inputGradient)))
  }
}
