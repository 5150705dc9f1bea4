// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvNetwork

/// What becomes of a file that was opened: its network is opened in fast mode, and runs where its sizes are small.
enum SmallRun {
  case refused(NetworkError)
  /// It opens; an input of it is too much for a test.
  case tooMuch
  case ran

  /// The most multiplications, by a bound from above.
  static let most = 3e7

  init(_ file: NetworkFile) throws {
    do throws(NetworkError) {
      let network = try Network(file)
      let extents = network.graph.types[0].extents.map { $0 ?? 7 }
      let work = try Self.work(network.graph, file, extents)
      if work > Self.most {
        self = .tooMuch
        return
      }
      let shape = network.graph.types[0].shape(batch: 1, extents: extents)
      switch file.document.scalar {
      case .float32: try Self.run(network, shape, Float.self)
      case .float64: try Self.run(network, shape, Double.self)
      }
      self = .ran
    } catch { self = .refused(error) }
  }

  private static func run<S: EngineScalar>(_ network: Network, _ shape: [Int], _: S.Type) throws(NetworkError) {
    let sizes = try network.graph.outputs.indices.map { number throws(NetworkError) in
      try network.outputShape(number, input: shape).reduce(1, *)
    }
    let input = UnsafeMutableBufferPointer<S>.allocate(capacity: shape.reduce(1, *))
    input.initialize(repeating: 1)
    let outputs = sizes.map { UnsafeMutablePointer<S>.allocate(capacity: max($0, 1)) }
    defer {
      input.deallocate()
      for output in outputs { output.deallocate() }
    }
    guard let read = input.baseAddress else { return }
    try network.run(inputShape: shape, input: UnsafePointer(read), outputs: outputs)
  }

  /// The numbers of all values, each times those of the parameters that make it, or more.
  private static func work(
    _ graph: NetworkGraph, _ file: NetworkFile, _ extents: [Int]
  ) throws(NetworkError) -> Double {
    let counts = zip(graph.types, try graph.extents(input: extents)).map { type, extents in
      extents.reduce(Double(type.channels) * Double(type.points)) { $0 * Double($1) }
    }
    var work = counts[0]
    for (operation, count) in zip(graph.document.operations, counts.dropFirst()) {
      let taps: Double
      switch operation.kind {
      case .convolution(let layer, let weight, _), .transposedConvolution(let layer, let weight, _, _):
        taps = numbers(file, weight) * Double(layer.group.order)
      case .linear(let weight, _): taps = numbers(file, weight)
      default: taps = Double(operation.inputs.count)
      }
      work += count * max(1, taps)
    }
    return work
  }

  private static func numbers(_ file: NetworkFile, _ name: String) -> Double {
    file.tensor(name)?.shape.reduce(1) { $0 * Double($1) } ?? 0
  }
}
