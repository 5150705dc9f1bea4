// SPDX-License-Identifier: Apache-2.0

import Equiconv

// A client whose tasks mix our typed errors with untyped ones: the form in which swiftc 6.3.1 -O crashes where a typed error
// is made of several values.

func tensor(_ shape: [Int]) throws -> Tensor<Float> {
  try Tensor(shape: shape, storage: [Float](repeating: 1, count: shape.reduce(1, *)))
}

func image(_ number: Int) throws -> Signal<Float> {
  try Signal(.plane, tensor([1, 1, 8, 8])).map { $0 + Float(number) }
}

func now<T>(_ body: () throws -> T) rethrows -> T { try body() }

func later<T: Sendable>(_ body: @Sendable () async throws -> T) async throws -> T { try await body() }

/// The sum of a layer's outputs on some images, one task an image.
func total(_ layer: Convolution<Float>, _ x: Signal<Float>) async throws -> Float {
  try await withThrowingTaskGroup(of: Float.self) { tasks in
    for number in 0..<4 {
      tasks.addTask {
        let y = try layer(x)
        let z = try await later { try layer(image(number)) }
        let w = try now { try layer(image(number)) }
        return try (y + z - w).storage.reduce(0, +)
      }
    }
    return try await tasks.reduce(0, +)
  }
}

@main struct Main {
  static func main() async throws {
    let group = try PointGroup.cyclic(4)
    let layer = try Convolution<Float>(.lifting, group: group, weight: tensor([2, 1, 3, 3]), algorithm: .direct)
    let sum = try await total(layer, image(0))
    // 4 images, 2 channels, 4 elements, 6 x 6 pixels, each a sum of 9.
    print(sum == 4 * 2 * 4 * 36 * 9 ? "asynchronous: equal" : "asynchronous: \(sum)")
    do {
      _ = try await total(layer, Signal<Float>.zeros(.plane, shape: [1, 2, 8, 8]))
    } catch let error as ConvolutionError {
      print("asynchronous: \(error.kind)")
    }
  }
}
