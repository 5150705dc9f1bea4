// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Foundation
import Testing
import _EquiconvShims
import _EquiconvTestSupport

#if arch(x86_64) && !os(Windows)
  private typealias Wide = Float80
#else
  private typealias Wide = Double
#endif

/// Functions of single numbers: what they are, that a number's place does not matter, and that nothing else is touched.
@Suite struct PointwiseTests {
  static let functions: [Pointwise] = [
    .relu, .leakyRelu(slope: 0.01), .leakyRelu(slope: 1.5), .elu(alpha: 1), .elu(alpha: 0.7), .gelu, .geluTanh, .silu,
    .sigmoid, .tanh,
  ]

  // MARK: - Definitions

  @Test(arguments: InstructionSet.available, functions)
  func functionInFloat_isTheDefinition_toUnitsInTheLastPlace(_ set: InstructionSet, _ function: Pointwise) throws {
    let numbers = Self.patterns(Float.self) + Self.line(Float.self)
    let values = try applied(function, to: numbers, set)
    var largest = 0.0
    for (x, value) in zip(numbers, values) where x.isFinite && !x.isSubnormal {
      let expected = definition(function, x)
      if abs(expected) > Wide(Float.greatestFiniteMagnitude) { continue }
      let error = abs(Wide(value) - expected) - Wide(Float.leastNormalMagnitude)
      let unit = Wide(max(abs(Float(expected)), .leastNormalMagnitude).ulp)
      largest = max(largest, value.isNaN ? .infinity : Double(error / unit))
    }
    // A chain of six to ten roundings, of half a unit each and rarely of one sign.
    #expect(largest <= (function == .gelu ? 5 : 3.5))
  }

  @Test(arguments: InstructionSet.available, functions)
  func functionInDouble_isTheDefinition(_ set: InstructionSet, _ function: Pointwise) throws {
    let numbers = Self.patterns(Double.self) + Self.line(Double.self)
    let values = try applied(function, to: numbers, set)
    var largest = 0.0
    for (x, value) in zip(numbers, values) where x.isFinite && !x.isSubnormal {
      let expected = definition(function, x)
      if abs(expected) > Wide(Double.greatestFiniteMagnitude) { continue }
      let error = abs(Wide(value) - expected) - Wide(Double.leastNormalMagnitude)
      largest = max(largest, value.isNaN ? .infinity : Double(error / max(abs(expected), 1e-300)))
    }
    #expect(largest <= 1e-15)
  }

  @Test(arguments: InstructionSet.available, functions)
  func specialNumbers_haveTheirLimits(_ set: InstructionSet, _ function: Pointwise) throws {
    try checkSpecialNumbers(Float.self, set, function)
    try checkSpecialNumbers(Double.self, set, function)
  }

  private func checkSpecialNumbers<S: EngineScalar>(_: S.Type, _ set: InstructionSet, _ function: Pointwise) throws {
    let below: Double =
      switch function {
      case .relu, .gelu, .geluTanh, .silu, .sigmoid: 0
      case .leakyRelu: -.infinity
      case .elu(let alpha): -alpha
      case .tanh: -1
      }
    let (atZero, above): (S, S) = function == .sigmoid ? (0.5, 1) : (0, function == .tanh ? 1 : .infinity)
    let values: [S] = try applied(function, to: [-.infinity, .infinity, 0, -0.0, .nan, .signalingNaN], set)
    #expect(Array(values[..<4]) == [S(below), above, atZero, atZero], "\(S.self) \(values)")
    #expect(values[4].isNaN && values[5].isNaN)
    // Subnormal numbers are zeros, or themselves.
    let small: [S] = try applied(function, to: [.leastNonzeroMagnitude, -.leastNonzeroMagnitude], set)
    #expect(small.allSatisfy { abs($0 - atZero) <= .leastNormalMagnitude }, "\(S.self) \(small)")
    let large: [S] = try applied(function, to: [-.greatestFiniteMagnitude, .greatestFiniteMagnitude], set)
    #expect(!large[0].isNaN && !large[1].isNaN && (above != .infinity || large[1] == .greatestFiniteMagnitude))
  }

  // MARK: - Places

  @Test(arguments: InstructionSet.available, functions)
  func number_becomesTheSame_whereverItLies_alsoInPlace(_ set: InstructionSet, _ function: Pointwise) throws {
    try checkPlaces(Float.self, set, function)
    try checkPlaces(Double.self, set, function)
  }

  private func checkPlaces<S: EngineScalar>(_: S.Type, _ set: InstructionSet, _ function: Pointwise) throws {
    var random = SplitMix64(seed: 401)
    let numbers: [S] = (0..<71).map { _ in S(Double.random(in: -9...9, using: &random)) }
    let alone = try numbers.map { try applied(function, to: [$0], set)[0] }
    for first in 0..<9 {
      for count in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 62] {
        let part = Array(numbers[first..<first + count])
        for atEnd in [false, true] {
          let (source, target) = (FencedArray(part, atEnd: atEnd), FencedArray(part.map { _ in S.nan }, atEnd: atEnd))
          let expected = Array(alone[first..<first + count])
          try function.apply(
            UnsafePointer(source.base), to: target.base, count: count, instructions: set, threads: nil)
          #expect(firstDifferenceInBits(target.values, expected) == nil, "\(S.self) \(first) \(count)")
          try function.apply(
            UnsafePointer(source.base), to: source.base, count: count, instructions: set, threads: nil)
          #expect(firstDifferenceInBits(source.values, expected) == nil, "\(S.self) \(first) \(count) in place")
        }
      }
    }
  }

  @Test(arguments: functions)
  func results_doNotDependOnThreads(_ function: Pointwise) throws {
    var random = SplitMix64(seed: 402)
    let numbers: [Float] = random.reals(100_003)
    let single = try applied(function, to: numbers, .current, threads: 1)
    for threads in [2, 3] {
      #expect(try firstDifferenceInBits(applied(function, to: numbers, .current, threads: threads), single) == nil)
    }
  }

  /// The baseline alone rounds products and sums apart.
  @Test(.enabled(if: InstructionSet.available.contains(.avx512)), arguments: functions)
  func results_ofAVX2AndAVX512_haveTheSameBits(_ function: Pointwise) throws {
    for numbers in [Self.line(Float.self)] {
      #expect(
        try firstDifferenceInBits(applied(function, to: numbers, .avx2), applied(function, to: numbers, .avx512)) == nil
      )
    }
    let numbers = Self.line(Double.self)
    #expect(
      try firstDifferenceInBits(applied(function, to: numbers, .avx2), applied(function, to: numbers, .avx512)) == nil)
  }

  // MARK: - Rows

  @Test(arguments: InstructionSet.available)
  func rows_areCombinedAndMapped_andNothingElseIsTouched(_ set: InstructionSet) {
    checkRows(Float.self, set)
    checkRows(Double.self, set)
  }

  private func checkRows<S: EngineScalar>(_: S.Type, _ set: InstructionSet) {
    let operations: [(equiconv_pointwise_combination, (S, S) -> S)] = [
      (EQUICONV_COMBINE_NONE, { a, _ in a }), (EQUICONV_COMBINE_ADD, { $0 + $1 }),
      (EQUICONV_COMBINE_SUBTRACT, { $0 - $1 }), (EQUICONV_COMBINE_DIVIDE, { $0 / $1 }),
      (EQUICONV_COMBINE_LARGEST, { $0 > $1 ? $0 : $1 }),
    ]
    var random = SplitMix64(seed: 403)
    for columns in [1, 2, 3, 7, 8, 9, 16, 17, 33] {
      let (sourceStride, otherStride, targetStride) = (columns + 2, columns + 1, columns + 3)
      let source: [S] = random.reals(3 * sourceStride)
      let other: [S] = random.reals(3 * otherStride)
      for (combination, combined) in operations {
        var expected = Guarded<S>(3 * targetStride).values
        for row in 0..<3 {
          for x in 0..<columns {
            let value = combined(source[row * sourceStride + x], other[row * otherStride + x])
            expected[row * targetStride + x] = set.multiplyAdd(1.5, value, -0.25)
          }
        }
        let arena = Arena()
        let target = arena.copy(Guarded<S>(3 * targetStride).values)
        var call = equiconv_pointwise_call(
          source: arena.copy(source), other: arena.copy(other), target: target, row_count: 3, column_count: columns,
          source_row_stride: sourceStride, other_row_stride: otherStride, target_row_stride: targetStride,
          combination: combination, function: EQUICONV_POINTWISE_AFFINE, p: 1.5, q: -0.25)
        S.microkernels(set).pointwise(&call)
        #expect(firstDifferenceInBits(target.array(3 * targetStride), expected) == nil, "\(combination) \(columns)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func rows_ofOneTarget_areAddedUpInOrder(_ set: InstructionSet) {
    var random = SplitMix64(seed: 404)
    let source: [Float] = random.reals(5 * 21)
    let arena = Arena()
    let target = arena.copy([Float](repeating: 0, count: 21))
    var call = equiconv_pointwise_call(
      source: arena.copy(source), other: target, target: target, row_count: 5, column_count: 21, source_row_stride: 21,
      other_row_stride: 0, target_row_stride: 0, combination: EQUICONV_COMBINE_ADD,
      function: EQUICONV_POINTWISE_IDENTITY, p: 0, q: 0)
    Float.microkernels(set).pointwise(&call)
    let expected = (0..<21).map { x in (0..<5).reduce(Float(0)) { source[$1 * 21 + x] + $0 } }
    #expect(firstDifferenceInBits(target.array(21), expected) == nil)
  }

  /// In any order, also of NaN and of zeros of either sign.
  @Test(arguments: InstructionSet.available)
  func largest_doesNotDependOnTheOrder(_ set: InstructionSet) {
    let values: [Float] = [0, -0.0, .nan, .infinity, -.infinity, 1, -2]
    let pairs = values.flatMap { a in values.map { (a, $0) } }
    func largest(_ a: [Float], _ b: [Float]) -> [Float] {
      let arena = Arena()
      let target = arena.copy(a)
      Float.microkernels(set).combine(
        columns: a.count, NumberRows(UnsafePointer(target)), EQUICONV_COMBINE_LARGEST,
        NumberRows(UnsafePointer(arena.copy(b))), into: NumberRows(target))
      return target.array(a.count)
    }
    let forward = largest(pairs.map(\.0), pairs.map(\.1))
    let backward = largest(pairs.map(\.1), pairs.map(\.0))
    for (index, (a, b)) in pairs.enumerated() {
      let expected = a.isNaN || b.isNaN ? .nan : a == b ? a + b == 0 ? a + b : a : max(a, b)
      for found in [forward[index], backward[index]] {
        #expect(expected.isNaN ? found.isNaN : found == expected && found.sign == expected.sign, "\(a) \(b) \(found)")
      }
    }
  }

  // MARK: - Borders

  @Test func arguments_thatDoNotFit_areErrors() {
    var numbers = [Float](repeating: 1, count: 8)
    numbers.withMutablePointer { base in
      #expect(throws: ConvolutionError.self) { try Pointwise.relu.apply(base, to: base, count: -1) }
      #expect(throws: ConvolutionError.self) { try Pointwise.relu.apply(base, to: base + 1, count: 4) }
      let misaligned = UnsafeRawPointer(base).advanced(by: 1).assumingMemoryBound(to: Float.self)
      #expect(throws: ConvolutionError.self) { try Pointwise.relu.apply(misaligned, to: base, count: 1) }
    }
  }

  // MARK: - Numbers

  private func applied<S: EngineScalar>(
    _ function: Pointwise, to numbers: [S], _ set: InstructionSet, threads: Int? = nil
  ) throws -> [S] {
    var values = numbers.map { _ in S.nan }
    try numbers.withPointer { source in
      try values.withMutablePointer {
        try function.apply(source, to: $0, count: numbers.count, instructions: set, threads: threads)
      }
    }
    return values
  }

  /// Numbers of every magnitude: every so many bit patterns.
  private static func patterns(_: Float.Type) -> [Float] {
    stride(from: UInt32(0), through: .max - 20_011, by: 20_011).map { Float(bitPattern: $0) }
  }
  private static func patterns(_: Double.Type) -> [Double] {
    stride(from: UInt64(0), through: .max - 0x4000_1234_5678, by: 0x4000_1234_5678).map { Double(bitPattern: $0) }
  }

  private static func line<S: EngineScalar>(_: S.Type) -> [S] {
    let largest = S.self == Float.self ? 106.0 : 760
    let places = (0..<60_000).map { Double($0) / 30_000 - 1 }
    return places.map { S($0 * largest) } + places.map { S($0 * 6) }
  }

  private func definition<S: EngineScalar>(_ function: Pointwise, _ x: S) -> Wide {
    let x = Wide(x)
    switch function {
    case .relu: return max(x, 0)
    case .leakyRelu(let slope): return x < 0 ? Wide(S(slope)) * x : x
    case .elu(let alpha): return x < 0 ? Wide(S(alpha)) * expm1(x) : x
    case .gelu: return x < -1e3 ? 0 : x > 1e3 ? x : x * erfc(-x / Wide(2).squareRoot()) / 2
    case .geluTanh:
      if abs(x) > 1e3 { return max(x, 0) }
      let u = (2 / Wide.pi).squareRoot() * (x + 0.044715 * x * x * x)
      return x / (1 + exp(-2 * u))
    case .silu: return x < -2e4 ? 0 : x / (1 + exp(-x))
    case .sigmoid: return 1 / (1 + exp(-x))
    case .tanh: return Foundation.tanh(x)
    }
  }
}
