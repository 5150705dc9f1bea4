// SPDX-License-Identifier: Apache-2.0

/// The weights of a call: an array of the caller's, or prepared ones.
enum WeightSource<S: EngineScalar> {
  case array(UnsafePointer<S>)
  case prepared(PreparedWeight<S>)

  var isPrepared: Bool {
    if case .prepared = self { true } else { false }
  }

  var pointer: UnsafePointer<S> {
    switch self {
    case .array(let pointer): pointer
    case .prepared(let weight): UnsafePointer(weight.weight)
    }
  }
}
