// SPDX-License-Identifier: Apache-2.0

/// An error that names arguments, and so reads differently in each language.
public protocol ArgumentError: Error, CustomStringConvertible {
  /// What is wrong: the argument, its value and what was expected.
  func message(in language: Language) -> String
}

extension ArgumentError {
  /// The message for Swift, for example "stride[1] is 0, expected a positive number".
  public var description: String { message(in: .swift) }
}
