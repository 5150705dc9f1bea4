// SPDX-License-Identifier: Apache-2.0
//
// Measures the `MeasuredCosts` that each algorithm's file records, on one thread, for each instruction set of this processor:
//
//     make costs
//
// Passes are timed with many channels in and one out, one in and many out, and many both ways; the shortest of several
// runs is divided by the time of one vector multiply-add in the same process. The group is trivial, and D4 for Fourier on
// the point group.

import EquiconvEngine
import EquiconvGroups

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// One layer with 3 × 3 taps, of the plane or of signals on a group, run by a given method.
struct Probe {
  let inputs: Int
  let outputs: Int
  let size: Int
  let batch: Int
  /// Nil for the trivial one.
  var group: PointGroup?
  var algorithm = Algorithm.auto

  func plan() throws -> ConvolutionPlan {
    let space = group == nil ? SignalSpace.plane : .group
    let group = try group ?? .trivial(2)
    return try ConvolutionPlan(
      ConvolutionDescriptor(
        layer: Layer(from: space, to: space, group: group, padding: [1, 1], algorithm: algorithm), inChannels: inputs,
        outChannels: outputs, spatial: [size, size], kernel: [3, 3]))
  }

  /// Vector multiply-adds that a pass takes as long as. Transforms of weights are included if weights are new in each
  /// call.
  func cost(
    _ method: Method, _ set: InstructionSet, _ pass: Pass = .forward, hasNewWeights: Bool = false
  ) throws -> Double {
    let plan = try plan()
    let input = [Float](repeating: 0.5, count: try plan.inputShape(batch: batch).reduce(1, *))
    var weight = [Float](repeating: 0.25, count: plan.weightShape.reduce(1, *))
    var output = [Float](repeating: 0, count: try plan.outputShape(batch: batch).reduce(1, *))
    var gradient = weight
    let options = RunOptions(instructions: set, method: method, threads: 1)
    var best = Double.infinity
    for run in 0..<12 {
      if hasNewWeights { weight[0] = Float(run) }
      let start = Self.now()
      try input.withUnsafeBufferPointer { input in
        try weight.withUnsafeBufferPointer { weight in
          try output.withUnsafeMutableBufferPointer { output in
            if pass == .weightGradient {
              try gradient.withUnsafeMutableBufferPointer { gradient in
                try plan.weightGradient(
                  batch: batch, outputGradient: UnsafePointer(output.baseAddress!), input: input.baseAddress!,
                  weightGradient: gradient.baseAddress!, options: options)
              }
            } else {
              try plan.forward(
                batch: batch, input: input.baseAddress!, weight: weight.baseAddress!, bias: nil,
                output: output.baseAddress!, options: options)
            }
          }
        }
      }
      best = min(best, Self.now() - start)
    }
    return try best / Calibration.secondsPerVector(Float.self, set)
  }

  /// Processor time, of which other programs take nothing.
  static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}

/// Costs of transforms in and out, for a vector of tiles, and the share of the peak that products reach.
func tileCosts(_ method: Method, _ set: InstructionSet, outputs: Int, products: Double) throws -> [Double] {
  // 256 tiles, in images of 16.
  let (many, batch, size) = (64, 16, 4 * outputs)
  let vectors = Double(256 / Float.microkernels(set).lanes)
  let sides = try (
    Probe(inputs: many, outputs: 1, size: size, batch: batch).cost(method, set) / vectors,
    Probe(inputs: 1, outputs: many, size: size, batch: batch).cost(method, set) / vectors,
    Probe(inputs: many, outputs: many, size: size, batch: batch).cost(method, set) / vectors
  )
  let counts = Double(many)
  // In + many · out, many · in + out: the one product between is small.
  let into = (counts * (sides.0 - products * counts) - (sides.1 - products * counts)) / (counts * counts - 1)
  let outOf = (counts * (sides.1 - products * counts) - (sides.0 - products * counts)) / (counts * counts - 1)
  let share = products * counts * counts / (sides.2 - counts * (into + outOf))
  return [into, outOf, share]
}

/// Costs of Fourier on D4: the share of the peak that products reach, an addition of vectors in transforms in and out,
/// and a number of the transformed weights.
func groupFourierCosts(_ set: InstructionSet) throws -> [Double] {
  let (many, size, batch) = (32, 32, 2)
  let group = try PointGroup.dihedral(4)
  func probe(_ inputs: Int, _ outputs: Int) -> Probe {
    Probe(inputs: inputs, outputs: outputs, size: size, batch: batch, group: group, algorithm: .groupFourier)
  }
  // operations = pixels (2 products · in · out + additions in · in + additions out · out)
  func operations(_ inputs: Int, _ outputs: Int) throws -> Double {
    try probe(inputs, outputs).plan().explain(.forward, batch: 1, Float.self).operations / Double(size * size)
  }
  let (one, two) = (try operations(1, 1), try operations(2, 2))
  let (twoIn, twoOut) = (try operations(2, 1), try operations(1, 2))
  let products = (two - twoIn - twoOut + one) / 2
  let additions = (into: twoIn - one - 2 * products, outOf: twoOut - one - 2 * products)

  let vectors = Double(batch * size * size / Float.microkernels(set).lanes)
  func cost(_ inputs: Int, _ outputs: Int) throws -> Double {
    try probe(inputs, outputs).cost(.groupFourier, set) / vectors
  }
  let counts = Double(many)
  let (wideIn, wideOut, wide) = (try cost(many, 1), try cost(1, many), try cost(many, many))
  let into = (counts * (wideIn - products * counts) - (wideOut - products * counts)) / (counts * counts - 1)
  let outOf = (counts * (wideOut - products * counts) - (wideIn - products * counts)) / (counts * counts - 1)
  let share = products * counts * counts / (wide - counts * (into + outOf))
  let numbers =
    Double(try probe(many, many).plan().explain(.forward, batch: 1, Float.self).weightBytes)
    / Double(MemoryLayout<Float>.stride)
  let renewed = try probe(many, many).cost(.groupFourier, set, hasNewWeights: true)
  return [share, into / additions.into, outOf / additions.outOf, (renewed - wide * vectors) / numbers]
}

func rounded(_ value: Double, _ digits: Double = 1) -> Double { (value * digits).rounded() / digits }

for set in InstructionSet.available {
  let direct = Probe(inputs: 64, outputs: 64, size: 64, batch: 1)
  let work = 64 * 64 * 9 * 64 * 64 / Double(Float.microkernels(set).lanes)
  let seconds = try Calibration.secondsPerVector(Float.self, set)
  print("\(set): one vector multiply-add takes \(seconds * 1e9) ns")
  print("  direct: share \(rounded(work / (try direct.cost(.direct, set)), 100))", terminator: "")
  print("  gradientShare \(rounded(work / (try direct.cost(.direct, set, .weightGradient)), 100))")
  for length in [8, 12, 16, 20, 24, 32] {
    let points = Double(length * length / 2 + 2)
    let costs = try tileCosts(.fourier(length: length), set, outputs: length - 2, products: 3.125 * points)
    print("  fourier \(length): in \(rounded(costs[0])) out \(rounded(costs[1])) share \(rounded(costs[2], 100))")
  }
  for outputs in [4, 2] {
    let points = Double((outputs + 2) * (outputs + 2))
    let costs = try tileCosts(.winograd(outputs: outputs), set, outputs: outputs, products: points)
    print("  winograd \(outputs): in \(rounded(costs[0])) out \(rounded(costs[1])) share \(rounded(costs[2], 100))")
  }
  let costs = try groupFourierCosts(set)
  print("  group-fourier: share \(rounded(costs[0], 100)) addition in \(rounded(costs[1], 100))", terminator: "")
  print(" out \(rounded(costs[2], 100)) weight \(rounded(costs[3], 100))")
}
