// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

public import _EquiconvMemory

extension Network {
  /// What `explain` says, as JSON: see equiconv/network.h.
  ///
  /// - Throws: as `explain`.
  public func explanationText(input: [Int]) throws(NetworkError) -> FixedArray<UInt8> {
    let operations = try explain(input: input)
    var json = JSONWriter()
    try json.object { json throws(NetworkError) in
      try json.key("operations")
      try json.list { json throws(NetworkError) in
        for operation in operations { try write(operation, &json) }
      }
    }
    return json.finished()
  }

  private func write(_ operation: OperationExplanation, _ json: inout JSONWriter) throws(NetworkError) {
    try json.object { json throws(NetworkError) in
      try json.text(operation.name, for: "name")
      try json.key("operation")
      if let position = operation.operation { try json.integer(position) } else { try json.null() }
      try json.text(operation.kind, for: "kind")
      try json.key("function")
      if let function = operation.pointwise { try json.text(function.word) } else { try json.null() }
      try json.key("shape")
      try json.list(operation.outputShape)
      try json.key("algorithm")
      if let algorithm = operation.algorithm { try json.text(algorithm.description) } else { try json.null() }
      try json.key("exact")
      try json.bool(operation.isExact)
      try json.key("estimate")
      if let seconds = operation.estimatedSeconds { try json.seconds(seconds) } else { try json.null() }
      try json.key("seconds")
      try json.seconds(operation.measuredSeconds)
      try json.key("images")
      try json.integer(operation.images)
      try json.key("weight_bytes")
      try json.integer(operation.weightBytes)
      try json.key("transform_bytes")
      try json.integer(operation.transformBytes)
      try json.key("workspace_bytes")
      try json.integer(operation.workspaceBytes)
    }
  }
}

extension JSONWriter {
  /// Seconds to the nanosecond, in one width: what is measured again takes as much room.
  fileprivate mutating func seconds(_ value: Double) throws(NetworkError) {
    let most = 9_999_999.0
    let nanoseconds = Int((value.isFinite ? min(max(value, 0), most) : most) * 1e9)
    let (whole, rest) = ("\(nanoseconds / 1_000_000_000)", "\(nanoseconds % 1_000_000_000)")
    let spaces = String(repeating: " ", count: 7 - whole.utf8.count)
    let zeros = String(repeating: "0", count: 9 - rest.utf8.count)
    try word(spaces + whole + "." + zeros + rest)
  }
}
