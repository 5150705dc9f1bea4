// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine
import _EquiconvErrors

extension equiconv_explanation {
  fileprivate init(_ explanation: Explanation, _ pass: Pass, isPrepared: Bool) {
    self.init()
    struct_size = MemoryLayout<equiconv_explanation>.size
    prepared = isPrepared ? 1 : 0
    self.pass = equiconv_pass(UInt32(pass.rawValue))
    algorithm = equiconv_algorithm(UInt32(explanation.algorithm.rawValue))
    tile = Int32(clamping: explanation.tile)
    threads = Int32(clamping: explanation.threads)
    operations = explanation.operations
    definition_operations = explanation.definitionOperations
    workspace_bytes = Int64(explanation.workspaceBytes)
    weight_bytes = Int64(explanation.weightBytes)
    seconds = explanation.seconds
    is_exact = explanation.isExact ? 1 : 0
    // The closing 0 is there already.
    let text = wholeCharacters(explanation.reason, atMost: Int(EQUICONV_REASON_SIZE) - 1)
    withUnsafeMutableBytes(of: &reason) { $0.copyBytes(from: text) }
  }
}

private func checkPrepared(_ value: Int32, _ pass: Pass) throws(CallError) -> Bool {
  guard value == 0 || (value == 1 && pass == .forward) else {
    throw CallError(
      EQUICONV_ERROR_INVALID_ENUM, .field(.explanation, .prepared), value, expected: "0, or 1 for a forward pass")
  }
  return value == 1
}

extension TypedPlan {
  /// Explains a pass into a struct of the caller's.
  func explain(
    _ pass: equiconv_pass, batch: Int64, into explanation: UnsafeMutablePointer<equiconv_explanation>?
  ) throws(CallError) {
    let pass: Pass = try enumeration(pass, .pass, expected: "an equiconv_pass, 0...2")
    let result = try location(explanation, .explanation)
    try checkStructSize(UnsafePointer(result), .field(.explanation, .structSize), "EQUICONV_EXPLANATION_INIT")
    let isPrepared = try checkPrepared(result.pointee.prepared, pass)
    let explanation = try explain(pass, batch: batch, isPrepared: isPrepared)
    result.pointee = equiconv_explanation(explanation, pass, isPrepared: isPrepared)
  }
}

@_cdecl("equiconv_plan_explain") @implementation
public func equiconv_plan_explain(
  _ plan: OpaquePointer?, _ pass: equiconv_pass, _ batch: Int64,
  _ explanation: UnsafeMutablePointer<equiconv_explanation>?
) -> equiconv_status {
  withStatus { () throws(CallError) in
    try PlanHandle.required(plan).layer.explain(pass, batch: batch, into: explanation)
  }
}
