// SPDX-License-Identifier: Apache-2.0

/// How the outputs of a weight matrix are cut into panels: as many of the widest as fit, then narrower ones.
///
/// Packed order: [panel][channel][coefficient][width of the panel]. For the input gradient the same weights are packed
/// transposed, the layer's input channels being its outputs.
struct PanelSplit: Sendable {
  struct Panel: Sendable {
    let first: Int
    let width: Int
  }

  let outputs: Int
  /// A power of two.
  let widest: Int

  init(outputs: Int, widest: Int) {
    self.outputs = outputs
    self.widest = widest
  }

  /// Calls `body` for each panel. Nothing is stored: there may be any number of outputs.
  @inline(__always)
  func forEach(_ body: (Panel) -> Void) {
    var first = 0
    var width = widest
    while first < outputs {
      while width > outputs - first { width /= 2 }
      body(Panel(first: first, width: width))
      first += width
    }
  }

  /// The number of panels.
  var count: Int { outputs / widest + (outputs % widest).nonzeroBitCount }

  /// Panel i: the widest come first, then one for each bit of the rest, from the highest.
  subscript(index: Int) -> Panel {
    let whole = outputs / widest
    if index < whole { return Panel(first: index * widest, width: widest) }
    var (first, rest) = (whole * widest, outputs % widest)
    for _ in whole..<index {
      let width = 1 << (Int.bitWidth - 1 - rest.leadingZeroBitCount)
      (first, rest) = (first + width, rest - width)
    }
    return Panel(first: first, width: 1 << (Int.bitWidth - 1 - rest.leadingZeroBitCount))
  }

  /// Packs weights found at `source[output · outputStride + channel · channelStride + coefficient]`.
  func pack<S: EngineScalar>(
    _ source: UnsafePointer<S>, into packed: UnsafeMutablePointer<S>, outputStride: Int, channels: Int,
    channelStride: Int, coefficients: Int
  ) {
    checkInvariants()
    forEach { panel in
      if panel.first > 0 && Call.isEnded { return }
      var target = packed + panel.first * channels * coefficients
      for channel in 0..<channels {
        let base = source + panel.first * outputStride + channel * channelStride
        for coefficient in 0..<coefficients {
          for m in 0..<panel.width { target[m] = base[m * outputStride + coefficient] }
          target += panel.width
        }
      }
    }
  }
}
