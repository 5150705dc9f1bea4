// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvTestSupport

/// Arrays that end in numbers no pass may touch.
struct Guarded<S: EngineScalar> {
  static var guardCount: Int { 64 }
  var values: [S]
  let count: Int

  /// Outputs that are not written are not numbers.
  init(_ count: Int) {
    self.count = count
    values = [S](repeating: .nan, count: count) + [S](repeating: 7, count: Self.guardCount)
  }

  var isIntact: Bool { values[count...].allSatisfy { $0 == 7 } }
}

extension ConvolutionPlan {
  func guardedForward<S: EngineScalar>(
    _ n: LayerNumbers<S>, batch: Int, _ options: RunOptions, hasBias: Bool = true
  ) throws -> [S] {
    var output = Guarded<S>(try outputShape(batch: batch).reduce(1, *))
    try n.input.withPointer { input in
      try n.weight.withPointer { weight in
        try n.bias.withPointer { bias in
          try output.values.withMutablePointer {
            try forward(
              batch: batch, input: input, weight: weight, bias: hasBias ? bias : nil, output: $0, options: options)
          }
        }
      }
    }
    #expect(output.isIntact)
    return Array(output.values.prefix(output.count))
  }

  func guardedInputGradient<S: EngineScalar>(
    _ n: LayerNumbers<S>, batch: Int, _ options: RunOptions
  ) throws -> [S] {
    var result = Guarded<S>(try inputShape(batch: batch).reduce(1, *))
    try n.gradient.withPointer { gradient in
      try n.weight.withPointer { weight in
        try result.values.withMutablePointer {
          try inputGradient(
            batch: batch, outputGradient: gradient, weight: weight, inputGradient: $0, options: options)
        }
      }
    }
    #expect(result.isIntact)
    return Array(result.values.prefix(result.count))
  }

  func guardedWeightGradient<S: EngineScalar>(
    _ n: LayerNumbers<S>, batch: Int, _ options: RunOptions
  ) throws -> [S] {
    var result = Guarded<S>(weightShape.reduce(1, *))
    try n.gradient.withPointer { gradient in
      try n.input.withPointer { input in
        try result.values.withMutablePointer {
          try weightGradient(
            batch: batch, outputGradient: gradient, input: input, weightGradient: $0, options: options)
        }
      }
    }
    #expect(result.isIntact)
    return Array(result.values.prefix(result.count))
  }
}
