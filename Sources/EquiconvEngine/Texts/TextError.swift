// SPDX-License-Identifier: Apache-2.0

public import EquiconvBases
public import EquiconvGroups
public import _EquiconvErrors
import _EquiconvMemory

/// Why a text makes no value: it is not in the grammar, or it names what the functions behind it refuse.
public enum TextError: ArgumentError, AllocationFailure {
  /// `invalidText`, with the place, what is there and what was expected; or what is wrong with the layer.
  case layer(ConvolutionError)
  case group(GroupError)
  case basis(BasisError)

  public func message(in language: Language) -> String {
    switch self {
    case .layer(let error): error.message(in: language)
    case .group(let error): error.message(in: language)
    case .basis(let error): error.message(in: language)
    }
  }

  public static func outOfMemory(bytes: Int) -> TextError { .layer(.outOfMemory(bytes: bytes)) }
}
