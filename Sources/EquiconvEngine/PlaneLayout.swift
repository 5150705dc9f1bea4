// SPDX-License-Identifier: Apache-2.0

/// How one plane of a signal lies in the workspace: padded, and split into the phases of the stride.
///
/// With stride s, position q of the padded plane is kept in phase q mod s at index q / s, so that the reads of
/// neighbouring outputs are contiguous for every stride. Only phases that some tap reads are kept. Order:
/// [phase z][phase y][phase x][z][y][x].
struct PlaneLayout: Sendable {
  /// Sizes of the signal.
  let signal: Box
  /// The signal coordinate of position 0; negative by the padding.
  let origin: Box
  /// The stride of the reads.
  let step: Box
  /// Indices in each phase.
  let count: Box
  let isCircular: Bool
  /// For each axis the residues that are read, ascending.
  private let phases: [[Int]]

  /// - Parameters:
  ///   - positions: for each axis the positions, relative to `origin`, that output 0 reads.
  ///   - outputs: sizes of the output grid.
  init(signal: Box, origin: Box, step: Box, positions: [Set<Int>], outputs: Box, isCircular: Bool) {
    self.signal = signal
    self.origin = origin
    self.step = step
    self.isCircular = isCircular
    var phases: [[Int]] = []
    var count = outputs
    for axis in 0..<3 {
      let residues = Set(positions[axis].map { $0 % step[axis] }).sorted()
      phases.append(residues)
      let furthest = positions[axis].map { $0 / step[axis] }.max() ?? 0
      count[axis] = outputs[axis] + furthest
    }
    self.phases = phases
    self.count = count
  }

  var rowStride: Int { count.x }
  var sliceStride: Int { count.y * count.x }
  var phaseVolume: Int { count.volume }
  var phaseCount: Int { phases[0].count * phases[1].count * phases[2].count }
  /// Scalars of one plane.
  var volume: Int { phaseCount * phaseVolume }

  /// Where output 0 finds the given position, relative to the plane's first scalar.
  func offset(of position: Box) -> Int {
    var phase = 0
    for axis in 0..<3 { phase = phase * phases[axis].count + place(of: position[axis] % step[axis], axis: axis) }
    return phase * phaseVolume + (position.z / step.z) * sliceStride + (position.y / step.y) * rowStride
      + position.x / step.x
  }

  /// The place of a residue among those that are read, by bisection.
  private func place(of residue: Int, axis: Int) -> Int {
    var (low, high) = (0, phases[axis].count - 1)
    while low < high {
      let middle = (low + high) / 2
      if phases[axis][middle] < residue { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Copies one plane of the signal into its padded phases.
  func fill<S: EngineScalar>(_ target: UnsafeMutablePointer<S>, from plane: UnsafePointer<S>) {
    var row = target
    for phaseZ in phases[0] {
      for phaseY in phases[1] {
        for phaseX in phases[2] {
          for z in 0..<count.z {
            let sourceZ = coordinate(z, phase: phaseZ, axis: 0)
            for y in 0..<count.y {
              let sourceY = coordinate(y, phase: phaseY, axis: 1)
              if let sourceZ, let sourceY {
                fillRow(row, from: plane + (sourceZ * signal.y + sourceY) * signal.x, phase: phaseX)
              } else {
                row.update(repeating: 0, count: count.x)
              }
              row += count.x
            }
          }
        }
      }
    }
  }

  /// The signal coordinate behind an index, or nil in the zeros around it.
  private func coordinate(_ index: Int, phase: Int, axis: Int) -> Int? {
    let position = origin[axis] + step[axis] * index + phase
    if isCircular { return Self.wrapped(position, signal[axis]) }
    return position >= 0 && position < signal[axis] ? position : nil
  }

  private func fillRow<S: EngineScalar>(_ row: UnsafeMutablePointer<S>, from source: UnsafePointer<S>, phase: Int) {
    let first = origin.x + phase
    if isCircular {
      fillCircularRow(row, from: source, first: first)
      return
    }
    // Indices with 0 ≤ first + step · index < signal.
    let low = min(count.x, first >= 0 ? 0 : (-first + step.x - 1) / step.x)
    let high = first >= signal.x ? low : max(low, min(count.x, (signal.x - 1 - first) / step.x + 1))
    for index in 0..<low { row[index] = 0 }
    if step.x == 1 {
      if high > low { (row + low).update(from: source + (first + low), count: high - low) }
    } else if step.x == 2 {
      Self.everySecond(row, from: source + first, indices: low..<high)
    } else {
      var position = first + step.x * low
      for index in low..<high {
        row[index] = source[position]
        position += step.x
      }
    }
    for index in high..<count.x { row[index] = 0 }
  }

  /// row[i] = source[2 i]. The last vector begins early and writes some numbers again.
  @inline(__always)
  private static func everySecond<S: EngineScalar>(
    _ row: UnsafeMutablePointer<S>, from source: UnsafePointer<S>, indices: Range<Int>
  ) {
    guard indices.count >= 4 else {
      for index in indices { row[index] = source[2 &* index] }
      return
    }
    var index = indices.lowerBound
    while true {
      // Overlapping loads: nothing behind the last number wanted is read.
      let position = source + 2 &* index
      let a = UnsafeRawPointer(position).loadUnaligned(as: SIMD4<S>.self)
      let b = UnsafeRawPointer(position + 3).loadUnaligned(as: SIMD4<S>.self)
      UnsafeMutableRawPointer(row + index).storeBytes(of: SIMD4(a[0], a[2], b[1], b[3]), as: SIMD4<S>.self)
      if index &+ 4 == indices.upperBound { return }
      index = min(index &+ 4, indices.upperBound &- 4)
    }
  }

  private func fillCircularRow<S: EngineScalar>(
    _ row: UnsafeMutablePointer<S>, from source: UnsafePointer<S>, first: Int
  ) {
    var position = Self.wrapped(first, signal.x)
    let advance = step.x % signal.x
    for index in 0..<count.x {
      row[index] = source[position]
      position += advance
      if position >= signal.x { position -= signal.x }
    }
  }

  static func wrapped(_ position: Int, _ size: Int) -> Int {
    let remainder = position % size
    return remainder < 0 ? remainder + size : remainder
  }
}
