// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Foundation
import Testing
import _EquiconvTestSupport

/// Functions of a signal that mix channels or treat each in its own way.
@Suite struct ChannelTests {
  private func filled<S: EngineScalar>(_ count: Int, _ body: (UnsafeMutablePointer<S>) throws -> Void) throws -> [S] {
    let output = FencedArray([S](repeating: .nan, count: count), atEnd: true)
    try body(output.base)
    return output.values
  }

  // MARK: - Affine

  @Test func channelAffine_scalesAndShiftsEachChannel() throws {
    var random = SplitMix64(seed: 701)
    for (batch, channels, inner) in [(1, 1, 1), (2, 3, 7), (3, 5, 64), (2, 2, 40_000), (0, 3, 4), (2, 3, 0)] {
      let input: [Float] = random.reals(batch * channels * inner)
      let (scale, shift): ([Float], [Float]) = (random.reals(channels), random.reals(channels))
      for function in [nil, Pointwise.tanh] {
        var expected = input.indices.map { index in
          let channel = index / inner % channels
          return InstructionSet.current == .baseline
            ? scale[channel] * input[index] + shift[channel]
            : shift[channel].addingProduct(scale[channel], input[index])
        }
        let count = expected.count
        try expected.withMutablePointer { try function?.apply(UnsafePointer($0), to: $0, count: count) }
        for threads in [1, 2] {
          let found = try filled(count) {
            try ChannelAffine.run(
              batch: batch, channels: channels, inner: inner, input: input, scale: scale, shift: shift,
              pointwise: function, output: $0, threads: threads)
          }
          #expect(firstDifferenceInBits(found, expected) == nil, "\(batch) \(channels) \(inner)")
        }
      }
    }
  }

  // MARK: - Sums

  @Test func adding_isTheSumInOrder_alsoInPlace() throws {
    var random = SplitMix64(seed: 702)
    for count in [0, 1, 5, 33, 70_001] {
      for signals in 2...4 {
        let inputs: [[Float]] = (0..<signals).map { _ in random.reals(count) }
        var expected = (0..<count).map { index in inputs.dropFirst().reduce(inputs[0][index]) { $0 + $1[index] } }
        for function in [nil, Pointwise.relu] {
          try expected.withMutablePointer { try function?.apply(UnsafePointer($0), to: $0, count: count) }
          for threads in [1, 2] {
            let arrays = inputs.map { FencedArray($0, atEnd: true) }
            let pointers = arrays.map { UnsafePointer($0.base) }
            let found = try filled(count) {
              try Adding.run(pointers, count: count, pointwise: function, output: $0, threads: threads)
            }
            #expect(firstDifferenceInBits(found, expected) == nil, "\(signals) \(count)")
            try Adding.run(
              pointers, count: count, pointwise: function, output: arrays[signals == 2 ? 1 : 0].base, threads: threads)
            #expect(firstDifferenceInBits(arrays[signals == 2 ? 1 : 0].values, expected) == nil, "in place")
          }
        }
      }
    }
  }

  // MARK: - Softmax

  @Test func softmax_isItsDefinition_andAddsUpToOne() throws {
    var random = SplitMix64(seed: 703)
    for (batch, channels, inner) in [(1, 1, 3), (2, 10, 1), (3, 4, 17), (1, 3, 1500), (5, 1000, 1)] {
      let input: [Float] = (0..<batch * channels * inner).map { _ in Float.random(in: -30...30, using: &random) }
      let found = try filled(input.count) {
        try Softmax.run(batch: batch, channels: channels, inner: inner, input: input, output: $0, threads: 1)
      }
      var other = input
      try other.withMutablePointer {
        try Softmax.run(
          batch: batch, channels: channels, inner: inner, input: UnsafePointer($0), output: $0, threads: 2)
      }
      #expect(firstDifferenceInBits(found, other) == nil, "in place, on two threads")
      for image in 0..<batch {
        for place in 0..<inner {
          let column = (0..<channels).map { (image * channels + $0) * inner + place }
          let largest = column.map { input[$0] }.max()!
          let exponentials = column.map { exp(Double(input[$0]) - Double(largest)) }
          let sum = exponentials.reduce(0, +)
          for (index, exponential) in zip(column, exponentials) {
            // The difference of two numbers below 60 is rounded.
            #expect(abs(Double(found[index]) - exponential / sum) <= 1e-5 * exponential / sum + 1e-37)
          }
        }
      }
    }
  }

  @Test func softmax_ofNotANumber_isNotANumberInAllChannels() throws {
    let input: [Float] = [1, 2, .nan, 3, .infinity, 0, -.infinity, 1, -.infinity]
    let found: [Float] = try filled(9) {
      try Softmax.run(batch: 1, channels: 3, inner: 3, input: input, output: $0)
    }
    #expect([1, 2, 4, 5, 7, 8].allSatisfy { found[$0].isNaN })
    #expect(found[6] == 0 && abs(found[0] + found[3] - 1) < 1e-6)
  }

  // MARK: - Matrices

  private func checkLinearMap<S: EngineScalar>(_: S.Type) throws {
    var random = SplitMix64(seed: 704)
    for (batch, features, outputs) in [
      (1, 1, 1), (3, 7, 5), (4, 16, 10), (2, 33, 13), (17, 1500, 30), (0, 4, 3), (2, 0, 3), (2, 4, 0),
    ] {
      let (input, weight): ([S], [S]) = (random.integers(batch * features), random.integers(outputs * features))
      let bias: [S] = random.integers(outputs)
      for hasBias in [false, true] {
        let expected: [S] = (0..<batch).flatMap { image in
          (0..<outputs).map { o in
            (0..<features).reduce(hasBias ? bias[o] : 0) {
              $0 + input[image * features + $1] * weight[o * features + $1]
            }
          }
        }
        let (inputs, weights) = (FencedArray(input, atEnd: true), FencedArray(weight, atEnd: true))
        let found: [S] = try filled(batch * outputs) { output in
          try bias.withPointer {
            try LinearMap.run(
              batch: batch, features: features, outputs: outputs, input: UnsafePointer(inputs.base),
              weight: UnsafePointer(weights.base), bias: hasBias ? $0 : nil, output: output)
          }
        }
        #expect(firstDifference(found, expected) == nil, "\(batch) \(features) \(outputs)")
      }
    }
  }

  @Test func linearMap_isTheProduct_exactlyOnWholeNumbers() throws {
    try checkLinearMap(Float.self)
    try checkLinearMap(Double.self)
  }

  @Test func linearMap_ofAnImage_dependsOnNeitherBatchNorThreads_toTheLastBit() throws {
    var random = SplitMix64(seed: 705)
    for (features, outputs) in [(5, 3), (100, 10), (2500, 37)] {
      let (input, weight): ([Float], [Float]) = (random.reals(9 * features), random.reals(outputs * features))
      let bias: [Float] = random.reals(outputs)
      func run(_ images: Range<Int>, _ threads: Int) throws -> [Float] {
        let part = Array(input[images.lowerBound * features..<images.upperBound * features])
        return try filled(images.count * outputs) {
          try LinearMap.run(
            batch: images.count, features: features, outputs: outputs, input: part, weight: weight, bias: bias,
            pointwise: .gelu, output: $0, threads: threads)
        }
      }
      let all = try run(0..<9, 1)
      #expect(try firstDifferenceInBits(run(0..<9, 3), all) == nil)
      #expect(try firstDifferenceInBits((0..<9).flatMap { try run($0..<$0 + 1, 2) }, all) == nil)
      #expect(try firstDifferenceInBits(run(0..<4, 1) + run(4..<9, 1), all) == nil)
    }
  }

  // MARK: - Borders

  @Test func argumentsThatDoNotFit_areErrors() {
    func kind(_ body: () throws -> Void) -> ConvolutionError.Kind? {
      do { try body() } catch { return (error as? ConvolutionError)?.kind }
      return nil
    }
    var values = [Float](repeating: 1, count: 64)
    values.withMutablePointer { base in
      let input = UnsafePointer(base)
      #expect(kind { try Adding.run([input], count: 4, output: base) } == .invalidSize)
      #expect(kind { try Adding.run([input, input + 8], count: 8, output: base + 4) } == .overlap)
      #expect(kind { try Adding.run([input, input + 8, input + 16], count: 8, output: base + 16) } == .overlap)
      #expect(kind { try Adding.run([input, input], count: -1, output: base) } == .invalidSize)
      #expect(
        kind { try Softmax.run(batch: 1, channels: 0, inner: 4, input: input, output: base + 32) } == .invalidSize)
      #expect(
        kind { try Softmax.run(batch: 1, channels: 2, inner: 4, input: input, output: base + 4) } == .overlap)
      #expect(
        kind { try Softmax.run(batch: 1 << 40, channels: 1 << 40, inner: 4, input: input, output: base) }
          == .sizeOverflow)
      #expect(
        kind {
          try ChannelAffine.run(
            batch: 1, channels: 4, inner: 4, input: input, scale: input + 4, shift: input + 32, output: base)
        } == .overlap)
      #expect(
        kind {
          try LinearMap.run(
            batch: 1, features: 4, outputs: 4, input: input, weight: input + 8, bias: nil, output: base + 20)
        } == .overlap)
      #expect(
        kind {
          try LinearMap.run(
            batch: -1, features: 4, outputs: 4, input: input, weight: input, bias: nil, output: base)
        } == .invalidSize)
    }
  }
}
