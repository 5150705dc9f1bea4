// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvMemory

/// Runs one step on some images whose values lie beside each other.
struct StepRunner<S: EngineScalar> {
  let plan: NetworkPlan
  let numbers: StepNumbers<S>
  let index: Int
  let images: Int
  /// For layers; nil for as many as the engine takes.
  let threads: Int?

  /// - Throws: what the engine throws.
  func run(
    _ step: NetworkStep, _ read: [UnsafePointer<S>], to target: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    switch step.work {
    case .convolution, .transposed: try layer(step, read[0], target)
    case .linear: try linear(step, read[0], target)
    case .affine: try affine(step, read[0], target)
    case .pointwise: try step.pointwise?.apply(read[0], to: target, count: images * count(step.output))
    case .softmax:
      try Softmax.run(
        batch: images, channels: channels(step.output), inner: count(step.output) / channels(step.output),
        input: read[0], output: target, threads: threads)
    case .groupPool(let mode, let points):
      let planes = count(step.inputs[0]) / points / volume(step.output)
      try groupPool(
        mode, outer: images * planes, order: points, inner: volume(step.output), input: read[0], output: target)
    case .gather(let points, let order): gather(step, from: points, order, read[0], target)
    case .spatialPool, .spatialMean, .upsample: try spatial(step, read[0], target)
    case .add:
      try Adding.run(
        read, count: images * count(step.output), pointwise: step.pointwise, output: target, threads: threads)
    case .concatenate: concatenate(step, read, target)
    case .view: break
    case .copy: target.copy(from: read[0], count: images * count(step.output))
    }
  }

  // MARK: - Sizes

  private func count(_ value: Int) -> Int { plan.counts[value] }
  private func channels(_ value: Int) -> Int { plan.program.values[value].channels }
  private func extents(_ value: Int) -> [Int] { plan.extents[plan.program.values[value].extents] }
  /// Numbers of a plane.
  private func volume(_ value: Int) -> Int { extents(value).reduce(1, *) }
  /// Planes of all images.
  private func planes(_ value: Int) -> Int { images * (count(value) / volume(value)) }

  // MARK: - Work

  private func layer(
    _ step: NetworkStep, _ source: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    guard let layer = plan.layers[index], case .layer(let weight, _, let bias) = numbers else { return }
    defer { withExtendedLifetime(bias) {} }
    let summands = bias?.elements.baseAddress
    if case .transposed = step.work {
      try layer.transposed(
        batch: images, input: source, weight: weight, bias: summands, pointwise: step.pointwise, output: target,
        threads: threads)
    } else {
      try layer.forward(
        batch: images, input: source, weight: weight, bias: summands, pointwise: step.pointwise, output: target,
        threads: threads)
    }
  }

  private func linear(
    _ step: NetworkStep, _ source: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    guard case .matrix(let weight, let outputs, let bias) = numbers else { return }
    defer { withExtendedLifetime((weight, bias)) {} }
    guard let matrix = weight.elements.baseAddress else { return }
    try LinearMap.run(
      batch: images, features: count(step.inputs[0]), outputs: outputs, input: source, weight: matrix,
      bias: bias?.elements.baseAddress, pointwise: step.pointwise, output: target, threads: threads)
  }

  private func affine(
    _ step: NetworkStep, _ source: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    guard case .channels(let scale, let shift) = numbers else { return }
    defer { withExtendedLifetime((scale, shift)) {} }
    guard let scales = scale.elements.baseAddress, let shifts = shift.elements.baseAddress else { return }
    try ChannelAffine.run(
      batch: images, channels: channels(step.output), inner: count(step.output) / channels(step.output),
      input: source, scale: scales, shift: shifts, pointwise: step.pointwise, output: target, threads: threads)
  }

  private func spatial(
    _ step: NetworkStep, _ source: UnsafePointer<S>, _ target: UnsafeMutablePointer<S>
  ) throws(ConvolutionError) {
    let (planes, spatial) = (planes(step.inputs[0]), Extents(extents(step.inputs[0])))
    switch step.work {
    case .spatialPool(let mode, let kernel, let stride, let padding):
      try SpatialPool.run(
        mode, planes: planes, spatial: spatial, kernel: Extents(kernel), stride: Extents(stride),
        padding: Extents(padding), input: source, output: target, threads: threads)
    case .spatialMean:
      try SpatialMean.run(planes: planes, volume: spatial.product, input: source, output: target, threads: threads)
    case .upsample(.nearest, let factors):
      try Upsampling.run(
        .nearest, planes: planes, spatial: spatial, factors: Extents(factors), input: source, output: target,
        threads: threads)
    case .upsample(.linear(let alignsCorners), let factors):
      try Upsampling.run(
        .linear(alignsCorners: alignsCorners), planes: planes, spatial: spatial, factors: Extents(factors),
        input: source, output: target, threads: threads)
    default: break
    }
  }

  // MARK: - Copies

  private func gather(
    _ step: NetworkStep, from points: Int, _ order: FixedArray<Int>, _ source: UnsafePointer<S>,
    _ target: UnsafeMutablePointer<S>
  ) {
    let volume = volume(step.output)
    let fibers = images * count(step.inputs[0]) / points / volume
    ThreadPool.run(fibers, threads: threads ?? Threads.count(reading: images * count(step.output))) { _, fiber in
      let (from, to) = (source + fiber * points * volume, target + fiber * order.count * volume)
      for (place, point) in order.elements.enumerated() {
        (to + place * volume).copy(from: from + point * volume, count: volume)
      }
    }
    withExtendedLifetime(order) {}
  }

  /// Copies the parts that do not lie in the result already.
  private func concatenate(
    _ step: NetworkStep, _ read: [UnsafePointer<S>], _ target: UnsafeMutablePointer<S>
  ) {
    let whole = count(step.output)
    var offset = 0
    for (part, value) in zip(read, step.inputs) {
      let size = count(value)
      if part != UnsafePointer(target + offset) {
        for image in 0..<images { (target + image * whole + offset).copy(from: part + image * size, count: size) }
      }
      offset += size
    }
  }
}
