// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups

/// The four layers written out from their definition in Double, slowly: what the engine is compared with.
///
/// Nothing of the engine is used but its descriptor. A layer is the ordinary correlation with the bank of its turned
/// kernels, `bank[o,y,c,e](u) = k[o,c](y⁻¹e, y⁻¹u)`, and kernels are turned by the matrices of the group.
package enum Reference {
  /// `y[o,y,x] = b[o] + Σ_{c,e,x'} bank[o,y,c,e](x' − x) f[c,e,x']`.
  ///
  /// - Parameters:
  ///   - input: (batch, C, [|H|,] spatial…).
  ///   - weight: (O, C, [|H|,] kernel…).
  ///   - bias: (O), or nil for zeros.
  /// - Returns: (batch, O, [|H|,] output spatial…).
  package static func forward(
    _ d: ConvolutionDescriptor, batch: Int, input: [Double], weight: [Double], bias: [Double]? = nil
  ) -> [Double] {
    let sources = d.layer.readsGroup ? d.group.order : 1
    let targets = d.layer.writesGroup ? d.group.order : 1
    return correlate(
      d, batch: batch, input: input, channels: d.inChannels * sources, bank: filterBank(d, weight: weight),
      bias: (0..<d.outChannels * targets).map { bias?[$0 / targets] ?? 0 })
  }

  // MARK: The kernels

  /// The turned kernels of a layer, (O, |Y|, C, |X|, kernel…).
  package static func filterBank(_ d: ConvolutionDescriptor, weight: [Double]) -> [Double] {
    let (group, taps) = (d.group, d.kernel.values.reduce(1, *))
    let elements = Array(0..<group.order)
    let sources = d.layer.readsGroup ? elements : [0]
    let targets = d.layer.writesGroup ? elements : [0]
    // turned[h][u] is the tap h⁻¹u.
    let turned = elements.map { h in (0..<taps).map { tap($0, turnedBy: group.inverse(h), group, d.kernel.values) } }
    /// k[o,c](h⁻¹e, h⁻¹u); a signal on the plane has the one element 0.
    func kernel(_ pair: Int, _ h: Int, _ e: Int, _ u: Int) -> Double {
      let element = d.layer.readsGroup ? group.product(group.inverse(h), e) : 0
      return weight[(pair * sources.count + element) * taps + turned[h][u]]
    }
    var bank: [Double] = []
    for output in 0..<d.outChannels {
      for target in targets {
        for channel in 0..<d.inChannels {
          let pair = output * d.inChannels + channel
          for source in sources {
            for u in 0..<taps {
              if d.layer.writesGroup {
                bank.append(kernel(pair, target, source, u))
              } else {
                bank.append(elements.reduce(0) { $0 + kernel(pair, $1, source, u) } / Double(group.order))
              }
            }
          }
        }
      }
    }
    return bank
  }

  /// The row-major index of the tap h·u.
  ///
  /// Coordinates about the kernel's centre are x = column − c, y = c − row, z = c − depth; twice these are integers.
  private static func tap(_ u: Int, turnedBy h: Int, _ group: PointGroup, _ kernel: [Int]) -> Int {
    let d = kernel.count
    var (index, rest) = ([Int](repeating: 0, count: d), u)
    for axis in (0..<d).reversed() {
      index[axis] = rest % kernel[axis]
      rest /= kernel[axis]
    }
    // Coordinate i lies along axis d − 1 − i; all but x point against it.
    let point = (0..<d).map { i in (i == 0 ? 1 : -1) * (2 * index[d - 1 - i] - (kernel[d - 1 - i] - 1)) }
    let matrix = group.matrix(h).map { Int($0) }
    let image = (0..<d).map { row in (0..<d).reduce(0) { $0 + matrix[row * d + $1] * point[$1] } }
    var turned = 0
    for axis in 0..<d {
      let i = d - 1 - axis
      let place = ((i == 0 ? 1 : -1) * image[i] + kernel[axis] - 1) / 2
      precondition(0 <= place && place < kernel[axis], "the kernel is not symmetric under the group")
      turned = turned * kernel[axis] + place
    }
    return turned
  }

  // MARK: Ordinary correlation

  /// `y[o,x] = b[o] + Σ_{c,u} bank[o,c](u) f[c, stride x + dilation u − padding]` over ordinary channels.
  ///
  /// Sizes, stride, padding and dilation are the descriptor's; its layer, group and channels are not looked at.
  package static func correlate(
    _ d: ConvolutionDescriptor, batch: Int, input: [Double], channels: Int, bank: [Double], bias: [Double]
  ) -> [Double] {
    let axes = Axis.all(d)
    let (z, y, x) = (axes[0], axes[1], axes[2])
    let volume = z.size * y.size * x.size
    let (outputs, taps) = (positions(z.outputs, y.outputs, x.outputs), positions(z.kernel, y.kernel, x.kernel))
    var result: [Double] = []
    for image in 0..<batch {
      for output in bias.indices {
        for (oz, oy, ox) in outputs {
          var sum = bias[output]
          for (tap, (uz, uy, ux)) in taps.enumerated() {
            guard let sz = z.source(oz, uz), let sy = y.source(oy, uy), let sx = x.source(ox, ux) else { continue }
            let pixel = (sz * y.size + sy) * x.size + sx
            for channel in 0..<channels {
              let weight = bank[(output * channels + channel) * taps.count + tap]
              sum += weight * input[(image * channels + channel) * volume + pixel]
            }
          }
          result.append(sum)
        }
      }
    }
    return result
  }

  /// All positions of a box, the last coordinate fastest.
  private static func positions(_ z: Int, _ y: Int, _ x: Int) -> [(Int, Int, Int)] {
    (0..<z).flatMap { k in (0..<y).flatMap { j in (0..<x).map { i in (k, j, i) } } }
  }

  /// Sizes along one axis.
  private struct Axis {
    var size = 1
    var kernel = 1
    var stride = 1
    var padding = 0
    var dilation = 1
    var isCircular = false

    /// Depth, row and column; axes that the signal lacks have size 1.
    static func all(_ d: ConvolutionDescriptor) -> [Axis] {
      [Axis](repeating: Axis(), count: 3 - d.spatial.count)
        + d.spatial.indices.map { axis in
          let isSame = d.padding[axis] == ConvolutionDescriptor.same
          return Axis(
            size: d.spatial[axis], kernel: d.kernel[axis], stride: d.stride[axis],
            padding: isSame ? d.dilation[axis] * (d.kernel[axis] - 1) / 2 : d.padding[axis],
            dilation: d.dilation[axis], isCircular: d.paddingMode == .circular)
        }
    }

    var outputs: Int { (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1 }

    /// The pixel that output `x` reads through tap `u`, or nil in the zeros around the signal.
    func source(_ x: Int, _ u: Int) -> Int? {
      let position = stride * x + dilation * u - padding
      if isCircular { return ((position % size) + size) % size }
      return 0 <= position && position < size ? position : nil
    }
  }
}
