// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvGroups
import _EquiconvErrors

/// The grid on which all elements sample the kernel, found before anything of its size is allocated.
struct SampledKernel {
  let basis: KernelBasis
  /// The largest |h x| / |x| of each element.
  let scales: [Double]
  /// Extents of the shared grid: 2⌈s (k − 1)/2⌉ + 1 for odd k and the largest scale s, and as many for even k.
  let extents: Extents

  init(_ descriptor: ConvolutionDescriptor) throws(ConvolutionError) {
    let group = descriptor.layer.group
    scales =
      group.isLattice
      ? [Double](repeating: 1, count: group.order)
      : (0..<group.order).map(group.scale(of:))
    let largest = scales.max() ?? 1
    var extents = descriptor.kernel
    do throws(BasisError) {
      if let given = descriptor.layer.basis {
        basis = given
      } else {
        basis = .pixel(
          try PixelBasis(extents: descriptor.kernel.values, interpolation: descriptor.layer.interpolation))
      }
      for axis in extents.indices {
        extents[axis] = try max(extents[axis], scaledExtent(extents[axis], scale: largest))
      }
    } catch {
      throw ConvolutionError(
        .invalidBasis, .kernel, descriptor.kernel, expected: { "extents of a basis: \(error.message(in: $0))" })
    }
    self.extents = extents
  }
}
