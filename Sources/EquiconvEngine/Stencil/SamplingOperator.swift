// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// The linear map from the user's weights to ŵ, the same for every pair of channels: `ŵ[r] = Σ_i S[r,i] w[i] / n[r]`.
///
/// S holds the values of the kernel's functions at h⁻¹u for every tap u. So expansion is one product of a sparse matrix
/// with the matrix of all weights, and its gradient the product with the transpose. Sums are accumulated in Double.
struct SamplingOperator: Sendable {
  /// One entry of a row.
  struct Entry: Sendable, Hashable {
    var weight: Int
    var value: Double
  }

  /// The user's weights of one pair of channels.
  let columns: Int
  /// Row r holds entries `starts[r] ..< starts[r + 1]`.
  let starts: FixedArray<Int>
  let entries: FixedArray<Entry>
  /// n: the number of kernels that each row averages. Sums are divided last, so that means of exact sums are exact.
  let divisors: FixedArray<Double>

  /// The operator under construction, row by row.
  struct Builder: ~Copyable {
    let columns: Int
    private var starts: PlanTable<Int>
    private var entries = PlanTable<Entry>()
    private var divisors = PlanTable<Double>()

    init(columns: Int) throws(ConvolutionError) {
      self.columns = columns
      starts = try PlanTable(repeating: 0, count: 1)
    }

    var rows: Int { divisors.count }

    mutating func append(_ row: UnsafeMutableBufferPointer<Entry>, dividedBy divisor: Int) throws(ConvolutionError) {
      try entries.append(contentsOf: row)
      try starts.append(entries.count)
      try divisors.append(Double(divisor))
    }

    consuming func finished() -> SamplingOperator {
      let finished = SamplingOperator(
        columns: columns, starts: starts.frozen(), entries: entries.frozen(), divisors: divisors.frozen())
      finished.checkInvariants()
      return finished
    }
  }

  /// Coefficients of ŵ.
  var rows: Int { divisors.count }

  /// Whether ŵ is w.
  var isIdentity: Bool {
    rows == columns && entries.count == rows
      && entries.indices.allSatisfy { starts[$0] == $0 && entries[$0] == Entry(weight: $0, value: 1) }
      && divisors.allSatisfy { $0 == 1 }
  }

  // MARK: - Running it

  /// Pairs of channels computed at a time, one in each lane.
  private static let lanes = 8
  /// Below so many multiply-adds a call stays on its own thread.
  private static let smallestSharedWork = 1 << 18

  /// `core[p, r] = Σ_i S[r,i] weight[p, i] / n[r]` for all pairs p.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  func apply<S: EngineScalar>(
    _ weight: UnsafePointer<S>, into core: UnsafeMutablePointer<S>, channelPairs: Int, _ scratch: Scratch,
    _ workspace: borrowing Workspace
  ) {
    forEachBlock(channelPairs, scratch, workspace) { first, count, block in
      for column in 0..<columns {
        block[column] = Self.gather(weight + first * columns + column, stride: columns, count: count)
      }
      withRows { starts, entries, divisors in
        for row in 0..<rows {
          var sum = SIMD8<Double>.zero
          for i in starts[row]..<starts[row + 1] { sum += block[entries[i].weight] * entries[i].value }
          Self.scatter(sum / divisors[row], to: core + first * rows + row, stride: rows, count: count)
        }
      }
    }
  }

  /// The adjoint: `weight[p, i] = Σ_r S[r,i] core[p, r] / n[r]`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  func applyAdjoint<S: EngineScalar>(
    _ core: UnsafePointer<S>, into weight: UnsafeMutablePointer<S>, channelPairs: Int, _ scratch: Scratch,
    _ workspace: borrowing Workspace
  ) {
    forEachBlock(channelPairs, scratch, workspace) { first, count, block in
      block.update(repeating: .zero, count: columns)
      withRows { starts, entries, divisors in
        for row in 0..<rows {
          let share = Self.gather(core + first * rows + row, stride: rows, count: count) / divisors[row]
          for i in starts[row]..<starts[row + 1] { block[entries[i].weight] += share * entries[i].value }
        }
      }
      for column in 0..<columns {
        Self.scatter(block[column], to: weight + first * columns + column, stride: columns, count: count)
      }
    }
  }

  /// The weights of a block of pairs, for each thread.
  struct Scratch {
    fileprivate let threads: Int
    fileprivate let blocks: PerThread<Piece<SIMD8<Double>>>
  }

  /// Reserves what `apply` or `applyAdjoint` needs for so many pairs.
  func reserve(_ layout: inout Workspace.Layout, channelPairs: Int) throws(ConvolutionError) -> Scratch {
    let threads = channelPairs * entries.count < Self.smallestSharedWork ? 1 : Threads.count
    return Scratch(
      threads: threads,
      blocks: try layout.reserve(threads: threads) { each throws(ConvolutionError) in
        try each.reserve(SIMD8<Double>.self, columns)
      })
  }

  /// Calls `body` for blocks of pairs, with scratch of its own for each thread.
  private func forEachBlock(
    _ pairs: Int, _ scratch: Scratch, _ workspace: borrowing Workspace,
    _ body: (_ first: Int, _ count: Int, UnsafeMutablePointer<SIMD8<Double>>) -> Void
  ) {
    let blocks = (pairs + Self.lanes - 1) / Self.lanes
    ThreadPool.run(blocks, threads: scratch.threads) { worker, block in
      let first = block * Self.lanes
      body(first, min(Self.lanes, pairs - first), workspace[scratch.blocks, worker][scratch.blocks.each])
    }
  }

  private func withRows(
    _ body: (UnsafeBufferPointer<Int>, UnsafeBufferPointer<Entry>, UnsafeBufferPointer<Double>) -> Void
  ) {
    withExtendedLifetime(self) { body(starts.elements, entries.elements, divisors.elements) }
  }

  @inline(__always)
  private static func gather<S: EngineScalar>(_ from: UnsafePointer<S>, stride: Int, count: Int) -> SIMD8<Double> {
    var vector = SIMD8<Double>.zero
    for lane in 0..<count { vector[lane] = Double(from[lane * stride]) }
    return vector
  }

  @inline(__always)
  private static func scatter<S: EngineScalar>(
    _ vector: SIMD8<Double>, to: UnsafeMutablePointer<S>, stride: Int, count: Int
  ) {
    for lane in 0..<count { to[lane * stride] = S(vector[lane]) }
  }
}
