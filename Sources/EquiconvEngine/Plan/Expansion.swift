// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// Writes out the filter bank of the ordinary convolution that equals a layer.
struct Expansion {
  let stencil: Stencil
  let geometry: Geometry

  /// `core` is ŵ (outputs, channels, coefficients); `bank` is (outputs, |Y|, channels, |X|, taps).
  func run<S: EngineScalar>(
    _ core: UnsafePointer<S>, into bank: UnsafeMutablePointer<S>, outputs: Int, channels: Int
  ) {
    let taps = geometry.taps
    let (sources, targets) = (stencil.inputElements, stencil.outputElements)
    bank.update(repeating: 0, count: outputs * targets * channels * sources * taps)
    for output in 0..<outputs {
      for (target, terms) in stencil.terms.enumerated() {
        if Call.isEnded { return }
        for channel in 0..<channels {
          let weights = core + (output * channels + channel) * stencil.coefficients
          let planes = bank + ((output * targets + target) * channels + channel) * sources * taps
          for term in terms { planes[term.element * taps + tap(term.position)] = weights[term.coefficient] }
        }
      }
    }
  }

  /// The row-major tap index of a dilated position.
  private func tap(_ position: Box) -> Int {
    let (dilation, kernel) = (geometry.dilation, geometry.kernel)
    return (position.z / dilation.z * kernel.y + position.y / dilation.y) * kernel.x + position.x / dilation.x
  }
}
