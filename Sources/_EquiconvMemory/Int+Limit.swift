// SPDX-License-Identifier: Apache-2.0

extension Int {
  /// 2 to the power of `exponent`: a limit of sizes, so that sums and small multiples of what is below it do not overflow.
  /// Where a pointer has 32 bits, 2^28 at most.
  @inlinable
  package static func limit(_ exponent: Int) -> Int { 1 << Swift.min(exponent, Int.bitWidth == 64 ? 62 : 28) }
}
