// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import Testing
import _EquiconvShims
import _EquiconvTestSupport

@Suite struct WinogradTransformTests {
  @Test(arguments: InstructionSet.available)
  func winogradInput_isTheDefinition(_ set: InstructionSet) {
    for tile in [4, 2] {
      let lanes = Float.microkernels(set).lanes
      for tiles in 1...2 * lanes + 1 {
        // Runs of fewer columns than lanes, of whole vectors and of remainders.
        for length in [1, 2, lanes - 1, lanes, lanes + 1, tile * tiles + 2] where length <= tile * tiles + 2 {
          check(Float.self, set, tile, tiles: tiles, length: length)
          check(Double.self, set, tile, tiles: tiles, length: length)
        }
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func winogradOutput_isTheDefinition(_ set: InstructionSet) {
    for tile in [4, 2] {
      for vectors in 0...3 {
        for rows in 1...tile {
          check(Float.self, set, tile, vectors: vectors, rows: rows)
          check(Double.self, set, tile, vectors: vectors, rows: rows)
        }
      }
    }
  }

  private func check<S: EngineScalar>(_: S.Type, _ set: InstructionSet, _ tile: Int, tiles: Int, length: Int) {
    let problem = InputProblem<S>(set, tile: tile, tiles: tiles, length: length)
    #expect(
      isClose(problem.run(), problem.expected()), "\(S.self) tile \(tile) tiles \(tiles) length \(length)")
  }

  private func check<S: EngineScalar>(_: S.Type, _ set: InstructionSet, _ tile: Int, vectors: Int, rows: Int) {
    let problem = OutputProblem<S>(set, tile: tile, vectors: vectors, rows: rows)
    #expect(
      isClose(problem.run(), problem.expected()), "\(S.self) tile \(tile) vectors \(vectors) rows \(rows)")
  }

  /// Entries of A and B are below 4 and so are all numbers: sums of 36 products round by less than 4³ · 36 half units.
  private func isClose<S: EngineScalar>(_ found: [S], _ expected: [Double]) -> Bool {
    let tolerance = 4096 * Double(S.ulpOfOne) / 2
    return found.count == expected.count && zip(found, expected).allSatisfy { abs(Double($0) - $1) <= tolerance }
  }
}

/// The matrices of F(P, 3), from the points at which polynomials are multiplied.
private struct Points {
  /// B[d][point] and A[point][output].
  var b: [[Double]]
  var a: [[Double]]

  init(tile: Int) {
    let points: [Double] = tile == 4 ? [0, 5.0 / 8, -5.0 / 8, 1.5, -1.5] : [0, 1, -1]
    let count = tile + 2
    let rows = points.map { x in Self.product(points.filter { $0 != x }) + [0] } + [Self.product(points)]
    b = (0..<count).map { d in rows.map { $0[d] } }
    a = points.map { x in (0..<tile).map { Self.power(x, $0) } } + [(0..<tile).map { $0 == tile - 1 ? 1 : 0 }]
  }

  /// The coefficients of Π (z − x), the constant first.
  private static func product(_ roots: [Double]) -> [Double] {
    roots.reduce([1]) { polynomial, root in
      (0...polynomial.count).map { k in
        (k > 0 ? polynomial[k - 1] : 0) - (k < polynomial.count ? root * polynomial[k] : 0)
      }
    }
  }

  private static func power(_ x: Double, _ n: Int) -> Double { (0..<n).reduce(1) { product, _ in product * x } }

  /// mᵀ x m for a square x.
  static func sandwich(_ m: [[Double]], _ x: (Int, Int) -> Double) -> [[Double]] {
    m[0].indices.map { i in
      m[0].indices.map { j in
        m.indices.reduce(0) { sum, k in sum + m.indices.reduce(0) { $0 + m[k][i] * x(k, $1) * m[$1][j] } }
      }
    }
  }
}

/// One row of tiles, of which a run of columns lies in the plane.
private struct InputProblem<S: EngineScalar> {
  let kernels: Microkernels
  let tile: Int
  let tiles: Int
  let piece: equiconv_winograd_run
  let plane: [S]
  /// The one row that is outside the plane.
  let outside: Int
  let first: Int
  let pointStride: Int
  let stripStride: Int

  init(_ set: InstructionSet, tile: Int, tiles: Int, length: Int) {
    var random = SplitMix64(seed: UInt64(tiles * 100 + length))
    kernels = S.microkernels(set)
    self.tile = tile
    self.tiles = tiles
    first = .random(in: 0...tile * tiles + 2 - length, using: &random)
    outside = .random(in: 0..<tile + 2, using: &random)
    // Rows in no particular order, the last of which ends with the plane.
    var places = (0..<6).map { $0 * (length + 3) }.shuffled(using: &random)
    places[outside] = -1
    piece = equiconv_winograd_run(
      rows: (places[0], places[1], places[2], places[3], places[4], places[5]), strip: 5 + first, length: length)
    plane = random.reals(6 * (length + 3) - 3)
    pointStride = (tiles + kernels.lanes - 1) / kernels.lanes * kernels.lanes + 3
    stripStride = 5 + (tiles + 2 * kernels.lanes) * tile + 2
  }

  private var points: Int { tile + 2 }
  private var empty: [S] { Guarded<S>(points * points * pointStride).values }

  func run() -> [S] {
    let arena = Arena()
    let lanes = kernels.lanes
    let destination = arena.copy(empty)
    var vectors: [Int] = []
    for tile in stride(from: 0, to: tiles, by: lanes) {
      vectors.append(tile)
      for part in 0..<self.tile { vectors.append(5 + tile * self.tile + part * lanes) }
    }
    let call = arena.zeroed(equiconv_winograd_input_call.self)
    call.pointee.plane = UnsafeRawPointer(arena.copy(plane))
    call.pointee.zeros = UnsafeRawPointer(arena.copy([S](repeating: 0, count: piece.length)))
    call.pointee.runs = UnsafePointer(arena.copy([piece]))
    call.pointee.run_count = 1
    call.pointee.strips = UnsafeMutableRawPointer(arena.copy([S](repeating: 0, count: points * stripStride)))
    call.pointee.strip_stride = stripStride
    call.pointee.vectors = UnsafePointer(arena.copy(vectors))
    call.pointee.vector_count = vectors.count / (1 + tile)
    call.pointee.points = UnsafeMutableRawPointer(destination)
    call.pointee.point_stride = pointStride
    call.pointee.scratch = UnsafeMutableRawPointer(arena.copy([S](repeating: 0, count: points * lanes)))
    kernels.winogradInput(call, tile)
    return withExtendedLifetime(arena) { destination.array(points * points * pointStride) }
  }

  func expected() -> [Double] {
    var result = empty.map(Double.init)
    let matrix = Points(tile: tile).b
    for t in 0..<pointStride - 3 {
      let values = Points.sandwich(matrix) { i, j in pixel(i, t * tile + j) }
      for i in 0..<points { for j in 0..<points { result[(i * points + j) * pointStride + t] = values[i][j] } }
    }
    return result
  }

  private func pixel(_ row: Int, _ column: Int) -> Double {
    let rows = [piece.rows.0, piece.rows.1, piece.rows.2, piece.rows.3, piece.rows.4, piece.rows.5]
    guard row != outside, (first..<first + piece.length).contains(column) else { return 0 }
    return Double(plane[rows[row] + column - first])
  }
}

/// Vectors of tiles, parts of which go to the plane and parts to the strips and from there to the plane.
private struct OutputProblem<S: EngineScalar> {
  let kernels: Microkernels
  let tile: Int
  let vectors: Int
  let points: [S]
  let bias: S
  let pointStride: Int
  let stores: [equiconv_winograd_store]
  let copies: [equiconv_winograd_copy]
  let rowStride: Int

  init(_ set: InstructionSet, tile: Int, vectors: Int, rows: Int) {
    var random = SplitMix64(seed: UInt64(vectors * 10 + rows))
    kernels = S.microkernels(set)
    self.tile = tile
    self.vectors = vectors
    let lanes = kernels.lanes
    pointStride = vectors * lanes + 5
    points = random.reals((tile + 2) * (tile + 2) * pointStride)
    bias = 0.25
    rowStride = vectors * tile * (lanes + 3) + 1
    var stores: [equiconv_winograd_store] = []
    var copies: [equiconv_winograd_copy] = []
    for part in 0..<vectors * tile {
      let place = 1 + part * (lanes + 3)
      if Bool.random(using: &random) {
        stores.append(equiconv_winograd_store(place: place, rows: rows))
      } else {
        stores.append(equiconv_winograd_store(place: -1, rows: 0))
        let start = Int.random(in: 0..<lanes, using: &random)
        copies.append(
          equiconv_winograd_copy(
            strip: part * lanes + start, place: place, rows: rows,
            length: .random(in: 1...lanes - start, using: &random)))
      }
    }
    self.stores = stores
    self.copies = copies
  }

  private var empty: [S] { Guarded<S>(tile * rowStride).values }

  func run() -> [S] {
    let arena = Arena()
    let destination = arena.copy(empty)
    let stripStride = vectors * tile * kernels.lanes
    let call = arena.zeroed(equiconv_winograd_output_call.self)
    call.pointee.points = UnsafeRawPointer(arena.copy(points))
    call.pointee.point_stride = pointStride
    call.pointee.bias = UnsafeRawPointer(arena.copy([bias]))
    call.pointee.stores = UnsafePointer(arena.copy(stores))
    call.pointee.vector_count = vectors
    call.pointee.strips = UnsafeMutableRawPointer(arena.copy([S](repeating: 0, count: tile * stripStride)))
    call.pointee.strip_stride = stripStride
    call.pointee.copies = UnsafePointer(arena.copy(copies))
    call.pointee.copy_count = copies.count
    call.pointee.plane = UnsafeMutableRawPointer(destination)
    call.pointee.row_stride = rowStride
    kernels.winogradOutput(call, tile)
    return withExtendedLifetime(arena) { destination.array(tile * rowStride) }
  }

  func expected() -> [Double] {
    var result = empty.map(Double.init)
    let matrix = Points(tile: tile).a
    let tiles = (0..<vectors * kernels.lanes).map { t in
      Points.sandwich(matrix) { i, j in Double(points[(i * (tile + 2) + j) * pointStride + t]) }
    }
    func write(_ strip: Int, _ place: Int, _ rows: Int, _ length: Int) {
      for row in 0..<rows {
        for x in 0..<length {
          let pixel = strip + x
          result[row * rowStride + place + x] = tiles[pixel / tile][row][pixel % tile] + Double(bias)
        }
      }
    }
    for (part, store) in stores.enumerated() where store.place >= 0 {
      write(part * kernels.lanes, store.place, store.rows, kernels.lanes)
    }
    for copy in copies { write(copy.strip, copy.place, copy.rows, copy.length) }
    return result
  }
}
