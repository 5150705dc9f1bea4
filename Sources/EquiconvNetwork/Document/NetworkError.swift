// SPDX-License-Identifier: Apache-2.0

public import EquiconvBases
public import EquiconvEngine
public import EquiconvGroups
public import _EquiconvErrors
public import _EquiconvMemory

/// Why a network could not be opened, written or run.
public enum NetworkError: ArgumentError, AllocationFailure {
  /// What a file, a document or an array of the caller has wrong: the place, what is there, and what was expected.
  case invalid(Kind, place: String, value: String, expected: String)
  /// Of a layer; the place is the operation.
  case layer(ConvolutionError, place: String)
  /// Of a group or a subgroup; the place names it.
  case group(GroupError, place: String)
  /// Of a basis of a layer; the place is the operation.
  case basis(BasisError, place: String)

  /// The kinds of error, one for each status of the C interface that concerns networks.
  public enum Kind: Hashable, Sendable, CaseIterable {
    /// The file could not be opened, read or written; the value has the system's words.
    case file
    /// No safetensors file, or one without a network.
    case format
    /// A document that says what it may not say, or tensors that do not fit it.
    case document
    /// A version that this library does not read.
    case version
    /// An operation that this library does not know.
    case operation
    /// Beyond a limit; see docs/NetworkFormat.md.
    case limit
    /// An array, a shape or an option of a call.
    case argument
    /// An array of a call that is not aligned to its numbers.
    case misalignedPointer
    /// An output that lies in the memory of another array.
    case overlap
    /// The file's own test does not hold.
    case test
  }

  public func message(in language: Language) -> String {
    switch self {
    case .invalid(_, let place, let value, let expected): "\(place) is \(value), expected \(expected)"
    case .layer(let error, let place): "\(place): \(error.message(in: language))"
    case .group(let error, let place): "\(place): \(error.message(in: language))"
    case .basis(let error, let place): "\(place): \(error.message(in: language))"
    }
  }

  public static func outOfMemory(bytes: Int) -> NetworkError { .layer(.outOfMemory(bytes: bytes), place: "network") }
}
