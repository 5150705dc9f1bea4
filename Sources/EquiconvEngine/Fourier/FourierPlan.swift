// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory
import _EquiconvPlatform

/// A correlation on tiles of n × n: how tiles cover the plane, and which weights each frequency of each target reads.
///
/// Tiles overlap by the kernel's reach and each gives (n − reach + 1) outputs an axis (overlap-save). With u counted from
/// the kernel's center pixel, y(x) = Σ_u k(u) f(x + u) is `ŷ(ω) = K(ω) f̂(ω)`, K(ω) = Σ_u k(u) exp(iω·u), on each tile. A
/// kernel turned by l has K(lᵀω), so that a bank of turned kernels is transformed and stored once.
///
/// Or the planes are turned and the kernels are not: `y[o,l·p] = L_l (Σ_c k_p[o,c] ∗ L_l⁻¹ f[c])`, with a frame for each l,
/// whose tiles lie in the turned plane. Turning f exchanges the frames and nothing else, so that the results are
/// equivariant to the last bit. Each frame transforms all that it reads.
final class FourierPlan: Sendable {
  let correlation: PlaneCorrelation
  /// n.
  let length: Int
  /// The tiles of planes as they are stored.
  let grid: TileGrid
  /// Kernels that are transformed, each for the turns of its representative.
  let banks: [PlaneCorrelation.Bank]
  /// Views of the planes, with what is computed in each. All have the same number of tiles and of products.
  let frames: [Frame]
  /// The kernel's center: where outputs begin in a tile.
  let center: Box
  /// The independent frequencies of a real tile.
  let points: Int
  /// [bank][turn][point q]: the point whose products add to the gradient of the bank's weights at q, and whether conjugated.
  /// Of kernels that turn.
  let contributions: [[[PointRead]]]
  /// Points in an order that keeps together those that read the same weights.
  let order: [Int]
  /// [bank][source element]: the taps of the representative's kernel, row-major, and their coefficients.
  let taps: [[[Tap]]]
  /// [b − 1][p][re, im] of exp(−2πi b p / n), b = 1, 2, 3 and p < n / 4.
  let twiddles: [Double]

  /// What it depends on, beside the plan of the layer.
  struct Key: Hashable, Sendable {
    var pass: Pass
    var tile: Tile
  }

  /// Planes as one lattice element sees them: the identity, unless planes are turned.
  struct Frame: Sendable {
    let source: PlaneView
    let target: PlaneView
    let grid: TileGrid
    /// One for each target element.
    let products: [Product]
  }

  /// The products of a bank's weights with one turn of the sources.
  struct Product: Sendable {
    let bank: Int
    let turn: PlaneCorrelation.Turn
    /// For each point, which one of the weights is read, and whether conjugated.
    let reads: [PointRead]
  }

  struct PointRead: Sendable {
    var point: Int32
    var isConjugate: Bool
  }

  struct Tap: Sendable {
    var place: Int
    var coefficient: Int
  }

  /// The most tiles that a weight gradient transforms at a time: enough that sums are loaded and stored seldom, few enough
  /// for the third-level cache.
  static let tilesPerChunk = 48

  /// Lengths the microkernels transform.
  static let lengths = [8, 12, 16, 20, 24, 32]

  /// - Returns: nil where the kernel reaches too far for a tile of this length to have outputs.
  init?(_ correlation: PlaneCorrelation, _ tile: Tile) {
    let n = tile.size
    guard let grid = TileGrid(correlation, inputs: n) else { return nil }
    self.correlation = correlation
    self.grid = grid
    length = n
    center = Box(z: 0, y: correlation.reach.y / 2, x: correlation.reach.x / 2)
    points = Self.points(length: n)
    let frequencies = Frequencies(length: n)
    let banks = tile.isTurned ? correlation.orbits : correlation.banks
    self.banks = banks
    let reads = tile.isTurned ? [] : banks.map { bank in bank.turns.map { frequencies.reads(turnedBy: $0) } }
    frames =
      tile.isTurned
      ? Self.turnedFrames(banks, correlation, grid, points: points) : [Self.frame(banks, reads, correlation, grid)]
    contributions = reads.map { $0.map { Self.inverted($0) } }
    order = Self.order(reads, points: points)
    taps = banks.map { bank in
      var taps = [[Tap]](repeating: [], count: correlation.sourceElements)
      for term in correlation.terms[bank.representative] {
        taps[term.element].append(
          Tap(place: term.position.y * correlation.reach.x + term.position.x, coefficient: term.coefficient))
      }
      return taps
    }
    twiddles = (1...3).flatMap { b in
      (0..<n / 4).flatMap { p in
        let angle = -2 * Double.pi * Double(b * p) / Double(n)
        return [cos(angle), sin(angle)]
      }
    }
    checkInvariants()
  }

  /// Outputs of a tile, and tiles of a plane, on each axis.
  var outputs: Box { grid.outputs }
  var tiles: Box { grid.tiles }

  /// Products of each frame.
  var productCount: Int { frames[0].products.count }

  /// Tiles of a batch, in one frame.
  func tileCount(batch: Int) -> Int { batch * tiles.volume }

  /// The independent frequencies of a real tile of n × n.
  static func points(length n: Int) -> Int { n * n / 2 + 2 }

  /// The numbers of a complex one, real and imaginary, and those that W = a + ib is multiplied by: a, b − a, a + b.
  static let parts = 2
  static let weightPlanes = 3

  /// The factor that both transforms of the microkernels together leave out.
  func scale<S: EngineScalar>(_: S.Type) -> S { 1 / S(4 * length * length) }

  /// Vectors of scratch that the microkernels need for one transform.
  var scratchVectors: Int { length * length + 6 * length }

  /// Scalars from one point to the next where a point holds so many planes of so many vectors: an odd number of cache
  /// lines, so that the points of a plane do not all share a few cache sets.
  static func pointStride(planes: Int, vectors: Int = parts, lanes: Int) -> Int { (vectors * planes + 1) * lanes }

  /// Writes the twiddles in the scalar of a pass.
  func writeTwiddles<S: EngineScalar>(_ target: UnsafeMutablePointer<S>) {
    for (index, value) in twiddles.enumerated() { target[index] = S(value) }
  }

  // MARK: - Frames

  /// The planes as they are, with kernels that turn.
  private static func frame(
    _ banks: [PlaneCorrelation.Bank], _ reads: [[[PointRead]]], _ correlation: PlaneCorrelation, _ grid: TileGrid
  ) -> Frame {
    let products = zip(banks, reads).enumerated().flatMap { bank, pair in
      zip(pair.0.turns, pair.1).map { Product(bank: bank, turn: $0, reads: $1) }
    }
    return Frame(
      source: PlaneView(correlation.source), target: PlaneView(correlation.target), grid: grid, products: products)
  }

  /// Planes that turn, with kernels as they are: a frame for each lattice element.
  private static func turnedFrames(
    _ orbits: [PlaneCorrelation.Bank], _ correlation: PlaneCorrelation, _ grid: TileGrid, points: Int
  ) -> [Frame] {
    let reads = (0..<points).map { PointRead(point: Int32($0), isConjugate: false) }
    return (orbits.first?.turns ?? []).enumerated().map { number, turn in
      let target = PlaneView(correlation.target, turnedBy: turn)
      return Frame(
        source: PlaneView(correlation.source, turnedBy: turn), target: target,
        grid: TileGrid(target.size, outputs: grid.outputs),
        products: orbits.enumerated().map { Product(bank: $0, turn: $1.turns[number], reads: reads) })
    }
  }

  // MARK: - Points

  private static func inverted(_ reads: [PointRead]) -> [PointRead] {
    var inverse = reads
    for (point, read) in reads.enumerated() {
      inverse[Int(read.point)] = PointRead(point: Int32(point), isConjugate: read.isConjugate)
    }
    return inverse
  }

  /// Each point followed by those that share weights with it under the turns of the largest bank.
  private static func order(_ reads: [[[PointRead]]], points: Int) -> [Int] {
    guard let turns = reads.max(by: { $0.count < $1.count }) else { return Array(0..<points) }
    var sharing = [[Int]](repeating: [], count: points)
    for point in 0..<points { sharing[turns.map { Int($0[point].point) }.min() ?? point].append(point) }
    return sharing.flatMap { $0 }
  }
}

/// The frequencies of a real n × n tile of which no two are each other's negative, in the microkernels' order.
private struct Frequencies {
  let length: Int
  /// (ky, kx) of each point.
  let list: [(Int, Int)]
  /// [ky][kx] of all frequencies.
  private let all: [FourierPlan.PointRead]

  init(length n: Int) {
    var list: [(Int, Int)] = []
    for kx in 1..<n / 2 { for ky in 0..<n { list.append((ky, kx)) } }
    for kx in [0, n / 2] { for ky in 0...n / 2 { list.append((ky, kx)) } }
    var all = [FourierPlan.PointRead](repeating: .init(point: 0, isConjugate: false), count: n * n)
    for (point, (ky, kx)) in list.enumerated() {
      all[(n - ky) % n * n + (n - kx) % n] = .init(point: Int32(point), isConjugate: true)
    }
    // Those that are their own negative are real: not conjugated.
    for (point, (ky, kx)) in list.enumerated() { all[ky * n + kx] = .init(point: Int32(point), isConjugate: false) }
    length = n
    self.list = list
    self.all = all
  }

  /// For each point ω that of lᵀω: (lᵀω)[axes[a]] = signs[a] ω[a].
  func reads(turnedBy turn: PlaneCorrelation.Turn) -> [FourierPlan.PointRead] {
    list.map { frequency in
      let omega = [frequency.0, frequency.1]
      var turned = [0, 0]
      for a in 0..<2 { turned[turn.axes[a]] = (length + turn.signs[a] * omega[a]) % length }
      return all[turned[0] * length + turned[1]]
    }
  }
}
