// SPDX-License-Identifier: Apache-2.0

import EquiconvMemory

/// Why a layer could not be planned or run: the argument, the value it had and what was expected.
public struct ConvolutionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kinds of error, one for each status of the C interface that concerns layers.
  public enum Kind: Hashable, Sendable, CaseIterable {
    case nullPointer, invalidEnum, misalignedPointer, overlap, indexOutOfRange
    case invalidSize, invalidStride, invalidDilation, invalidPadding, evenKernel
    case kernelTooLarge, anisotropic, dimensionMismatch, sizeOverflow, notASubgroup, invalidBasis
    case outOfMemory, tooLarge
    case unsupportedGroup, unsupportedAlgorithm
  }

  public let kind: Kind
  /// The name of the argument, for example `stride[1]`.
  public let argument: String
  /// The value it had, as text.
  public let value: String
  /// What was expected of it.
  public let expected: String

  public init(_ kind: Kind, _ argument: String, _ value: some CustomStringConvertible, expected: String) {
    self.kind = kind
    self.argument = argument
    self.value = value.description
    self.expected = expected
  }

  /// For example "stride[1] is 0, expected a positive integer".
  public var description: String { "\(argument) is \(value), expected \(expected)" }
}

extension ConvolutionError: AllocationFailure {
  /// The tables of a plan did not fit.
  package static func outOfMemory(bytes: Int) -> ConvolutionError {
    ConvolutionError(.outOfMemory, "plan", "\(bytes) bytes of tables", expected: "memory for them")
  }
}

/// An array of the engine under construction.
typealias Table<Element> = CheckedArray<Element, ConvolutionError>
