// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Foundation
import Testing
import _EquiconvTestSupport

/// Every number comes back with its bits, and what does not fit is an error of decoding.
@Suite struct CodableTests {
  static let spaces: [SignalSpace] = [.plane, .group, .quotient(stabilizer: [0, 4])]

  private func roundTrip<Value: Codable>(_ value: Value) throws -> [Value] {
    let json = try JSONEncoder().encode(value)
    let list = PropertyListEncoder()
    list.outputFormat = .binary
    return [
      try JSONDecoder().decode(Value.self, from: json),
      try PropertyListDecoder().decode(Value.self, from: list.encode(value)),
    ]
  }

  @Test(arguments: spaces) func signalsComeBackWithTheirBits(_ space: SignalSpace) throws {
    let shape = space == .plane ? [2, 1, 4] : [1, 1, 2, 4]
    let floats: [Float] = [
      0, -0.0, .infinity, -.infinity, Float(nan: 77, signaling: false), .leastNonzeroMagnitude, 0.1, -3,
    ]
    let doubles: [Double] = [
      0, -0.0, .infinity, -.infinity, Double(nan: 77, signaling: false), .leastNonzeroMagnitude, 0.1,
      -.greatestFiniteMagnitude,
    ]
    let single = try Signal(space, shape: shape, storage: floats)
    for result in try roundTrip(single) {
      #expect(result.space == space && result.tensor.isBitwiseEqual(to: single.tensor))
    }
    let double = try Signal(space, shape: shape, storage: doubles)
    for result in try roundTrip(double) {
      #expect(result.space == space && result.tensor.isBitwiseEqual(to: double.tensor))
    }
  }

  @Test func emptyBatchesAndTensorsComeBack() throws {
    let signal = try Signal<Float>.zeros(.plane, shape: [0, 3, 5])
    for result in try roundTrip(signal) { #expect(result == signal) }
    let tensor = try Tensor<Double>.random([2, 3, 4], seed: 42)
    for result in try roundTrip(tensor) { #expect(result == tensor) }
  }

  @Test(arguments: [
    (#"{"scalar":"float32","shape":[1,1,3],"bits":[0,0]}"#, "storage is of 2 numbers, expected 3 for shape (1, 1, 3)"),
    (#"{"scalar":"float32","shape":[1,-1,3],"bits":[]}"#, "shape[1] is -1"),
    (#"{"scalar":"float32","shape":[4611686018427387904,4,4],"bits":[]}"#, "shape is (4611686018427387904, 4, 4)"),
    (#"{"scalar":"float64","shape":[1,1,1],"bits":[0]}"#, "scalar is float64, expected float32"),
    (#"{"scalar":"float32","shape":[1,0,1],"bits":[]}"#, "shape[1] is 0"),
    (#"{"scalar":"float32","shape":[1,1],"bits":[0]}"#, "shape is (1, 1)"),
  ])
  func wrongDataAreErrorsOfDecoding(_ tensor: String, _ text: String) throws {
    let json = Data(#"{"space":{"plane":{}},"tensor":\#(tensor)}"#.utf8)
    do {
      _ = try JSONDecoder().decode(Signal<Float>.self, from: json)
      Issue.record("it was decoded: \(tensor)")
    } catch DecodingError.dataCorrupted(let context) {
      #expect(context.debugDescription.contains(text))
    }
  }

  @Test func otherNumbersAreErrorsOfDecoding() throws {
    for bits in ["[-1]", "[4294967296]", "[0.5]", #"["0"]"#, "null"] {
      let json = Data(#"{"scalar":"float32","shape":[1],"bits":\#(bits)}"#.utf8)
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(Tensor<Float>.self, from: json) }
    }
  }
}
