// SPDX-License-Identifier: Apache-2.0

import EquiconvBases

// What `print` shows: one line each.

extension ConvolutionDescriptor: CustomStringConvertible {
  /// For example "plane → group of C4, 3 → 8 channels, input (64, 64), kernel (5, 5)".
  public var description: String {
    var text = "\(layer.spacesText), \(inChannels) → \(outChannels) channels, input \(spatial)"
    if layer.basis == nil { text += ", kernel \(kernel)" }
    return text + layer.optionsText
  }
}

extension Layer: CustomStringConvertible {
  /// For example "plane → group of C4, stride (2, 2)".
  public var description: String { spacesText + optionsText }

  package var spacesText: String { "\(input) → \(output) of \(group)" }

  /// The options that differ from their defaults, each with a comma before it.
  package var optionsText: String {
    var text = basis.map { ", \($0)" } ?? ""
    if groupBasis != .full { text += ", \(groupBasis)" }
    let isSame = padding.values.contains(Self.same)
    for (name, isSet) in [
      ("stride \(stride)", stride.values.contains { $0 != 1 }),
      ("padding \(isSame ? "same" : padding.description)", padding.values.contains { $0 != 0 }),
      ("dilation \(dilation)", dilation.values.contains { $0 != 1 }), ("\(paddingMode)", paddingMode != .zeros),
      ("\(algorithm)", algorithm != .auto), ("\(channelGroups) groups of channels", channelGroups > 1),
      ("quadrature", usesQuadrature),
    ] where isSet {
      text += ", " + name
    }
    return text
  }
}

extension ConvolutionPlan: CustomStringConvertible {
  /// For example "plan of plane → group of C4, 3 → 8 channels, input (64, 64), kernel (5, 5)".
  public var description: String { "plan of \(descriptor)" }
}

extension Explanation: CustomStringConvertible {
  /// For example "fourier with tiles of 16, 0.8 ms on 4 threads: …".
  public var description: String {
    let tiles = tile == 0 ? "" : " with tiles of \(tile)"
    let milliseconds = (seconds * 1e5).rounded() / 1e2
    return "\(algorithm)\(tiles), \(milliseconds) ms on \(threads) thread\(threads == 1 ? "" : "s"): \(reason)"
  }
}
