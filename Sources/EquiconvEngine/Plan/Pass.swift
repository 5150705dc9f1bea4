// SPDX-License-Identifier: Apache-2.0

/// The passes of a layer that algorithms compute; the bias gradient is a plain sum.
public enum Pass: Int32, Hashable, Sendable, CaseIterable {
  case forward = 0
  case inputGradient = 1
  case weightGradient = 2

  /// The pass from signals to signals whose tables it works with: a weight gradient has those of the forward pass, whose
  /// adjoint it is.
  var tableKey: Pass { self == .inputGradient ? .inputGradient : .forward }
}
