// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The instruction-set variants of the microkernels, from the least to the most demanding.
public enum InstructionSet: String, Hashable, Sendable, CaseIterable, Comparable {
  case baseline, avx2, avx512

  /// What this processor and operating system can run.
  public static let available: [InstructionSet] = {
    let level = Int(equiconv_x86_level())
    return Array(allCases.prefix(level + 1))
  }()

  /// The variant in use: the best available one, or the one `EQUICONV_ISA` names where it is available.
  public static let current: InstructionSet = {
    let best = available.last ?? .baseline
    guard let text = getenv("EQUICONV_ISA"), let wanted = InstructionSet(rawValue: String(cString: text)) else {
      return best
    }
    return min(wanted, best)
  }()

  private var rank: Int { self == .baseline ? 0 : self == .avx2 ? 1 : 2 }
  public static func < (a: InstructionSet, b: InstructionSet) -> Bool { a.rank < b.rank }
}
