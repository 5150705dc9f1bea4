// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

/// Why something is not a group, or not a subgroup: the argument, the value it had and what was expected.
public enum GroupError: ArgumentError, Hashable, Sendable {
  /// An argument that decides the order of the group is outside `1...limit`.
  case invalidOrder(Argument, value: Int, limit: Int)
  /// A dimension other than 1, 2 or 3.
  case invalidDimension(Int)
  /// An entry of a matrix is infinite or not a number.
  case notFinite(element: Int, row: Int, column: Int)
  /// Matrix 0 is not the identity.
  case identityNotFirst
  /// Two matrices are equal.
  case duplicateElement(Int, Int)
  /// A matrix is singular, or its inverse is missing.
  case noInverse(element: Int)
  /// The product of two matrices, in this order, is missing.
  case notClosed(Int, Int)
  /// A set of elements is not a subgroup.
  case notASubgroup(reason: String)
  /// A factor of a scaling is not what it must be.
  case invalidFactor(index: Int, value: Double, expected: String)
  /// Two factors of a scaling are equal.
  case duplicateFactor(Int, Int)
  /// Two homogeneous spaces that must belong to one group, by the names of their groups.
  case differentGroups(String, String)
  /// The number of matrix entries is not a multiple of d².
  case wrongMatrixCount(expected: Int, got: Int)
  /// There was no memory for so many bytes of the group's tables.
  case outOfMemory(bytes: Int)

  /// For example "n is 0, expected 1...4096".
  public func message(in language: Language) -> String {
    func name(_ argument: Argument) -> String { argument.name(in: language) }
    func matrix(_ element: Int) -> String { name(.matrices[element]) }
    return switch self {
    case .invalidOrder(let argument, let value, let limit):
      "\(name(argument)) is \(value), expected 1...\(limit)"
    case .invalidDimension(let dimension):
      "\(name(.dimension)) is \(dimension), expected 1, 2 or 3"
    case .notFinite(let element, let row, let column):
      "\(name(.matrices[element][row][column])) is infinite or not a number, expected a finite number"
    case .identityNotFirst:
      "\(matrix(0)) is not the identity, expected the identity first"
    case .duplicateElement(let first, let second):
      "\(matrix(first)) and \(matrix(second)) are equal, expected each element once"
    case .noInverse(let element):
      "\(matrix(element)) is singular or its inverse is missing, expected the inverse of every element"
    case .notClosed(let left, let right):
      "the product \(matrix(left)) · \(matrix(right)) is missing, expected the product of every two elements"
    case .notASubgroup(let reason):
      "\(reason), expected a subgroup"
    case .invalidFactor(let index, let value, let expected):
      "\(name(.factors[index])) is \(value), expected \(expected)"
    case .duplicateFactor(let first, let second):
      "\(name(.factors[first])) and \(name(.factors[second])) are equal, expected each factor once"
    case .differentGroups(let first, let second):
      "the spaces are those of the groups \(first) and \(second), expected spaces of one group"
    case .wrongMatrixCount(let expected, let got):
      "\(name(.matrices)) has \(got) entries, expected a whole number of d×d matrices, for example \(expected) entries"
    case .outOfMemory(let bytes):
      "\(name(.group)) has \(bytes) bytes of tables, expected memory for them"
    }
  }
}

extension GroupError: AllocationFailure {}

/// An array of this module under construction.
typealias GroupTable<Element> = CheckedArray<Element, GroupError>
