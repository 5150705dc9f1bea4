// SPDX-License-Identifier: Apache-2.0

// Passes of layers whose signals are laid out with a border first.

extension ConvolutionPlan {
  /// Planes of the signal of so many images.
  private func planes(_ batch: Int) -> Int { batch * descriptor.inChannels * inputElements }

  /// The bytes that a pass needs for signals with their border; more than there can be where sizes overflow.
  func borderBytes<S: EngineScalar>(_ task: PassTask<S>) -> Int {
    guard let border else { return 0 }
    let images = task.batch.multipliedReportingOverflow(by: descriptor.inChannels)
    let planes = images.partialValue.multipliedReportingOverflow(by: inputElements)
    if images.overflow || planes.overflow { return .max }
    return (try? BorderedPlanes<S>.bytes(border, count: planes.partialValue, threads: task.options.threads)) ?? .max
  }

  /// A forward pass or an input gradient of a signal with a border.
  ///
  /// - Parameter core: the pass between the padded planes and the other array.
  func runSignalPass<S: EngineScalar>(
    _ task: PassTask<S>, _ arrays: SignalArrays<S>, with border: Border,
    _ core: (SignalArrays<S>) throws(ConvolutionError) -> Void
  ) throws(ConvolutionError) {
    let planes = try BorderedPlanes<S>(border, count: planes(task.batch), threads: task.options.threads)
    var inner = arrays
    if task.pass == .forward {
      planes.pad(arrays.source)
      inner.source = UnsafePointer(planes.numbers)
      return try core(inner)
    }
    inner.destination = planes.numbers
    // What is added to each number, and its function, come after the sums.
    (inner.bias, inner.pointwise) = (nil, nil)
    try core(inner)
    let epilogue = Epilogue<S>(arrays.pointwise, task.kernels)
    let (channels, elements, volume) = (descriptor.inChannels, inputElements, border.signal.volume)
    planes.fold(into: arrays.destination) { plane, numbers in
      epilogue.run(numbers, count: volume, adding: arrays.bias?[plane / elements % channels])
    }
  }

  /// The gradients of a signal with a border and of the weight.
  ///
  /// - Parameter core: both on padded planes.
  func runGradients<S: EngineScalar>(
    _ task: PassTask<S>, _ input: GradientArrays<S>.Input?, _ weight: WeightGradientArrays<S>?, with border: Border,
    _ core: (GradientArrays<S>.Input?, WeightGradientArrays<S>?) throws(ConvolutionError) -> Void
  ) throws(ConvolutionError) {
    let (count, threads) = (planes(task.batch), task.options.threads)
    // All memory is there before anything is written.
    let gradient = try BorderedPlanes<S>(border, count: input == nil ? 0 : count, threads: threads)
    let signal = try BorderedPlanes<S>(border, count: weight == nil ? 0 : count, threads: threads)
    var (innerInput, innerWeight) = (input, weight)
    innerInput?.destination = gradient.numbers
    if let weight {
      signal.pad(weight.input)
      innerWeight?.input = UnsafePointer(signal.numbers)
    }
    try core(innerInput, innerWeight)
    if let input { gradient.fold(into: input.destination) { _, _ in } }
  }
}
