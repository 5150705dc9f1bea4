// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import Testing
import _EquiconvTestSupport

/// Planes of a signal, without anything on them.
private struct Planes<S: EngineScalar> {
  var count: Int
  var spatial: Extents
  var values: [S]

  init(_ count: Int, _ spatial: [Int], seed: UInt64) {
    var random = SplitMix64(seed: seed)
    (self.count, self.spatial) = (count, Extents(spatial))
    values = random.reals(count * self.spatial.product)
  }

  init(_ count: Int, _ spatial: Extents, _ values: [S]) {
    (self.count, self.spatial, self.values) = (count, spatial, values)
  }

  func value(_ plane: Int, _ place: [Int]) -> S {
    var index = plane
    for axis in spatial.indices { index = index * spatial[axis] + place[axis] }
    return values[index]
  }

  /// Turned by an element of a group of the dimension.
  func turned(_ group: PointGroup, _ g: Int) throws -> Planes {
    Planes(
      count, _EquiconvTestSupport.turned(spatial, by: g, group),
      try act(group, g, on: .plane, batch: 1, channels: count, spatial: spatial, values))
  }

  private func result(_ spatial: Extents, _ body: (UnsafePointer<S>, UnsafeMutablePointer<S>) throws -> Void) throws
    -> Planes
  {
    let input = FencedArray(values, atEnd: true)
    let output = FencedArray([S](repeating: .nan, count: count * spatial.product), atEnd: true)
    try body(UnsafePointer(input.base), output.base)
    return Planes(count, spatial, output.values)
  }

  func pooled(_ mode: PoolMode, _ windows: Windows, threads: Int? = nil) throws -> Planes {
    let (kernel, stride, padding) = (Extents(windows.kernel), Extents(windows.stride), Extents(windows.padding))
    let size = try SpatialPool.outputSpatial(spatial: spatial, kernel: kernel, stride: stride, padding: padding)
    return try result(size) {
      try SpatialPool.run(
        mode, planes: count, spatial: spatial, kernel: kernel, stride: stride, padding: padding, input: $0, output: $1,
        threads: threads)
    }
  }

  func upsampled(_ mode: Upsampling.Mode, _ factors: [Int], threads: Int? = nil) throws -> Planes {
    try result(Upsampling.outputSpatial(spatial, factors: Extents(factors))) {
      try Upsampling.run(
        mode, planes: count, spatial: spatial, factors: Extents(factors), input: $0, output: $1, threads: threads)
    }
  }

  func mean(threads: Int? = nil) throws -> [S] {
    try result([1]) {
      try SpatialMean.run(planes: count, volume: spatial.product, input: $0, output: $1, threads: threads)
    }.values
  }
}

private struct Windows: CustomStringConvertible {
  var kernel: [Int]
  var stride: [Int]
  var padding: [Int]
  init(_ kernel: [Int], _ stride: [Int], _ padding: [Int]) {
    (self.kernel, self.stride, self.padding) = (kernel, stride, padding)
  }
  var description: String { "\(kernel) \(stride) \(padding)" }
}

/// All places of a box.
private func places(_ extents: [Int]) -> [[Int]] {
  extents.reduce([[]]) { places, size in places.flatMap { place in (0..<size).map { place + [$0] } } }
}

@Suite struct SpatialTests {
  private static let pools: [([Int], Windows)] = [
    ([7], Windows([2], [2], [0])), ([8], Windows([3], [1], [1])), ([40], Windows([5], [3], [2])),
    ([8, 8], Windows([2, 2], [2, 2], [0, 0])), ([9, 7], Windows([2, 2], [1, 1], [1, 1])),
    ([9, 7], Windows([3, 3], [2, 2], [1, 1])), ([40, 37], Windows([3, 3], [1, 1], [1, 1])),
    ([6, 66], Windows([2, 3], [2, 3], [1, 0])), ([5, 5], Windows([5, 5], [1, 1], [0, 0])),
    ([3, 4], Windows([4, 4], [2, 2], [2, 2])), ([130, 70], Windows([2, 2], [2, 2], [0, 0])),
    ([4, 5, 6], Windows([2, 2, 2], [2, 1, 2], [0, 1, 0])), ([4, 5, 6], Windows([1, 2, 2], [1, 2, 2], [0, 0, 1])),
    ([5, 5, 5], Windows([3, 3, 3], [2, 2, 2], [1, 1, 1])), ([6, 6], Windows([1, 1], [2, 2], [0, 0])),
    ([9, 9], Windows([3, 3], [5, 5], [0, 0])), ([5, 9], Windows([1, 2], [1, 2], [0, 1])),
  ]

  /// The numbers of a window that lie in the plane.
  private func window<S>(_ planes: Planes<S>, _ windows: Windows, _ plane: Int, _ output: [Int]) -> [S] {
    places(windows.kernel).compactMap { tap in
      let place = tap.indices.map { output[$0] * windows.stride[$0] + tap[$0] - windows.padding[$0] }
      let isInside = place.indices.allSatisfy { place[$0] >= 0 && place[$0] < planes.spatial[$0] }
      return isInside ? planes.value(plane, place) : nil
    }
  }

  private func checkPool<S: EngineScalar>(_: S.Type, _ spatial: [Int], _ windows: Windows) throws {
    let planes = Planes<S>(3, spatial, seed: 601)
    let (largest, means) = (try planes.pooled(.max, windows), try planes.pooled(.mean, windows))
    let taps = Double(windows.kernel.reduce(1, *))
    for plane in 0..<3 {
      for place in places(largest.spatial.values) {
        let numbers = window(planes, windows, plane, place)
        #expect(largest.value(plane, place) == numbers.max())
        let mean = numbers.reduce(0) { $0 + Double($1) } / taps
        #expect(abs(Double(means.value(plane, place)) - mean) <= 4 * Double(S(0.25).ulp), "\(windows) \(place)")
      }
    }
  }

  @Test func pools_areTheirDefinitions() throws {
    for (spatial, windows) in Self.pools {
      try checkPool(Float.self, spatial, windows)
      try checkPool(Double.self, spatial, windows)
    }
  }

  private static let groups: [Int: PointGroup] = [1: .reflection, 2: try! .dihedral(4), 3: .fullOctahedral]

  /// Where windows lie symmetrically, and are the same on axes that are exchanged.
  @Test func pools_commuteWithTurnsAndReflections_toTheLastBit() throws {
    let cases: [([Int], Windows)] = [
      ([9], Windows([3], [2], [1])), ([8, 10], Windows([2, 2], [2, 2], [0, 0])),
      ([9, 7], Windows([3, 3], [2, 2], [1, 1])), ([33, 33], Windows([2, 2], [1, 1], [1, 1])),
      ([7, 12], Windows([5, 5], [1, 1], [2, 2])), ([4, 6, 8], Windows([2, 2, 2], [2, 2, 2], [0, 0, 0])),
      ([5, 7, 5], Windows([3, 3, 3], [2, 2, 2], [1, 1, 1])),
    ]
    for (spatial, windows) in cases {
      let group = Self.groups[spatial.count]!
      for mode in PoolMode.allCases {
        try checkTurns(Planes<Float>(2, spatial, seed: 602), group) { try $0.pooled(mode, windows) }
        try checkTurns(Planes<Double>(2, spatial, seed: 603), group) { try $0.pooled(mode, windows) }
      }
    }
  }

  private func checkTurns<S: EngineScalar>(
    _ planes: Planes<S>, _ group: PointGroup, _ map: (Planes<S>) throws -> Planes<S>
  ) throws {
    let result = try map(planes)
    for g in 0..<group.order {
      let (a, b) = (try result.turned(group, g), try map(planes.turned(group, g)))
      #expect(a.spatial == b.spatial)
      #expect(firstDifferenceInBits(a.values, b.values) == nil, "element \(g), \(planes.spatial)")
    }
  }

  @Test func notANumber_inAWindow_givesNotANumber_elsewhereNone() throws {
    for windows in [
      Windows([2, 2], [2, 2], [0, 0]), Windows([3, 3], [2, 2], [1, 1]), Windows([3, 3], [1, 1], [1, 1]),
    ] {
      for place in [0, 5, 9, 35] {
        var planes = Planes<Float>(1, [6, 6], seed: 604)
        planes.values[place] = .nan
        for mode in PoolMode.allCases {
          let pooled = try planes.pooled(mode, windows)
          for output in places(pooled.spatial.values) {
            let isIn = window(planes, windows, 0, output).contains { $0.isNaN }
            #expect(pooled.value(0, output).isNaN == isIn, "\(mode) \(windows) \(place) \(output)")
          }
        }
      }
    }
  }

  @Test func infinitiesAndZeros_inWindows() throws {
    let planes = Planes<Float>(1, [1, 6], [-.infinity, -.infinity, 0, -0.0, .infinity, -.infinity])
    let windows = Windows([1, 2], [1, 2], [0, 0])
    let largest = try planes.pooled(.max, windows).values
    #expect(largest == [-.infinity, 0, .infinity] && largest[1].sign == .plus)
    let means = try planes.pooled(.mean, windows).values
    #expect(means[0] == -.infinity && means[1] == 0 && means[2].isNaN)
    #expect(try Planes<Float>(1, [1, 3], [1, .infinity, -.infinity]).mean()[0].isNaN)
    #expect(try Planes<Float>(1, [1, 3], [1, .infinity, 2]).mean() == [.infinity])
    let large = Double.greatestFiniteMagnitude
    #expect(try Planes<Double>(1, [1, 4], [large, large, -large, large]).mean() == [large / 2])
    #expect(
      try Planes<Double>(1, [1, 2], [.leastNonzeroMagnitude, 3 * .leastNonzeroMagnitude]).mean()[0].bitPattern == 2)
  }

  /// The work follows from the plane, not from the kernel.
  @Test func kernelBeyondThePlane_readsAllOfIt() throws {
    let planes = Planes<Double>(1, [5], [1, 2, 3, 4, 6])
    let windows = Windows([1 << 40], [3], [1 << 39])
    #expect(try planes.pooled(.max, windows).values == [6, 6])
    #expect(try planes.pooled(.mean, windows).values == [0x1p-36, 0x1p-36])
  }

  // MARK: - Means

  @Test func spatialMean_isTheMean_inAnyOrder() throws {
    var random = SplitMix64(seed: 605)
    for volume in [1, 2, 3, 5, 64, 1000, 40_003] {
      var planes = Planes<Float>(2, [volume], seed: 606)
      for index in planes.values.indices where index % 7 == 0 { planes.values[index] *= 0x1p30 }
      let means = try planes.mean()
      let sorted = planes.values[..<volume].map(Double.init).sorted { abs($0) < abs($1) }
      #expect(abs(Double(means[0]) - sorted.reduce(0, +) / Double(volume)) <= Double(abs(means[0]).ulp))
      for _ in 0..<5 {
        var moved = planes
        moved.values = planes.values[..<volume].shuffled(using: &random) + planes.values[volume...].reversed()
        #expect(try firstDifferenceInBits(moved.mean(), means) == nil)
      }
    }
  }

  /// Sums that cancel are exact.
  @Test func spatialMean_losesNothingToCancellation() throws {
    let planes = Planes<Double>(1, [4], [1e16, 1, -1e16, 2])
    #expect(try planes.mean() == [0.75])
  }

  // MARK: - Upsampling

  /// PyTorch's definition: where a pixel lies in the input, and the two pixels beside it.
  private func weights(_ mode: Upsampling.Mode, _ index: Int, size: Int, factor: Int) -> [(Int, Double)] {
    switch mode {
    case .nearest: return [(index / factor, 1)]
    case .linear(let alignsCorners):
      let last = size * factor - 1
      let place =
        alignsCorners
        ? last == 0 ? 0 : Double(index) * Double(size - 1) / Double(last)
        : max(0, (Double(index) + 0.5) / Double(factor) - 0.5)
      let first = min(Int(place), size - 1)
      let rest = place - Double(first)
      return [(first, 1 - rest), (min(first + 1, size - 1), rest)]
    }
  }

  private static let modes: [Upsampling.Mode] = [
    .nearest, .linear(alignsCorners: false), .linear(alignsCorners: true),
  ]

  private func checkUpsampling<S: EngineScalar>(_: S.Type, _ spatial: [Int], _ factors: [Int]) throws {
    let planes = Planes<S>(2, spatial, seed: 607)
    for mode in Self.modes {
      let result = try planes.upsampled(mode, factors)
      for place in places(result.spatial.values) {
        let axes = place.indices.map { weights(mode, place[$0], size: spatial[$0], factor: factors[$0]) }
        for plane in 0..<2 {
          let expected = places(axes.map(\.count)).reduce(0.0) { sum, corner in
            let weight = corner.indices.reduce(1.0) { $0 * axes[$1][corner[$1]].1 }
            return sum + weight * Double(planes.value(plane, corner.indices.map { axes[$0][corner[$0]].0 }))
          }
          #expect(abs(Double(result.value(plane, place)) - expected) <= 4 * Double(S(0.5).ulp), "\(mode) \(place)")
        }
      }
    }
  }

  private static let finer: [([Int], [Int])] = [
    ([5], [2]), ([1], [3]), ([7], [1]), ([4, 5], [2, 2]), ([5, 4], [3, 3]), ([1, 6], [2, 2]), ([3, 3], [4, 4]),
    ([2, 3, 4], [2, 2, 2]), ([3, 1, 2], [3, 3, 3]),
  ]

  @Test func upsampling_isPyTorchsDefinition() throws {
    for (spatial, factors) in Self.finer + [([4, 5], [2, 3]), ([2, 3, 4], [1, 2, 3])] {
      try checkUpsampling(Float.self, spatial, factors)
      try checkUpsampling(Double.self, spatial, factors)
    }
  }

  @Test func upsampling_commutesWithTurnsAndReflections_toTheLastBit() throws {
    for (spatial, factors) in Self.finer {
      let group = Self.groups[spatial.count]!
      for mode in Self.modes {
        try checkTurns(Planes<Float>(2, spatial, seed: 608), group) { try $0.upsampled(mode, factors) }
        try checkTurns(Planes<Double>(2, spatial, seed: 609), group) { try $0.upsampled(mode, factors) }
      }
    }
  }

  // MARK: - Threads and borders

  @Test func results_doNotDependOnThreads() throws {
    let planes = Planes<Float>(7, [130, 61], seed: 610)
    for threads in [2, 3] {
      for (_, windows) in Self.pools where windows.kernel.count == 2 {
        for mode in PoolMode.allCases {
          #expect(
            try firstDifferenceInBits(
              planes.pooled(mode, windows, threads: threads).values, planes.pooled(mode, windows, threads: 1).values)
              == nil)
        }
      }
      for mode in Self.modes {
        #expect(
          try firstDifferenceInBits(
            planes.upsampled(mode, [2, 3], threads: threads).values, planes.upsampled(mode, [2, 3], threads: 1).values)
            == nil)
      }
      #expect(try firstDifferenceInBits(planes.mean(threads: threads), planes.mean(threads: 1)) == nil)
    }
  }

  @Test func argumentsThatDoNotFit_areErrors() {
    func kind(_ body: () throws -> Void) -> ConvolutionError.Kind? {
      do { try body() } catch { return (error as? ConvolutionError)?.kind }
      return nil
    }
    let planes = Planes<Float>(1, [4, 4], seed: 611)
    func pool(_ kernel: [Int], _ stride: [Int], _ padding: [Int]) -> ConvolutionError.Kind? {
      kind { _ = try planes.pooled(.max, Windows(kernel, stride, padding)) }
    }
    #expect(pool([2, 2], [1, 1], [2, 0]) == .invalidPadding)
    #expect(pool([2, 2], [1, 1], [-1, 0]) == .invalidPadding)
    #expect(pool([2, 2], [0, 1], [0, 0]) == .invalidStride)
    #expect(pool([0, 2], [1, 1], [0, 0]) == .invalidSize)
    #expect(pool([5, 2], [1, 1], [0, 0]) == .kernelTooLarge)
    #expect(pool([5], [1, 1], [0, 0]) == .dimensionMismatch)
    #expect(pool([1 << 50, 2], [1, 1], [0, 0]) == .sizeOverflow)
    #expect(pool([1 << 40, 1 << 40], [1 << 47, 1], [1 << 39, 1 << 39]) == .sizeOverflow)
    #expect(kind { _ = try planes.upsampled(.nearest, [2, 0]) } == .invalidSize)
    #expect(kind { _ = try planes.upsampled(.nearest, [2, 1 << 47]) } == .sizeOverflow)
    #expect(kind { _ = try planes.upsampled(.nearest, [2]) } == .dimensionMismatch)
    var values = planes.values
    values.withMutablePointer { base in
      let input = UnsafePointer(base)
      #expect(kind { try SpatialMean.run(planes: 4, volume: 4, input: input, output: base + 15) } == .overlap)
      #expect(kind { try SpatialMean.run(planes: 4, volume: 0, input: input, output: base) } == .invalidSize)
      #expect(
        kind { try SpatialMean.run(planes: 1 << 40, volume: 1 << 40, input: input, output: base) } == .sizeOverflow)
      #expect(
        kind { try SpatialMean.run(planes: 0, volume: 3, input: input, output: base, threads: 5000) } == .invalidSize)
      #expect(
        kind {
          try Upsampling.run(.nearest, planes: 1, spatial: [2], factors: [2], input: input, output: base + 1)
        } == .overlap)
    }
  }
}
