// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

/// Why something is not a basis: the argument, the value it had and what was expected.
public enum BasisError: ArgumentError, Equatable, Sendable {
  /// A whole number is outside its range.
  case invalidInteger(Argument, value: Int, expected: String)
  /// A real number is outside its range, infinite or not a number.
  case invalidNumber(Argument, value: Double, expected: String)
  /// A list of whole numbers is of the wrong length or has wrong entries.
  case invalidList(Argument, value: [Int], expected: String)
  /// A list has the wrong number of entries.
  case wrongCount(Argument, count: Int, expected: String)
  /// The basis does not exist on this group.
  case wrongGroup(name: String, expected: String)
  /// There was no memory for so many bytes of the basis.
  case outOfMemory(bytes: Int)

  /// For example "extents is [3, 0], expected 1, 2 or 3 positive numbers".
  public func message(in language: Language) -> String {
    func name(_ argument: Argument) -> String { argument.name(in: language) }
    return switch self {
    case .invalidInteger(let argument, let value, let expected): "\(name(argument)) is \(value), expected \(expected)"
    case .invalidNumber(let argument, let value, let expected): "\(name(argument)) is \(value), expected \(expected)"
    case .invalidList(let argument, let value, let expected):
      "\(name(argument)) is \(listText(value)), expected \(expected)"
    case .wrongCount(let argument, let count, let expected):
      "\(name(argument)) has \(count) entries, expected \(expected)"
    case .wrongGroup(let group, let expected): "\(name(.group)) is \(group), expected \(expected)"
    case .outOfMemory(let bytes): "\(name(.basis)) is of \(bytes) bytes, expected memory for them"
    }
  }
}

extension BasisError: AllocationFailure {}

/// An array of this module under construction.
typealias BasisTable<Element> = CheckedArray<Element, BasisError>

/// Throws unless a whole number is in a range.
func check(_ value: Int, in range: ClosedRange<Int>, _ argument: Argument) throws(BasisError) {
  guard range.contains(value) else {
    throw .invalidInteger(argument, value: value, expected: "\(range.lowerBound)...\(range.upperBound)")
  }
}

/// Throws unless a real number is in a range; NaN is in no range.
func check(_ value: Double, in range: ClosedRange<Double>, _ argument: Argument) throws(BasisError) {
  guard range.contains(value) else {
    throw .invalidNumber(argument, value: value, expected: "\(range.lowerBound)...\(range.upperBound)")
  }
}

/// Throws unless a real number is positive and finite.
func checkPositive(_ value: Double, _ argument: Argument) throws(BasisError) {
  guard value > 0, value.isFinite else {
    throw .invalidNumber(argument, value: value, expected: "a positive finite number")
  }
}
