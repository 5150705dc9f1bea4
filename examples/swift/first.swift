// SPDX-License-Identifier: Apache-2.0

import Equiconv

// Two layers for C4, the rotations by 0°, 90°, 180° and 270°: 3 → 8 channels, then 8 → 16, with 5×5 and 3×3 kernels.
let c4 = try PointGroup.cyclic(4)
let lifting = try Convolution<Float>(
  .lifting, group: c4, weight: randomTensor([8, 3, 5, 5]), padding: .same, algorithm: .direct)
let middle = try Convolution<Float>(
  .group, group: c4, weight: randomTensor([16, 8, 4, 3, 3]), padding: .same, algorithm: .direct)

func network(_ x: Signal<Float>) throws -> Signal<Float> {
  try middle(lifting(x).map { max($0, 0) })
}

// One image of 32×32 pixels and 3 channels. The answer has a plane for each channel and each rotation.
let image = try Signal(.plane, randomTensor([1, 3, 32, 32]))
let answer = try network(image)
print(answer)  // Signal<Float> on the group, of shape (1, 16, 4, 32, 32)

// Turning the image turns the answer, to the last bit.
for g in 0..<c4.order {
  let isEqual = try network(image.acted(by: g, of: c4)) == answer.acted(by: g, of: c4)
  print("rotation by \(90 * g)°: \(isEqual ? "equal" : "different")")
  precondition(isEqual)
}

func randomTensor(_ shape: [Int]) throws -> Tensor<Float> {
  let count = shape.reduce(1, *)
  return try Tensor(shape: shape, storage: (0..<count).map { _ in Float.random(in: -1...1) })
}
