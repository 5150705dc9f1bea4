// SPDX-License-Identifier: Apache-2.0

import Equiconv
import Testing
import _EquiconvTestSupport

/// What explains a call is what runs, and weights are never those of another call.
@Suite(.serialized) struct ChoiceTests {
  @Test(arguments: LayerExample.all) func autoHasTheBitsOfTheExplainedAlgorithm(_ example: LayerExample) throws {
    try ProcessSettings.alone {
      let x = try example.signal(Float.self)
      var layer = try example.convolution(Float.self, algorithm: .auto)
      let y = try layer(x)
      let explanations = try Pass.allCases.map { try layer.explain($0, on: x) }
      #expect(try explanations == Pass.allCases.map { try layer.explain($0, batch: x.batch, spatial: x.spatial) })
      let chosen = (try layer.inputGradient(from: y, at: x), try layer.weightGradient(from: y, at: x))
      // The tiles of an exact method differ from those of the same algorithm where it is asked for.
      func isSame(_ number: Int, _ same: () throws -> Bool) throws -> Bool {
        try [explanations[number].algorithm, .exact].contains { algorithm in
          layer.layer.algorithm = algorithm
          return try (algorithm != .exact || explanations[number].isExact) && same()
        }
      }
      #expect(try isSame(0) { try layer(x).isBitwiseEqual(to: y) })
      #expect(try isSame(1) { try layer.inputGradient(from: y, at: x).isBitwiseEqual(to: chosen.0) })
      #expect(try isSame(2) { try layer.weightGradient(from: y, at: x).isBitwiseEqual(to: chosen.1) })
    }
  }

  @Test(arguments: LayerExample.all) func directMakesTheOperationsOfTheDefinition(_ example: LayerExample) throws {
    try ProcessSettings.alone {
      let x = try example.signal(Double.self)
      let layer = try example.convolution(Double.self)
      for pass in Pass.allCases {
        let explanation = try layer.explain(pass, on: x)
        #expect(explanation.algorithm == .direct)
        // Orbit sums, of layers to the plane, multiply less and add before.
        let isOrbit = pass == .forward && !example.layer.writesGroup
        #expect(explanation.operations > 0 && explanation.definitionOperations > 0)
        #expect(isOrbit || explanation.operations == explanation.definitionOperations)
        #expect(explanation.tile == 0 && explanation.weightBytes == 0)
      }
    }
  }

  @Test func algorithmsThatCannotDoALayerSayWhy() throws {
    let c4 = try PointGroup.cyclic(4)
    let x = try Signal<Float>.random(.plane, [1, 2, 9, 9], seed: 40)
    let layer = try Convolution<Float>(
      .lifting, group: c4, weight: .random([3, 2, 3, 3], seed: 41), stride: 2, algorithm: .fourier)
    for call in [{ _ = try layer(x) }, { _ = try layer.explain(on: x) }, { _ = try layer.prepared()(x) }] {
      let error = try #require(throws: ConvolutionError.self) { try call() }
      #expect(error.kind == .unsupportedAlgorithm)
      #expect(error.description == "algorithm is fourier with stride (2, 2), expected stride 1")
    }
  }

  @Test(arguments: [Algorithm.auto, .direct, .fourier])
  func changedWeightIsNeverServedStale(_ algorithm: Algorithm) throws {
    try ProcessSettings.alone {
      let d4 = try PointGroup.dihedral(4)
      let x = try Signal<Float>.random(.group, [2, 3, 8, 15, 17], seed: 42)
      var layer = try Convolution<Float>(
        .group, group: d4, weight: .random([4, 3, 8, 5, 5], seed: 43), padding: .same, algorithm: algorithm)
      let first = try layer(x)
      let count = layer.weight.storage.count
      func areEqual(_ a: Signal<Float>, _ b: Signal<Float>) -> Bool {
        algorithm == .direct ? a.isBitwiseEqual(to: b) : a.isClose(to: b)
      }
      for place in [0, count / 2, count - 1] {
        var changed = layer.weight
        changed.withUnsafeMutableBufferPointer { $0[place] += 1 }
        layer.weight.withUnsafeMutableBufferPointer { $0[place] += 1 }
        let after = try layer(x)
        #expect(!areEqual(after, first))
        layer.weight = layer.weight.map { -$0 }
        _ = try layer(x)
        layer.weight = changed
        #expect(try areEqual(layer(x), after))
        layer.weight = try .random([4, 3, 8, 5, 5], seed: 43)
        #expect(try areEqual(layer(x), first))
      }
    }
  }

  @Test(arguments: LayerExample.all) func preparedLayerHasTheBitsOfTheLayerItWas(_ example: LayerExample) throws {
    try ProcessSettings.alone {
      try expectPrepared(example, Float.self)
      try expectPrepared(example, Double.self)
    }
  }

  private func expectPrepared<S: EngineScalar>(_ example: LayerExample, _: S.Type) throws {
    let x = try example.signal(S.self)
    for algorithm in [Algorithm.direct, .fourier, .winograd] {
      var layer = try example.convolution(S.self, algorithm: algorithm)
      guard let y = try? layer(x) else { continue }
      let prepared = try layer.prepared()
      #expect(prepared.weightBytes >= layer.weight.storage.count * MemoryLayout<S>.stride)
      // Where weights cost nothing another tile may be the fastest.
      let (own, free) = try (layer.explain(on: x), prepared.explain(batch: x.batch, spatial: x.spatial))
      layer.weight = layer.weight.map { 2 * $0 }
      let z = try prepared(x)
      if (own.algorithm, own.tile, own.isExact) == (free.algorithm, free.tile, free.isExact) {
        #expect(z.isBitwiseEqual(to: y))
      }
      #expect(z.isClose(to: y))
      #expect(try prepared(x).isBitwiseEqual(to: z))
      #expect(try prepared.convolution == example.convolution(S.self, algorithm: algorithm))
    }
  }

  @Test func preparedLayerWithAutoIsExplained() throws {
    try ProcessSettings.alone {
      for (channels, kernel) in [(2, 3), (16, 3), (16, 7)] {
        var layer = try Convolution<Float>(
          .lifting, group: .dihedral(4), weight: .random([channels, channels, kernel, kernel], seed: 51), padding: .same
        )
        let x = try Signal<Float>.random(.plane, [1, channels, 24, 24], seed: 52)
        let prepared = try layer.prepared()
        layer.layer.algorithm = try prepared.explain(batch: 1, spatial: [24, 24]).algorithm
        #expect(try prepared(x).isClose(to: layer.prepared()(x)))
      }
    }
  }

  @Test func preparedLayerRunsInSeveralTasks() async throws {
    let x = try Signal<Float>.random(.plane, [2, 3, 32, 32], seed: 44)
    let layer = try Convolution<Float>(
      .lifting, group: .dihedral(4), weight: .random([8, 3, 5, 5], seed: 45), algorithm: .fourier)
    let y = try layer(x)
    let prepared = try layer.prepared()
    try await withThrowingTaskGroup(of: Signal<Float>.self) { tasks in
      for _ in 0..<8 { tasks.addTask { try prepared(x) } }
      for try await result in tasks { #expect(result.isClose(to: y)) }
    }
    #expect(prepared.weightBytes > 2 * layer.weight.storage.count * MemoryLayout<Float>.stride)
  }

  @Test func preparedLayerRefusesWhatTheLayerRefuses() throws {
    let c4 = try PointGroup.cyclic(4)
    var layer = try Convolution<Float>(.lifting, group: c4, weight: .random([3, 2, 3, 3], seed: 46))
    let prepared = try layer.prepared()
    let wrong = try Signal<Float>.random(.plane, [1, 3, 9, 9], seed: 47)
    #expect(throws: ConvolutionError.self) { try prepared(wrong) }
    layer.weight = try .random([3, 2, 3], seed: 48)
    #expect(throws: ConvolutionError.self) { try layer.prepared() }
    #expect(throws: ConvolutionError.self) { try layer.explain(batch: 1, spatial: [9, 9]) }
  }

  @Test func workspaceLimitIsHeldByBlocking() throws {
    try ProcessSettings.alone {
      let before = WorkspaceLimit.bytesPerThread
      defer { try? WorkspaceLimit.set(bytesPerThread: before) }
      #expect(before == 64 << 20)
      let x = try Signal<Float>.random(.group, [1, 24, 8, 24, 24], seed: 49)
      let layer = try Convolution<Float>(
        .group, group: .dihedral(4), weight: .random([24, 24, 8, 5, 5], seed: 50), padding: .same, algorithm: .fourier)
      let y = try layer(x)
      let bytes = try layer.explain(on: x).workspaceBytes
      try WorkspaceLimit.set(bytesPerThread: 1 << 20)
      #expect(try layer.explain(on: x).workspaceBytes <= bytes)
      let blocked = try layer(x)
      #expect(blocked.isClose(to: y))
      #expect(throws: ConvolutionError.self) { try WorkspaceLimit.set(bytesPerThread: (1 << 20) - 1) }
      #expect(WorkspaceLimit.bytesPerThread == 1 << 20)
    }
  }
}
