// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import EquiconvNetwork
import _EquiconvErrors
import _EquiconvMemory

@_cdecl("equiconv_network_reserve") @implementation
public func equiconv_network_reserve(
  _ network: OpaquePointer?, _ input: UnsafePointer<equiconv_shape>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let handle = try NetworkHandle.required(network)
    let input = try shape(input, .input)
    try networks(handle.network.reserve(input: input.values))
  }
}

@_cdecl("equiconv_network_run") @implementation
public func equiconv_network_run(
  _ network: OpaquePointer?, _ dtype: equiconv_dtype, _ inputShape: UnsafePointer<equiconv_shape>?,
  _ input: UnsafeRawPointer?, _ outputs: UnsafePointer<UnsafeMutableRawPointer?>?, _ outputCount: Int32
) -> equiconv_status {
  withStatus { () throws(CallError) in
    let handle = try NetworkHandle.required(network)
    let scalar = try ScalarType(dtype)
    if scalar != handle.scalar {
      throw CallError(
        EQUICONV_ERROR_DTYPE_MISMATCH, .dtype, scalar.name, expected: "\(handle.scalar.name), as the network has")
    }
    try scalar.run(
      NetworkCall(
        network: handle.network, shape: try shape(inputShape, .inputShape).values, input: try required(input, .input),
        outputs: try readOutputs(outputs, outputCount, handle.outputs.count)))
  }
}

/// As many outputs as the network has.
private func readOutputs(
  _ outputs: UnsafePointer<UnsafeMutableRawPointer?>?, _ given: Int32, _ count: Int
) throws(CallError) -> [UnsafeMutableRawPointer] {
  let outputs = try location(outputs, .outputs)
  if Int(given) != count {
    throw CallError(EQUICONV_ERROR_INVALID_SIZE, .outputCount, given, expected: "\(count), as the network has")
  }
  var read: [UnsafeMutableRawPointer] = []
  for index in 0..<count { read.append(try required(outputs[index], .outputs[index])) }
  return read
}

private struct NetworkCall: ScalarCall {
  let network: Network
  let shape: [Int]
  let input: UnsafeRawPointer
  let outputs: [UnsafeMutableRawPointer]

  func run<S: EngineScalar>(_: S.Type) throws(CallError) {
    try networks(
      network.run(inputShape: shape, input: input.scalars(S.self), outputs: outputs.map { $0.scalars(S.self) }))
  }
}

@_cdecl("equiconv_network_explain") @implementation
public func equiconv_network_explain(
  _ network: OpaquePointer?, _ input: UnsafePointer<equiconv_shape>?, _ capacity: Int,
  _ text: UnsafeMutablePointer<CChar>?, _ length: UnsafeMutablePointer<Int>?
) -> equiconv_status {
  withText(capacity, text, length) { () throws(CallError) in
    let handle = try NetworkHandle.required(network)
    let input = try shape(input, .input)
    return try networks(handle.network.explanationText(input: input.values))
  }
}

@_cdecl("equiconv_network_check") @implementation
public func equiconv_network_check(_ network: OpaquePointer?) -> equiconv_status {
  withStatus { () throws(CallError) in
    let handle = try NetworkHandle.required(network)
    try networks(handle.network.runTest(of: handle.file))
  }
}
