// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvMemory

extension Network {
  /// Runs the test that the file of this network has: its digest, and what the network writes for the test's input.
  ///
  /// Outputs may differ from those that are stored by 10⁻⁵ of the largest number of an output in float32, and by 10⁻¹² in
  /// float64: they may come from other algorithms on another processor. A file without a test has nothing to fail.
  ///
  /// - Throws: `test`, with what differs; as `run`.
  public func runTest(of file: NetworkFile) throws(NetworkError) {
    try file.checkTestDigest()
    guard let test = file.document.test else { return }
    switch document.scalar {
    case .float32: try run(test, of: file, .f32, Float.self, tolerance: 1e-5)
    case .float64: try run(test, of: file, .f64, Double.self, tolerance: 1e-12)
    }
  }

  private func run<S: EngineScalar>(
    _ test: NetworkDocument.Test, of file: NetworkFile, _ type: TensorType, _: S.Type, tolerance: Double
  ) throws(NetworkError) {
    let input = try tensor(test.input, of: file, type, place: "test.input")
    var (stored, counts) = ([NetworkTensor](), [Int]())
    for (index, name) in test.outputs.enumerated() {
      let place = "test.outputs[\(index)]"
      let tensor = try tensor(name, of: file, type, place: place)
      let shape = try outputShape(index, input: input.shape)
      if tensor.shape != shape {
        throw .invalid(
          .test, place: place, value: "of shape \(NetworkError.text(tensor.shape))", expected: NetworkError.text(shape))
      }
      stored.append(tensor)
      counts.append(shape.reduce(1, *))
    }
    let written = try NetworkTable<S>(repeating: 0, count: max(1, counts.reduce(0, +)))
    guard let base = written.elements.baseAddress, let read = input.bytes.baseAddress else { return }
    var (outputs, start) = ([UnsafeMutablePointer<S>](), 0)
    for count in counts {
      outputs.append(base + start)
      start += count
    }
    try run(inputShape: input.shape, input: read.assumingMemoryBound(to: S.self), outputs: outputs)
    for (index, (tensor, output)) in zip(stored, outputs).enumerated() {
      try compare(output, tensor.bytes.bindMemory(to: S.self), tolerance, place: "test.outputs[\(index)]")
    }
  }

  /// A tensor of the test, whose numbers are aligned, since the document names it.
  private func tensor(
    _ name: String, of file: NetworkFile, _ type: TensorType, place: String
  ) throws(NetworkError) -> NetworkTensor {
    guard let tensor = file.tensor(name), tensor.type == type else {
      let value = file.tensor(name).map { "of type \($0.type.rawValue)" } ?? "\"\(name)\""
      throw .invalid(.test, place: place, value: value, expected: "a tensor of type \(type.rawValue)")
    }
    return tensor
  }

  private func compare<S: EngineScalar>(
    _ written: UnsafeMutablePointer<S>, _ stored: UnsafeBufferPointer<S>, _ tolerance: Double, place: String
  ) throws(NetworkError) {
    var (largest, difference) = (0.0, 0.0)
    for (index, number) in stored.enumerated() {
      let (a, b) = (Double(written[index]), Double(number))
      if b.isFinite { largest = max(largest, abs(b)) }
      if a == b || (a.isNaN && b.isNaN) { continue }
      difference = max(difference, (a - b).isNaN ? .infinity : abs(a - b))
    }
    if difference > tolerance * largest {
      throw .invalid(
        .test, place: place, value: "\(difference) from what the network writes",
        expected: "at most \(tolerance) of its largest number, \(largest)")
    }
  }
}
