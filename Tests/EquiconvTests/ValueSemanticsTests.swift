// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing
import _EquiconvTestSupport

/// Signals, tensors and layers are values: changing one changes no other.
@Suite struct ValueSemanticsTests {
  @Test func changedCopyLeavesTheOriginal() throws {
    let original = try Signal<Float>(.plane, shape: [1, 1, 4], storage: [1, 2, 3, 4])
    var copy = original
    copy[0, 0, 2] = 9
    #expect(copy.storage == [1, 2, 9, 4])
    #expect(original.storage == [1, 2, 3, 4])
    var weight = original.tensor
    weight.withUnsafeMutableBufferPointer { $0[0] = 7 }
    #expect(weight[0, 0, 0] == 7)
    #expect(original.tensor[0, 0, 0] == 1)
  }

  @Test func resultsDoNotAliasTheirOperands() throws {
    let c4 = try PointGroup.cyclic(4)
    let x = try Signal<Float>.random(.plane, [1, 1, 5, 5], seed: 30)
    // Identities: what they return equals the operand, in memory of its own.
    let delta = try Tensor<Float>(shape: [1, 1, 1, 1], storage: [1])
    let results = [
      try x.acted(by: 0, of: c4), try Convolution(.isotropic, group: c4, weight: delta, algorithm: .direct)(x),
      x.map { $0 },
      try Signal(.plane, x.tensor),
    ]
    for result in results {
      var changed = result
      #expect(changed == x)
      changed.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
      #expect(changed != x)
      #expect(result == x)
    }
    #expect(try x == .random(.plane, [1, 1, 5, 5], seed: 30))
  }

  @Test func convolutionLeavesSignalAndWeight() throws {
    for example in LayerExample.all {
      let (x, layer) = (try example.signal(Float.self), try example.convolution(Float.self))
      let y = try layer(x)
      _ = try layer.gradients(from: y, at: x)
      #expect(try x == example.signal(Float.self))
      #expect(try layer == example.convolution(Float.self))
      #expect(try layer(x) == y)
    }
  }

  @Test func changedLayerLeavesItsCopy() throws {
    let x = try Signal<Float>.random(.plane, [1, 1, 5, 5], seed: 31)
    let layer = try Convolution<Float>(
      .lifting, group: .cyclic(4), weight: .random([1, 1, 3, 3], seed: 32), algorithm: .direct)
    let y = try layer(x)
    var doubled = layer
    doubled.weight = doubled.weight.map { 2 * $0 }
    #expect(try doubled(x) == y.map { 2 * $0 })
    #expect(try layer(x) == y)
  }

  @Test func oneLayerRunsInSeveralTasks() async throws {
    let x = try Signal<Float>.random(.plane, [2, 3, 32, 32], seed: 33)
    let layer = try Convolution<Float>(
      .lifting, group: .dihedral(4), weight: .random([8, 3, 3, 3], seed: 34), algorithm: .direct)
    let y = try layer(x)
    try await withThrowingTaskGroup(of: Signal<Float>.self) { tasks in
      for _ in 0..<8 { tasks.addTask { try layer(x) } }
      for try await result in tasks { #expect(result == y) }
    }
  }

  @Test func threadCountDoesNotChangeResults() throws {
    try ProcessSettings.alone {
      let before = Threads.count
      defer { try? Threads.setCount(before) }
      let x = try Signal<Float>.random(.plane, [4, 8, 48, 48], seed: 35)
      let layer = try Convolution<Float>(
        .lifting, group: .dihedral(4), weight: .random([8, 8, 3, 3], seed: 36), algorithm: .direct)
      try Threads.setCount(1)
      let one = try layer(x)
      try Threads.setCount(2)
      #expect(try layer(x).isBitwiseEqual(to: one))
    }
  }
}
