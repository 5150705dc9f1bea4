// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvShims
import _EquiconvTestSupport

/// complexMultiply against the product of complex numbers, in every panel width.
@Suite struct ComplexMultiplyTests {
  @Test(arguments: InstructionSet.available)
  func complexMultiply_isTheSumOfComplexProducts_withinRounding(_ set: InstructionSet) {
    for readCount in [0, 1, 2, 5] {
      for channels in [0, 1, 3] {
        for vectors in [1, 3] {
          check(Float.self, set, vectors: vectors, readCount: readCount, channels: channels)
          check(Double.self, set, vectors: vectors, readCount: readCount, channels: channels)
        }
      }
    }
  }

  private func check<S: EngineScalar>(
    _: S.Type, _ set: InstructionSet, vectors: Int, readCount: Int, channels: Int
  ) {
    for mode in ComplexProblem<S>.Mode.allCases {
      for accumulates in [false, true] {
        var width = S.microkernels(set).widestComplexPanel
        while width >= 1 {
          let problem = ComplexProblem<S>(
            set, width: width, vectors: vectors, readCount: readCount, channels: channels, mode: mode,
            accumulates: accumulates)
          let found = problem.run()
          let expected = problem.expected()
          let bound = 8 * Double(S.ulpOfOne) * Double(1 + readCount * channels)
          #expect(found.count == expected.count)
          #expect(
            found.indices.allSatisfy { abs(Double(found[$0]) - expected[$0]) <= bound },
            "\(S.self) \(set) width \(width) \(mode) accumulates \(accumulates)")
          width /= 2
        }
      }
    }
  }
}

/// One call with random numbers; what lies around the results must stay as it was.
private struct ComplexProblem<S: EngineScalar> {
  /// w z, conj(w) z by swapped parts, and w conj(z).
  enum Mode: CaseIterable { case plain, conjugatedWeights, conjugatedSource }

  let kernels: Microkernels
  let width: Int
  let channels: Int
  let readCount: Int
  let vectors: Int
  let mode: Mode
  let accumulates: Bool
  let source: [S]
  let weights: [S]
  let before: [S]
  let reads: [equiconv_read]
  let sourceOffsets: [Int]
  let destinationOffsets: [Int]

  private var lanes: Int { kernels.lanes }
  private var sourceChannel: Int { (readCount + 1) * vectors * 2 * lanes + 3 }
  private var weightChannel: Int { (readCount + 1) * 3 * width }
  private var row: Int { vectors * 2 * lanes + 5 }

  init(
    _ set: InstructionSet, width: Int, vectors: Int, readCount: Int, channels: Int, mode: Mode, accumulates: Bool
  ) {
    var random = SplitMix64(seed: UInt64(vectors * 100 + readCount * 10 + channels))
    let kernels = S.microkernels(set)
    self.kernels = kernels
    self.width = width
    self.vectors = vectors
    self.readCount = readCount
    self.channels = channels
    self.mode = mode
    self.accumulates = accumulates
    let lanes = kernels.lanes
    reads = (0..<readCount).shuffled(using: &random).enumerated().map { index, read in
      equiconv_read(source: read * vectors * 2 * lanes, weight: index * 3 * width)
    }
    sourceOffsets = (0..<vectors).shuffled(using: &random).map { $0 * 2 * lanes }
    destinationOffsets = (0..<vectors).shuffled(using: &random).map { 2 + $0 * 2 * lanes }
    source = (0..<(channels + 1) * ((readCount + 1) * vectors * 2 * lanes + 3)).map { _ in
      S(Double.random(in: -1...1, using: &random))
    }
    // Planes a, b − a, a + b of whole eighths, so that they are exact.
    let eighths = { S(Double(Int.random(in: -8...8, using: &random)) / 8) }
    var weights: [S] = []
    for _ in 0..<(channels + 1) * (readCount + 1) {
      let (a, b) = ((0..<width).map { _ in eighths() }, (0..<width).map { _ in eighths() })
      weights += a + zip(a, b).map { $1 - $0 } + zip(a, b).map { $0 + $1 }
    }
    self.weights = weights
    before = (0..<width * (vectors * 2 * lanes + 5) + 7).map { _ in S(Double.random(in: -1...1, using: &random)) }
  }

  func run() -> [S] {
    var destination = before
    let isSwapped = mode == .conjugatedWeights
    let (part, apart) = isSwapped ? (lanes, -lanes) : (0, lanes)
    destination.withUnsafeMutableBufferPointer { destination in
      source.withPointer { source in
        weights.withPointer { weights in
          reads.withPointer { reads in
            sourceOffsets.withPointer { sourceOffsets in
              destinationOffsets.withPointer { destinationOffsets in
                var call = equiconv_complex_multiply_call(
                  source: source + part, weights: weights, destination: destination.baseAddress! + part, reads: reads,
                  read_count: readCount, channel_count: channels, source_channel_stride: sourceChannel,
                  source_imaginary: apart, weight_channel_stride: weightChannel, weight_plane_stride: width,
                  destination_row_stride: row, destination_imaginary: apart, source_offsets: sourceOffsets,
                  destination_offsets: destinationOffsets, vector_count: vectors, accumulates: accumulates ? 1 : 0,
                  conjugates_source: mode == .conjugatedSource ? 1 : 0)
                kernels.complexMultiply(&call, width)
              }
            }
          }
        }
      }
    }
    return destination
  }

  func expected() -> [Double] {
    var result = before.map { Double($0) }
    for m in 0..<width {
      for v in 0..<vectors {
        for lane in 0..<lanes {
          let place = m * row + destinationOffsets[v] + lane
          var (re, im) = accumulates ? (result[place], result[place + lanes]) : (0, 0)
          for channel in 0..<channels {
            for read in reads {
              let z = channel * sourceChannel + read.source + sourceOffsets[v] + lane
              let w = channel * weightChannel + read.weight + m
              let (x, y) = (Double(source[z]), Double(source[z + lanes]) * (mode == .conjugatedSource ? -1 : 1))
              let a = Double(weights[w])
              let b = (Double(weights[w + 2 * width]) - a) * (mode == .conjugatedWeights ? -1 : 1)
              re += a * x - b * y
              im += a * y + b * x
            }
          }
          (result[place], result[place + lanes]) = (re, im)
        }
      }
    }
    return result
  }
}
