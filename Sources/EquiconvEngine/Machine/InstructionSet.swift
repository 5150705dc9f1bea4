// SPDX-License-Identifier: Apache-2.0

import _EquiconvPlatform
import _EquiconvShims

/// The instruction-set variants of the microkernels: `baseline` for every processor, AVX2 and AVX-512 for x86-64, NEON for
/// 64-bit ARM.
public enum InstructionSet: String, Hashable, Sendable, CaseIterable, Comparable {
  case baseline, avx2, avx512, neon

  /// Those of this architecture, from the least to the most demanding.
  private static var ofThisArchitecture: [InstructionSet] {
    #if arch(x86_64)
      [.baseline, .avx2, .avx512]
    #elseif arch(arm64)
      [.baseline, .neon]
    #else
      [.baseline]
    #endif
  }

  /// What this processor and operating system can run, from the least to the most demanding.
  public static let available = Array(ofThisArchitecture.prefix(Int(equiconv_processor_level()) + 1))

  /// The variant in use: the best available one, or the one that `EQUICONV_ISA` names where it is less demanding. Names of
  /// another architecture say nothing.
  public static let current: InstructionSet = {
    let best = available.last ?? .baseline
    guard let text = getenv("EQUICONV_ISA"), let wanted = InstructionSet(rawValue: String(cString: text)),
      ofThisArchitecture.contains(wanted)
    else { return best }
    return min(wanted, best)
  }()

  private var rank: Int { self == .baseline ? 0 : self == .avx512 ? 2 : 1 }
  public static func < (a: InstructionSet, b: InstructionSet) -> Bool { a.rank < b.rank }
}
