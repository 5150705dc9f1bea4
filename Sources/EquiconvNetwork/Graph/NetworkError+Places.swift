// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

extension NetworkError {
  /// An error of a document, or of tensors that do not fit it.
  static func document(_ place: String, _ value: some CustomStringConvertible, expected: String) -> NetworkError {
    .invalid(.document, place: place, value: value.description, expected: expected)
  }

  /// An error of what a caller passes.
  static func argument(_ place: String, _ value: some CustomStringConvertible, expected: String) -> NetworkError {
    .invalid(.argument, place: place, value: value.description, expected: expected)
  }

  /// Sizes whose product is beyond what any memory holds.
  static func tooLarge(_ place: String, _ shape: [Int]) -> NetworkError {
    .invalid(.limit, place: place, value: "of shape \(text(shape))", expected: "a size in bytes that fits in 63 bits")
  }

  /// For example "(1, 3, 64, 64)".
  static func text(_ shape: [Int]) -> String { "(" + shape.map { "\($0)" }.joined(separator: ", ") + ")" }
}

extension NetworkDocument {
  /// Where an operation stands, for errors: for example "operations[3] (layers.2)".
  func place(_ operation: Int) -> String { "operations[\(operation)] (\(operations[operation].name))" }
}

/// An array of this module under construction.
typealias NetworkTable<Element> = CheckedArray<Element, NetworkError>
