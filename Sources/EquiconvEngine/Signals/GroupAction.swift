// SPDX-License-Identifier: Apache-2.0

import EquiconvGroups
import _EquiconvErrors

/// The action of an element that maps the grid to itself on a signal, exact:
/// `(L_g f)(x) = f(g⁻¹x)` about the center of the array, and `(L_g f)(p, x) = f(g⁻¹p, g⁻¹x)` for points p of a fiber.
///
/// In a group that is not a lattice group only its signed permutations act without interpolation.
///
/// - Parameters:
///   - spatial: sizes of the input; the output has sizes exchanged where g exchanges axes.
///   - input: (batch, channels, [|H/K|,] spatial…); `output` has as many numbers.
/// - Throws: `indexOutOfRange`, `unsupportedGroup`, `notASubgroup`, `dimensionMismatch`, `invalidSize`, `overlap`,
///   `misalignedPointer`.
@_specialize(where S == Float)
@_specialize(where S == Double)
public func act<S: EngineScalar>(
  _ group: PointGroup, element: Int, on space: SignalSpace, batch: Int, channels: Int, spatial: Extents,
  input: UnsafePointer<S>, output: UnsafeMutablePointer<S>
) throws(ConvolutionError) {
  try Call.run(.exact) { () throws(ConvolutionError) in
    try ConvolutionPlan.checkBatch(batch)
    if channels < 0 { throw ConvolutionError(.invalidSize, .channels, channels, expected: "a number of at least 0") }
    if channels > ConvolutionDescriptor.sizeLimit {
      throw ConvolutionError(.sizeOverflow, .channels, channels, expected: "at most 2^48")
    }
    let fiber = try space.fiber(of: group, .stabilizer)
    let elements = fiber.count
    let signals = try ConvolutionDescriptor.product(batch, channels, .product(.batch, .channels))
    let planes = try ConvolutionDescriptor.product(signals, elements, .planeCount)
    var volume = 1
    for axis in spatial.indices {
      try ConvolutionDescriptor.checkSize(spatial[axis], .spatial[axis])
      volume = try ConvolutionDescriptor.product(volume, spatial[axis], .spatial)
    }
    let turn = try PlaneTurn(group, element: element, spatial: spatial)
    let count = try ConvolutionDescriptor.product(planes, volume, .size(of: .input))
    let inputRange = try ArrayRange(.input, input, count)
    try ArrayRange(.output, output, count).checkApart(from: inputRange)
    let inverse = group.inverse(element)
    ThreadPool.run(planes, threads: Threads.count(reading: count)) { _, plane in
      let point = plane % elements
      // Lattice elements form a subgroup also of a truncated set, so the point is there.
      let source = plane - point + fiber.act(inverse, point)
      turn.run(input + source * volume, output + plane * volume)
    }
  }
}

/// The turn of one plane: output axis a runs along input axis `axis[a]`, forwards or backwards.
private struct PlaneTurn {
  /// Sizes of the output, and where a step along each of its axes leads in the input.
  let size: Box
  let step: Box
  let start: Int

  init(_ group: PointGroup, element: Int, spatial: Extents) throws(ConvolutionError) {
    guard (0..<group.order).contains(element) else {
      throw ConvolutionError(
        .indexOutOfRange, .element, element, expected: "0 to \(group.order - 1), the elements of \(group.name)")
    }
    // The inverse of a lattice element is there also in a truncated set; that of another need not be.
    guard group.axisAction(element) != nil, let action = group.axisAction(group.inverse(element)) else {
      throw ConvolutionError(
        .unsupportedGroup, .element, "\(element) of \(group.name)",
        expected: "an element that maps the grid to itself: one whose matrix is a signed permutation")
    }
    guard spatial.count == group.dimension else {
      throw ConvolutionError(
        .dimensionMismatch, .spatial, spatial, expected: "\(group.dimension) sizes, as the group acts on")
    }
    let signal = Box(spatial, leading: 1)
    let strides = Box(z: signal.y &* signal.x, y: signal.x, x: 1)
    let first = 3 - spatial.count
    var (size, step, start) = (signal, Box(z: 0, y: 0, x: 0), 0)
    // g⁻¹ takes the output coordinate to the input's: (g⁻¹x)[a] = sign[a] · x[axis[a]].
    for a in spatial.indices {
      let outputAxis = first + action.axis(a)
      size[outputAxis] = signal[first + a]
      step[outputAxis] = action.sign(a) * strides[first + a]
      if action.sign(a) < 0 { start += (signal[first + a] - 1) * strides[first + a] }
    }
    self.size = size
    self.step = step
    self.start = start
  }

  func run<S>(_ input: UnsafePointer<S>, _ output: UnsafeMutablePointer<S>) {
    var target = output
    for z in 0..<size.z {
      for y in 0..<size.y {
        var source = input + (start + z * step.z + y * step.y)
        for x in 0..<size.x {
          target[x] = source.pointee
          source += step.x
        }
        target += size.x
      }
    }
  }
}
