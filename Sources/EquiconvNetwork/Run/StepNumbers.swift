// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvMemory

/// The parameters of a step in the form that it runs with: scaled, and copied once.
enum StepNumbers<S: EngineScalar>: Sendable {
  case none
  /// Of a layer; its transforms are made when a plan first needs them.
  case layer(PreparedWeight<S>, shape: [Int], bias: FixedArray<S>?)
  /// (O, F).
  case matrix(FixedArray<S>, outputs: Int, bias: FixedArray<S>?)
  case channels(scale: FixedArray<S>, shift: FixedArray<S>)

  /// Memory of the numbers, transforms not counted.
  var bytes: Int {
    let stride = MemoryLayout<S>.stride
    return switch self {
    case .none: 0
    case .layer(let weight, _, let bias): (weight.count + (bias?.count ?? 0)) * stride
    case .matrix(let weight, _, let bias): (weight.count + (bias?.count ?? 0)) * stride
    case .channels(let scale, let shift): (scale.count + shift.count) * stride
    }
  }
}

extension NetworkProgram {
  /// The parameters of each step.
  /// - Throws: `outOfMemory`.
  func numbers<S: EngineScalar>(tensors: some NetworkTensors) throws(NetworkError) -> [StepNumbers<S>] {
    var numbers: [StepNumbers<S>] = []
    for step in steps { numbers.append(try StepNumbers(step, tensors: tensors, place: place(step))) }
    return numbers
  }
}

extension StepNumbers {
  /// Reads the parameters of a step.
  /// - Throws: `outOfMemory`.
  init(_ step: NetworkStep, tensors: some NetworkTensors, place: @autoclosure () -> String) throws(NetworkError) {
    switch step.work {
    case .convolution(_, let parameters), .transposed(_, let parameters):
      let weight = try Self.prepared(parameters, tensors, place: place())
      let shape = tensors.tensor(parameters.weight)?.shape ?? []
      self = .layer(weight, shape: shape, bias: try Self.bias(parameters, tensors))
    case .linear(let parameters):
      let weight = try Self.weight(parameters, tensors)
      let outputs = tensors.tensor(parameters.weight)?.shape.first ?? 0
      self = .matrix(weight, outputs: outputs, bias: try Self.bias(parameters, tensors))
    case .affine(let scaling):
      self = .channels(
        scale: try NetworkTable<S>(count: scaling.scale.count) { S(scaling.scale[$0]) }.frozen(),
        shift: try NetworkTable<S>(count: scaling.shift.count) { S(scaling.shift[$0]) }.frozen())
    default: self = .none
    }
  }

  /// The weight of a layer. Numbers that are not scaled are copied once, from the file to where they are kept.
  private static func prepared(
    _ parameters: StepParameters, _ tensors: some NetworkTensors, place: String
  ) throws(NetworkError) -> PreparedWeight<S> {
    if parameters.scaling == nil, let tensor = tensors.tensor(parameters.weight), tensor.isAligned {
      return try copied(tensor.bytes.bindMemory(to: S.self), place: place)
    }
    let weight = try weight(parameters, tensors)
    defer { withExtendedLifetime(weight) {} }
    return try copied(weight.elements, place: place)
  }

  private static func copied(
    _ numbers: UnsafeBufferPointer<S>, place: String
  ) throws(NetworkError) -> PreparedWeight<S> {
    guard let base = numbers.baseAddress else {
      throw .document("weight of \(place)", "empty", expected: "numbers")
    }
    do throws(ConvolutionError) {
      return try PreparedWeight(copying: base, count: numbers.count)
    } catch {
      throw .layer(error, place: place)
    }
  }

  /// The weight, each channel of the result scaled in Double and rounded once.
  private static func weight(
    _ parameters: StepParameters, _ tensors: some NetworkTensors
  ) throws(NetworkError) -> FixedArray<S> {
    guard let tensor = tensors.tensor(parameters.weight) else { return FixedArray() }
    let count = tensor.count(of: S.self)
    guard let scale = parameters.scaling?.scale else {
      return try NetworkTable<S>(count: count) { tensor.number($0, S.self) }.frozen()
    }
    let inner = tensor.shape[(parameters.channelAxis + 1)...].reduce(1, *)
    let channels = tensor.shape[parameters.channelAxis]
    let part = count / parameters.channelGroups
    return try NetworkTable<S>(count: count) { index in
      let channel = index / part * channels + index / inner % channels
      return S(Double(tensor.number(index, S.self)) * scale[channel])
    }.frozen()
  }

  /// The bias, scaled and shifted as the result is; nil for none.
  private static func bias(
    _ parameters: StepParameters, _ tensors: some NetworkTensors
  ) throws(NetworkError) -> FixedArray<S>? {
    let tensor = parameters.bias.flatMap { tensors.tensor($0) }
    guard let scaling = parameters.scaling else {
      guard let tensor else { return nil }
      return try NetworkTable<S>(count: tensor.count(of: S.self)) { tensor.number($0, S.self) }.frozen()
    }
    return try NetworkTable<S>(count: scaling.scale.count) { channel in
      let bias = tensor.map { Double($0.number(channel, S.self)) } ?? 0
      return S(bias * scaling.scale[channel] + scaling.shift[channel])
    }.frozen()
  }
}
