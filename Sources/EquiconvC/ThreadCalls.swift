// SPDX-License-Identifier: Apache-2.0

import CEquiconv
import EquiconvEngine

@_cdecl("equiconv_set_num_threads") @implementation
public func equiconv_set_num_threads(_ count: Int32) -> equiconv_status {
  withStatus { () throws(CallError) in try engine(Threads.setCount(Int(count))) }
}

@_cdecl("equiconv_get_num_threads") @implementation
public func equiconv_get_num_threads() -> Int32 {
  inCall { Int32(clamping: Threads.count) }
}

@_cdecl("equiconv_set_workspace_limit") @implementation
public func equiconv_set_workspace_limit(_ bytes: Int64) -> equiconv_status {
  withStatus { () throws(CallError) in try engine(WorkspaceLimit.set(bytesPerThread: Int(bytes))) }
}

@_cdecl("equiconv_workspace_limit") @implementation
public func equiconv_workspace_limit() -> Int64 {
  inCall { Int64(WorkspaceLimit.bytesPerThread) }
}

@_cdecl("equiconv_instruction_set") @implementation
public func equiconv_instruction_set() -> UnsafePointer<CChar>? {
  inCall {
    switch InstructionSet.current {
    case .baseline: cString("baseline")
    case .avx2: cString("avx2")
    case .avx512: cString("avx512")
    case .neon: cString("neon")
    }
  }
}
