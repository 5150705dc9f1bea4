// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// An array directly behind or in front of a page that may not be read.
final class FencedArray {
  let base: UnsafeMutablePointer<Float>
  private let count: Int
  private let region: UnsafeMutableRawPointer
  private let bytes: Int

  init(_ values: [Float], atEnd: Bool) {
    let page = Int(getpagesize())
    let used = (values.count * MemoryLayout<Float>.stride + page - 1) / page * page
    count = values.count
    bytes = used + 2 * page
    region = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
    mprotect(region, page, PROT_NONE)
    mprotect(region + page + used, page, PROT_NONE)
    base =
      (region + page).assumingMemoryBound(to: Float.self)
      + (atEnd ? used / MemoryLayout<Float>.stride - values.count : 0)
    base.initialize(from: values, count: values.count)
  }

  deinit { munmap(region, bytes) }

  var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

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
