// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups

/// The numbers of one call, random or whole.
public struct LayerNumbers<S: EngineScalar>: Sendable {
  public var input: [S]
  public var weight: [S]
  public var bias: [S]
  /// A gradient with the shape of the output.
  public var gradient: [S]

  public init(input: [S], weight: [S], bias: [S], gradient: [S]) {
    self.input = input
    self.weight = weight
    self.bias = bias
    self.gradient = gradient
  }
}

extension ConvolutionPlan {
  /// Random numbers of several magnitudes in the plan's shapes.
  public func reals<S: EngineScalar>(_: S.Type, batch: Int, _ random: inout SplitMix64) throws -> LayerNumbers<S> {
    LayerNumbers(
      input: random.reals(try inputShape(batch: batch).reduce(1, *)),
      weight: random.reals(weightShape.reduce(1, *)), bias: random.reals(descriptor.outChannels),
      gradient: random.reals(try outputShape(batch: batch).reduce(1, *)))
  }

  /// Small whole numbers in the plan's shapes, such that every sum of every pass is exact also in Float.
  ///
  /// Layers with plane outputs take means over orbits: their weights and gradients are multiples of 48, which the
  /// size of every orbit of a lattice group divides.
  public func integers<S: EngineScalar>(_: S.Type, batch: Int, _ random: inout SplitMix64) throws -> LayerNumbers<S> {
    let takesMeans = descriptor.layer.output != .group
    let (bound, multiple) = takesMeans ? (2, 48) : (4, 1)
    return LayerNumbers(
      input: random.integers(try inputShape(batch: batch).reduce(1, *), bound: takesMeans ? 2 : 4),
      weight: random.integers(weightShape.reduce(1, *), bound: bound, multiple: multiple),
      bias: random.integers(descriptor.outChannels),
      gradient: random.integers(try outputShape(batch: batch).reduce(1, *), bound: bound, multiple: multiple))
  }

  // The limit of workspace decides how tiles are chunked, and with it the last bits: runs do not follow what other tests
  // set the process's limit to meanwhile.

  /// Outputs are filled with this before a call, so that a number that is not written is noticed.
  private static func unwritten<S: EngineScalar>(_ count: Int) -> [S] { [S](repeating: .nan, count: count) }

  package func forward<S: EngineScalar>(
    _ n: LayerNumbers<S>, batch: Int, instructions: InstructionSet = .current, hasBias: Bool = true,
    method: Method? = nil, threads: Int? = nil, workspaceLimit: Int? = WorkspaceLimit.initialBytes
  ) throws -> [S] {
    var output: [S] = Self.unwritten(try outputShape(batch: batch).reduce(1, *))
    try n.input.withPointer { input in
      try n.weight.withPointer { weight in
        try n.bias.withPointer { bias in
          try output.withMutablePointer {
            try forward(
              batch: batch, input: input, weight: weight, bias: hasBias ? bias : nil, output: $0,
              options: .init(
                instructions: instructions, method: method, threads: threads, workspaceLimit: workspaceLimit))
          }
        }
      }
    }
    return output
  }

  package func inputGradient<S: EngineScalar>(
    _ n: LayerNumbers<S>, batch: Int, instructions: InstructionSet = .current,
    method: Method? = nil, threads: Int? = nil, workspaceLimit: Int? = WorkspaceLimit.initialBytes
  ) throws -> [S] {
    var result: [S] = Self.unwritten(try inputShape(batch: batch).reduce(1, *))
    try n.gradient.withPointer { gradient in
      try n.weight.withPointer { weight in
        try result.withMutablePointer {
          try inputGradient(
            batch: batch, outputGradient: gradient, weight: weight, inputGradient: $0,
            options: .init(
              instructions: instructions, method: method, threads: threads, workspaceLimit: workspaceLimit))
        }
      }
    }
    return result
  }

  package func weightGradient<S: EngineScalar>(
    _ n: LayerNumbers<S>, batch: Int, instructions: InstructionSet = .current,
    method: Method? = nil, threads: Int? = nil, workspaceLimit: Int? = WorkspaceLimit.initialBytes
  ) throws -> [S] {
    var result: [S] = Self.unwritten(weightShape.reduce(1, *))
    try n.gradient.withPointer { gradient in
      try n.input.withPointer { input in
        try result.withMutablePointer {
          try weightGradient(
            batch: batch, outputGradient: gradient, input: input, weightGradient: $0,
            options: .init(
              instructions: instructions, method: method, threads: threads, workspaceLimit: workspaceLimit))
        }
      }
    }
    return result
  }

  public func biasGradient<S: EngineScalar>(_ n: LayerNumbers<S>, batch: Int) throws -> [S] {
    var result: [S] = Self.unwritten(descriptor.outChannels)
    try n.gradient.withPointer { gradient in
      try result.withMutablePointer { try biasGradient(batch: batch, outputGradient: gradient, biasGradient: $0) }
    }
    return result
  }

  public func expand<S: EngineScalar>(_ weight: [S]) throws -> [S] {
    var bank: [S] = Self.unwritten(bankShape.reduce(1, *))
    try weight.withPointer { weight in try bank.withMutablePointer { try expand(weight: weight, bank: $0) } }
    return bank
  }
}

extension Array {
  /// The address of the first element, which is not nil for an empty array either.
  public func withPointer<R>(_ body: (UnsafePointer<Element>) throws -> R) rethrows -> R {
    try withUnsafeBufferPointer { try body($0.baseAddress ?? UnsafePointer(placeholder(Element.self))) }
  }

  public mutating func withMutablePointer<R>(_ body: (UnsafeMutablePointer<Element>) throws -> R) rethrows -> R {
    try withUnsafeMutableBufferPointer { try body($0.baseAddress ?? placeholder(Element.self)) }
  }
}

/// An aligned address that nothing may be read from.
private func placeholder<T>(_: T.Type) -> UnsafeMutablePointer<T> {
  UnsafeMutablePointer(bitPattern: MemoryLayout<T>.alignment)!
}
