// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups

/// Group convolutions written out from their definition in Double, slowly: what the engine is compared with.
///
/// Nothing of the engine is used but its descriptor. A layer is the ordinary correlation with the bank of its turned
/// kernels: for the output point p and the input point e of the fibers H/K' and H/K,
/// `bank[o,p,c,e](u) = mean over h in p of k[o,c](h⁻¹e, h⁻¹u) / |det h|`.
public enum Reference {
  /// `y[o,p,x] = b[o] + Σ_{c,e,x'} bank[o,p,c,e](x' − x) f[c,e,x']`.
  ///
  /// - Parameters:
  ///   - input: (batch, C, [|H/K|,] spatial…).
  ///   - weight: (O, C, [|H/K| or functions on H,] kernel… or functions).
  ///   - bias: (O), or nil for zeros.
  /// - Returns: (batch, O, [|H/K'|,] output spatial…).
  public static func forward(
    _ d: ConvolutionDescriptor, batch: Int, input: [Double], weight: [Double], bias: [Double]? = nil
  ) -> [Double] {
    let (sources, targets) = (points(d.layer.input, d.layer.group), points(d.layer.output, d.layer.group))
    let extents = sampledExtents(d)
    return correlate(
      d, kernel: extents, batch: batch, input: input, channels: d.inChannels * sources.count,
      bank: filterBank(d, weight: weight),
      bias: (0..<d.outChannels * targets.count).map { bias?[$0 / targets.count] ?? 0 })
  }

  // MARK: The kernels

  /// The turned kernels of a layer, (O, |Y|, C, |X|, kernel…), on the grid that the largest element needs: zeros between
  /// channels of different groups.
  public static func filterBank(_ d: ConvolutionDescriptor, weight: [Double]) -> [Double] {
    let kernels = ReferenceKernels(d, extents: sampledExtents(d))
    let (sources, targets) = (points(d.layer.input, d.layer.group), points(d.layer.output, d.layer.group))
    let (outputs, inputs) = (d.outChannels / d.layer.channelGroups, d.inChannels / d.layer.channelGroups)
    let size = weight.count / (d.outChannels * inputs)
    return (0..<d.outChannels).flatMap { output in
      targets.flatMap { target in
        (0..<d.inChannels).flatMap { channel in
          let pair = output * inputs + channel % inputs
          let isJoined = output / outputs == channel / inputs
          let weights = isJoined ? Array(weight[pair * size..<(pair + 1) * size]) : Array(repeating: 0, count: size)
          return sources.flatMap { source in kernels.mean(over: target, at: source, sources, weights) }
        }
      }
    }
  }

  /// The left cosets h·K of a fiber, each a list of elements, by smallest element.
  private static func points(_ space: SignalSpace, _ group: PointGroup) -> [[Int]] {
    let elements = Array(0..<group.order)
    let stabilizer: [Int]
    switch space {
    case .plane: return [elements]
    case .group: stabilizer = [0]
    case .quotient(let given): stabilizer = given
    }
    return elements.map { h in stabilizer.map { group.product(h, $0) }.sorted() }
      .reduce(into: []) { cosets, coset in if !cosets.contains(coset) { cosets.append(coset) } }
  }

  /// The least extents of the kernel's parity that hold the kernel enlarged by the largest element.
  private static func sampledExtents(_ d: ConvolutionDescriptor) -> [Int] {
    let largest = d.layer.group.isLattice ? 1 : (0..<d.layer.group.order).map(d.layer.group.scale(of:)).max() ?? 1
    return d.kernel.values.map { k in
      var extent = k
      while Double(extent - 1) < largest * Double(k - 1) - 1e-6 { extent += 2 }
      return extent
    }
  }

  // MARK: Ordinary correlation

  /// `y[o,x] = b[o] + Σ_{c,u} bank[o,c](u) f[c, stride x + dilation u − padding]` over ordinary channels.
  ///
  /// Sizes, stride, padding and dilation are the descriptor's; its spaces, group and channels are not looked at.
  ///
  /// - Parameter kernel: extents of the bank, by default the descriptor's; larger ones reach further on both sides.
  public static func correlate(
    _ d: ConvolutionDescriptor, kernel: [Int]? = nil, batch: Int, input: [Double], channels: Int, bank: [Double],
    bias: [Double]
  ) -> [Double] {
    let axes = Axis.all(d, kernel: kernel ?? d.kernel.values)
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
    var mode = PaddingMode.zeros

    /// Depth, row and column; axes that the signal lacks have size 1.
    static func all(_ d: ConvolutionDescriptor, kernel: [Int]) -> [Axis] {
      [Axis](repeating: Axis(), count: 3 - d.spatial.count)
        + d.spatial.indices.map { axis in
          let isSame = d.layer.padding[axis] == Layer.same
          let padding = isSame ? d.layer.dilation[axis] * (d.kernel[axis] - 1) / 2 : d.layer.padding[axis]
          return Axis(
            size: d.spatial[axis], kernel: kernel[axis], stride: d.layer.stride[axis],
            padding: padding + d.layer.dilation[axis] * (kernel[axis] - d.kernel[axis]) / 2,
            dilation: d.layer.dilation[axis], mode: d.layer.paddingMode)
        }
    }

    var outputs: Int { (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1 }

    /// The pixel that output `x` reads through tap `u`, or nil in the zeros around the signal.
    func source(_ x: Int, _ u: Int) -> Int? {
      var position = stride * x + dilation * u - padding
      switch mode {
      case .zeros: return 0 <= position && position < size ? position : nil
      case .circular: return ((position % size) + size) % size
      case .replicate: return min(max(position, 0), size - 1)
      case .reflect:
        if size == 1 { return 0 }
        // As often as it takes.
        while position < 0 || position >= size { position = position < 0 ? -position : 2 * (size - 1) - position }
        return position
      }
    }
  }
}
