// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where two arrays first differ by `==`, or nil if they are equal. Short, unlike a report of all their numbers.
public func firstDifference<S: BinaryFloatingPoint>(_ a: [S], _ b: [S]) -> String? {
  difference(a, b) { $0 == $1 }
}

/// Where two arrays first differ in their bits, or nil: −0 and 0, and two NaNs, are told apart.
public func firstDifferenceInBits<S: EngineScalar>(_ a: [S], _ b: [S]) -> String? {
  haveSameBits(a, b) ? nil : difference(a, b) { haveSameBits([$0], [$1]) }
}

/// Whether two arrays have the same bits.
public func haveSameBits<S: EngineScalar>(_ a: [S], _ b: [S]) -> Bool {
  a.count == b.count && memcmp(a, b, a.count * MemoryLayout<S>.stride) == 0
}

private func difference<S>(_ a: [S], _ b: [S], _ areEqual: (S, S) -> Bool) -> String? {
  guard a.count == b.count else { return "\(a.count) and \(b.count) numbers" }
  return a.indices.first { !areEqual(a[$0], b[$0]) }.map { "\(a[$0]) and \(b[$0]) at \($0) of \(a.count)" }
}

/// The sum of products, in Double.
@inlinable
public func inner<S: EngineScalar>(_ a: [S], _ b: [S]) -> Double {
  zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}
