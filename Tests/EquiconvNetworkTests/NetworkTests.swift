// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import Testing
import _EquiconvTestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Geometry, explanations, sizes that come and go, and threads that share a network.
@Suite struct NetworkTests {
  @Test func geometry_ofStridesPoolsAndUpsampling_isTheirs() throws {
    let n = Sketch(groups: ["C4": .cyclic4], input: .init(name: "image", dimension: 2, channels: 1))
    let group = PointGroup.cyclic4
    n.convolution(
      Layer(from: .plane, to: .group, group: group, stride: [2, 2], padding: [2, 2]), from: 1, to: 1, kernel: 5)
    let a = n.add(.spatialPool(.max, kernel: [3, 3], stride: [2, 2], padding: [1, 1]))
    n.convolution(
      Layer(from: .group, to: .group, group: group, padding: [2, 2], dilation: [2, 2]), from: 1, to: 1, kernel: 3)
    let b = n.add(.add, [n.last, a])
    n.transposed(
      Layer(from: .group, to: .group, group: group, stride: [2, 2]), from: 1, to: 1, kernel: 2, padding: [0, 0])
    let c = n.add(.upsample(.nearest, factors: [4, 1]))
    let d = n.add(.spatialMean)
    let geometry = { try n.outputs($0).network().geometry }
    // 5, then 2 more steps of 2, then 4 more of 4.
    #expect(try geometry(a) == .init(stride: [4, 4], receptiveField: [9, 9]))
    #expect(try geometry(b) == .init(stride: [4, 4], receptiveField: [25, 25]))
    #expect(try geometry(c) == .init(stride: [0.5, 2], receptiveField: [25, 25]))
    #expect(try geometry(d) == nil)
  }

  @Test func explanation_namesEveryStep() throws {
    let network = try MemoryTests.chain().network()
    let steps = try network.explain(input: [4, 3, 32, 32])
    #expect(
      steps.map(\.kind) == [
        "convolution", "convolution", "spatial_max_pool", "convolution", "convolution", "spatial_max_pool",
        "convolution",
        "spatial_mean", "group_pool", "linear",
      ])
    #expect(steps[0].outputShape == [4, 16, 4, 32, 32] && steps[9].outputShape == [4, 10])
    #expect(steps.allSatisfy { ($0.algorithm != nil) == ($0.kind == "convolution") && $0.measuredSeconds >= 0 })
    #expect(steps[0].pointwise == .relu && steps[0].name == "layers.0")
    #expect(steps.allSatisfy { ($0.estimatedSeconds ?? 1) > 0 })
    #expect(steps[9].weightBytes == 4 * (64 * 10 + 10))
  }

  @Test func sizes_moreThanAreKept_giveTheSameBitsAgain() throws {
    let network = try MemoryTests.chain(widths: [4, 4]).network(.exact)
    let sizes = (0..<12).map { [2, 3, 8 + $0, 9] }
    var random = SplitMix64(seed: 5)
    let inputs: [[Float]] = sizes.map { random.reals($0.reduce(1, *)) }
    let first = try zip(inputs, sizes).map { try network.outputs($0, $1) }
    for (index, size) in sizes.enumerated().reversed() {
      try network.reserve(input: size)
      #expect(zip(try network.outputs(inputs[index], size), first[index]).allSatisfy(haveSameBits))
    }
  }

  @Test func threads_shareANetwork() throws {
    let network = try MemoryTests.chain(widths: [4, 6]).network(.exact)
    let shapes = [[3, 3, 16, 16], [1, 3, 12, 10], [5, 3, 8, 8]]
    var random = SplitMix64(seed: 6)
    let inputs: [[Float]] = shapes.map { random.reals($0.reduce(1, *)) }
    let expected = try zip(inputs, shapes).map { try network.outputs($0, $1) }
    let failures = Failures()
    let body: @Sendable (Int) -> Void = { number in
      for turn in 0..<20 {
        let index = (number + turn) % 3
        let outputs = try? network.outputs(inputs[index], shapes[index])
        if outputs.map({ zip($0, expected[index]).allSatisfy(haveSameBits) }) != true { failures.add() }
      }
    }
    var threads: [pthread_t] = []
    for number in 0..<4 {
      var thread = pthread_t()
      let work = Unmanaged.passRetained(Work { body(number) })
      pthread_create(
        &thread, nil,
        { argument in
          Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().run()
          return nil
        }, work.toOpaque())
      threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
    #expect(failures.count == 0)
  }
}

private final class Work {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private final class Failures: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private(set) var count = 0
  init() { pthread_mutex_init(mutex, nil) }
  func add() {
    pthread_mutex_lock(mutex)
    count += 1
    pthread_mutex_unlock(mutex)
  }
}
