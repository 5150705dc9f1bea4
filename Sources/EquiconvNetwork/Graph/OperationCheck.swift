// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups

/// Checks an operation against what it reads and against its tensors, and finds the type of what it writes.
struct OperationCheck<Tensors: NetworkTensors> {
  let document: NetworkDocument
  /// The operation's number.
  let number: Int
  /// The types of what it reads.
  let inputs: [SignalType]
  let tensors: Tensors

  var operation: NetworkOperation { document.operations[number] }
  var place: String { document.place(number) }
  private var name: String { operation.kind.word }

  /// - Throws: `document` and errors of layers and groups, which name the operation.
  func output() throws(NetworkError) -> (SignalType, ExtentRule) {
    try checkCount()
    let input = inputs[0]
    let (type, rule) = try typeAndRule(input)
    do throws(ExtentRule.Failure) {
      let extents = try rule.apply(input.extents)
      let merged = inputs.count > 1 ? try mergedExtents() : extents
      return (type.with(extents: merged), rule)
    } catch {
      throw error.error(place)
    }
  }

  private func typeAndRule(_ input: SignalType) throws(NetworkError) -> (SignalType, ExtentRule) {
    switch operation.kind {
    case .convolution(let layer, let weight, let bias): return try convolution(layer, weight, bias)
    case .transposedConvolution(let layer, let weight, let bias, let padding):
      return try transposed(layer, weight, bias, padding)
    case .batchNorm(let mean, let variance, let weight, let bias, let epsilon):
      try checkBatchNorm(mean, variance, weight, bias, epsilon)
      return (input, .same)
    case .pointwise, .softmax: return (input, .same)
    case .groupPool(_, let stabilizer): return (try groupPool(stabilizer), .same)
    case .spatialPool(_, let kernel, let stride, let padding): return (input, try windows(kernel, stride, padding))
    case .spatialMean:
      try checkSpatial()
      return (input, .none)
    case .upsample(let mode, let factors): return (input, try upsample(mode, factors))
    case .add: return (try sum(), .same)
    case .concatenate: return (try concatenation(), .same)
    case .restrict(let subgroup): return (try restriction(subgroup), .same)
    case .induce(let group, let stabilizer): return (try induction(group, stabilizer), .same)
    case .linear(let weight, let bias): return (try linear(weight, bias), .none)
    case .flatten: return (try vector(), .none)
    }
  }

  // MARK: - What is read

  private func checkCount() throws(NetworkError) {
    let (least, most) = operation.kind.isSum ? (2, Limits.inputs) : (1, 1)
    if !(least...most).contains(inputs.count) {
      throw .document(
        "inputs of \(place)", "\(inputs.count) values",
        expected: "\(least)\(least == most ? "" : " to \(most)"), for \(name)")
    }
  }

  /// An error of an input.
  func unfit(_ input: Int = 0, expected: String) -> NetworkError {
    let value = operation.inputs.indices.contains(input) ? operation.inputs[input] : ""
    return .document(
      "inputs[\(input)] of \(place)", "\"\(value)\", \(inputs[input])", expected: "\(expected), for \(name)")
  }

  func checkSpatial() throws(NetworkError) {
    if inputs[0].dimension == 0 { throw unfit(expected: "a signal with spatial axes") }
  }

  /// Checks numbers that there is one of for each spatial axis.
  func checkAxes(_ numbers: [Int], _ key: String, least: Int) throws(NetworkError) {
    if numbers.count != inputs[0].dimension {
      throw .document(
        "\(key) of \(place)", "\(numbers.count) numbers",
        expected: "\(inputs[0].dimension), one for each axis of what it reads")
    }
    for number in numbers where number < least || number > ExtentRule.largest {
      throw .document("\(key) of \(place)", number, expected: "\(least) to 2^48")
    }
  }

  /// Extents that all inputs agree on.
  private func mergedExtents() throws(ExtentRule.Failure) -> [Int?] {
    var merged = inputs[0].extents
    for input in inputs.dropFirst() {
      for (axis, extent) in input.extents.enumerated() {
        guard let extent else { continue }
        if let known = merged[axis], known != extent {
          throw ExtentRule.Failure(value: "\(known) and \(extent) on axis \(axis)", expected: "equal extents")
        }
        merged[axis] = extent
      }
    }
    return merged
  }

  // MARK: - Tensors

  /// The shape of a tensor that is a parameter.
  func shape(_ tensor: String, _ key: String) throws(NetworkError) -> [Int] {
    guard let found = tensors.tensor(tensor) else {
      throw .document("\(key) of \(place)", "\"\(tensor)\"", expected: "the name of a tensor of the file")
    }
    if found.type != document.scalar.tensorType {
      throw .document(
        "tensor \"\(tensor)\", \(key) of \(place)", "of type \(found.type.rawValue)",
        expected: "\(document.scalar.tensorType.rawValue), the network's dtype")
    }
    return found.shape
  }

  /// Checks a parameter that has a number for each of so many channels.
  func checkChannelParameter(_ tensor: String?, _ key: String, _ channels: Int) throws(NetworkError) {
    guard let tensor else { return }
    let shape = try shape(tensor, key)
    if shape != [channels] {
      throw .document(
        "tensor \"\(tensor)\", \(key) of \(place)", "of shape \(NetworkError.text(shape))",
        expected: "(\(channels)), a number for each channel")
    }
  }

  private func checkBatchNorm(
    _ mean: String, _ variance: String, _ weight: String?, _ bias: String?, _ epsilon: Double
  ) throws(NetworkError) {
    let channels = inputs[0].channels
    try checkChannelParameter(mean, "mean", channels)
    try checkChannelParameter(variance, "variance", channels)
    try checkChannelParameter(weight, "weight", channels)
    try checkChannelParameter(bias, "bias", channels)
    if !(epsilon >= 0 && epsilon.isFinite) {
      throw .document("epsilon of \(place)", epsilon, expected: "a number of at least 0")
    }
  }

  // MARK: - Space and channels

  private func windows(_ kernel: [Int], _ stride: [Int], _ padding: [Int]) throws(NetworkError) -> ExtentRule {
    try checkSpatial()
    try checkAxes(kernel, "kernel", least: 1)
    try checkAxes(stride, "stride", least: 1)
    try checkAxes(padding, "padding", least: 0)
    for (k, p) in zip(kernel, padding) where p > k / 2 {
      throw .document("padding of \(place)", p, expected: "at most \(k / 2), half the kernel")
    }
    return .windows(kernel: kernel, stride: stride, padding: padding)
  }

  private func upsample(_ mode: NetworkOperation.UpsampleMode, _ factors: [Int]) throws(NetworkError) -> ExtentRule {
    try checkSpatial()
    try checkAxes(factors, "factors", least: 1)
    return .enlarged(factors, reach: mode == .nearest ? 1 : 2)
  }

  private func sum() throws(NetworkError) -> SignalType {
    let first = inputs[0]
    for (place, input) in inputs.enumerated() {
      guard input.channels == first.channels, input.dimension == first.dimension, input.livesWith(first) else {
        throw unfit(place, expected: "\(first), as inputs[0]")
      }
    }
    return first
  }

  private func concatenation() throws(NetworkError) -> SignalType {
    let first = inputs[0]
    var channels = 0
    for (place, input) in inputs.enumerated() {
      guard input.dimension == first.dimension, input.livesWith(first) else {
        throw unfit(place, expected: "a signal on \(first.place), as inputs[0]")
      }
      channels += input.channels
    }
    return first.with(channels: try checked(channels))
  }

  private func linear(_ weight: String, _ bias: String?) throws(NetworkError) -> SignalType {
    if !inputs[0].isVector { throw unfit(expected: "a vector: no spatial axes and no fiber") }
    let shape = try shape(weight, "weight")
    if shape.count != 2 || shape[0] < 1 || shape[1] != inputs[0].channels {
      throw .document(
        "tensor \"\(weight)\", weight of \(place)", "of shape \(NetworkError.text(shape))",
        expected: "(O, \(inputs[0].channels)) for \(inputs[0])")
    }
    try checkChannelParameter(bias, "bias", shape[0])
    return SignalType(channels: shape[0], extents: [])
  }

  private func vector() throws(NetworkError) -> SignalType {
    let input = inputs[0]
    var count = input.channels
    for extent in [input.points] + input.extents.map({ $0 ?? 0 }) {
      if extent == 0 { throw unfit(expected: "a signal of fixed extents") }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      count = overflow ? .max : product
    }
    return SignalType(channels: try checked(count), extents: [])
  }

  /// A number of channels that follows from others.
  func checked(_ channels: Int) throws(NetworkError) -> Int {
    if channels > ExtentRule.largest {
      throw .invalid(.limit, place: "channels of \(place)", value: "over 2^48", expected: "at most 2^48")
    }
    return channels
  }
}

extension NetworkDocument.Scalar {
  var tensorType: TensorType { self == .float32 ? .f32 : .f64 }
}

extension NetworkOperation.Kind {
  /// Whether it reads several values.
  var isSum: Bool { self == .add || self == .concatenate }
}
