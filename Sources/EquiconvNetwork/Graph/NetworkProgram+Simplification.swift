// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

// Rules that make fewer steps of the same function. Each replaces a step and the only step that reads what it writes.

extension NetworkProgram {
  /// Drops the steps that no output depends on.
  mutating func dropDeadSteps() {
    var isRead = [Bool](repeating: false, count: values.count)
    for value in outputs { isRead[value] = true }
    for step in steps.reversed() where isRead[step.output] {
      for value in step.inputs { isRead[value] = true }
    }
    steps.removeAll { !isRead[$0.output] }
  }

  /// Folds scalings into the layers before them, and joins pointwise functions to the steps before them.
  mutating func simplify() throws(NetworkError) {
    try fold { first, second throws(NetworkError) in try first.scaled(by: second) }
    try fold { first, second throws(NetworkError) in first.followed(by: second) }
  }

  /// Replaces pairs of steps by one, where `rule` has one for them.
  ///
  /// - Parameter rule: The step that does what its first argument does and then its second, which reads nothing else.
  private mutating func fold(
    _ rule: (NetworkStep, NetworkStep) throws(NetworkError) -> NetworkStep?
  ) throws(NetworkError) {
    var readers = [Int](repeating: 0, count: values.count)
    for value in steps.flatMap({ $0.inputs }) + outputs { readers[value] += 1 }
    var writers = [Int?](repeating: nil, count: values.count)
    var kept: [NetworkStep] = []
    for step in steps {
      if step.inputs.count == 1, readers[step.inputs[0]] == 1, let writer = writers[step.inputs[0]],
        let joined = try rule(kept[writer], step)
      {
        kept[writer] = joined
        writers[step.output] = writer
      } else {
        writers[step.output] = kept.count
        kept.append(step)
      }
    }
    steps = kept
  }
}

extension NetworkStep {
  /// The step with the scaling that follows it; nil if that is none, or cannot be part of the step.
  fileprivate func scaled(by next: NetworkStep) throws(NetworkError) -> NetworkStep? {
    guard case .affine(let scaling) = next.work, pointwise == nil else { return nil }
    var joined = self
    joined.output = next.output
    joined.pointwise = next.pointwise
    switch work {
    case .convolution(let layer, var parameters):
      try parameters.add(scaling)
      joined.work = .convolution(layer, parameters)
    case .transposed(let layer, var parameters):
      try parameters.add(scaling)
      joined.work = .transposed(layer, parameters)
    case .linear(var parameters):
      try parameters.add(scaling)
      joined.work = .linear(parameters)
    case .affine(let first): joined.work = .affine(try scaling.after(first))
    default: return nil
    }
    return joined
  }

  /// The step with the pointwise function that follows it; nil if that is none, or cannot be part of the step.
  fileprivate func followed(by next: NetworkStep) -> NetworkStep? {
    guard case .pointwise = next.work, pointwise == nil else { return nil }
    switch work {
    case .convolution, .transposed, .linear, .affine, .add: break
    default: return nil
    }
    var joined = self
    joined.output = next.output
    joined.pointwise = next.pointwise
    return joined
  }
}

extension StepParameters {
  /// Adds a scaling after what there is.
  fileprivate mutating func add(_ next: ChannelScaling) throws(NetworkError) {
    scaling = try scaling.map { first throws(NetworkError) in try next.after(first) } ?? next
  }
}
