// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

/// Why a layer could not be planned or run: the argument, the value it had and what was expected.
public struct ConvolutionError: ArgumentError, Hashable, Sendable {
  /// The kinds of error, one for each status of the C interface that concerns layers.
  public enum Kind: Hashable, Sendable, CaseIterable {
    case nullPointer, invalidEnum, misalignedPointer, overlap, indexOutOfRange
    case invalidSize, invalidStride, invalidDilation, invalidPadding, evenKernel
    case kernelTooLarge, anisotropic, dimensionMismatch, sizeOverflow, notASubgroup, invalidBasis
    case outOfMemory, tooLarge
    /// No text of a layer, group or basis; see docs/LayerFormat.md.
    case invalidText
    case unsupportedGroup, unsupportedAlgorithm
    /// Ended by the caller; the arrays that the call writes are undefined.
    case cancelled
  }

  public var kind: Kind { details.kind }
  /// The argument, for example `.stride[1]`.
  public var argument: Argument { details.argument }
  /// The value it had, as text.
  public var value: String { details.value }
  /// What was expected of it.
  public var expected: String { details.expected(.swift) }

  /// One reference, not four values: `swiftc -O` 6.3.1 crashes on asynchronous functions that catch a typed error of
  /// several values, an untyped one and a typed one again. It shows with a task group whose tasks run
  ///
  ///     let y = try layer(x)                                     // throws(ConvolutionError)
  ///     let z = try await later { try layer(image(1)) }           // image throws, later is async throws
  ///
  /// "While splitting coroutine", in `emitSetAndGetSwiftErrorValueAround` of LLVM's CoroFrame.cpp. If other typed
  /// errors trigger it, mark the helper `@inline(never)`.
  private let details: Details

  private final class Details: Sendable {
    let kind: Kind
    let argument: Argument
    let value: String
    /// What was expected, in the words for a language: it may name another argument.
    let expected: @Sendable (Language) -> String

    init(_ kind: Kind, _ argument: Argument, _ value: String, _ expected: @escaping @Sendable (Language) -> String) {
      self.kind = kind
      self.argument = argument
      self.value = value
      self.expected = expected
    }
  }

  public init(_ kind: Kind, _ argument: Argument, _ value: some CustomStringConvertible, expected: String) {
    details = Details(kind, argument, value.description) { _ in expected }
  }

  /// An error whose expectation names another argument.
  package init(
    _ kind: Kind, _ argument: Argument, _ value: some CustomStringConvertible,
    expected: @escaping @Sendable (Language) -> String
  ) {
    details = Details(kind, argument, value.description, expected)
  }

  public static func == (a: Self, b: Self) -> Bool {
    a.kind == b.kind && a.argument == b.argument && a.value == b.value && a.expected == b.expected
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(kind)
    hasher.combine(argument)
    hasher.combine(value)
  }

  /// For example "stride[1] is 0, expected a positive number".
  public func message(in language: Language) -> String {
    "\(argument.name(in: language)) is \(value), expected \(details.expected(language))"
  }
}

extension ConvolutionError: AllocationFailure {
  /// The tables of a plan did not fit; for the memory of a pass the argument is `workspace`.
  public static func outOfMemory(bytes: Int) -> ConvolutionError {
    ConvolutionError(.outOfMemory, .plan, "\(bytes) bytes of tables", expected: "memory for them")
  }
}

/// An array of the engine under construction.
typealias PlanTable<Element> = CheckedArray<Element, ConvolutionError>
