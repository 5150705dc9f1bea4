// SPDX-License-Identifier: Apache-2.0

import _EquiconvPlatform
import _EquiconvShims

/// The clock behind the unit of `MeasuredCosts`. Only estimates in seconds depend on it: no choice does.
package enum Calibration {
  /// Seconds of one vector multiply-add, measured once a process and scalar type in some 0.2 ms.
  ///
  /// - Throws: `outOfMemory`.
  package static func secondsPerVector<S: EngineScalar>(
    _: S.Type, _ instructions: InstructionSet
  ) throws(ConvolutionError) -> Double {
    let key = Key(instructions: instructions, scalarBytes: MemoryLayout<S>.stride)
    if let known = ProcessLock.withLock({ measured[key] }) { return known }
    let seconds = try measure(S.microkernels(instructions), S.self)
    ProcessLock.withLock { measured[key] = seconds }
    return seconds
  }

  private struct Key: Hashable {
    var instructions: InstructionSet
    var scalarBytes: Int
  }

  /// Guarded by `ProcessLock`.
  private nonisolated(unsafe) static var measured: [Key: Double] = [:]

  /// `multiply` on data that stays in the first-level cache: the shortest of a few runs.
  private static func measure<S: EngineScalar>(_ kernels: Microkernels, _: S.Type) throws(ConvolutionError) -> Double {
    let (width, vectors, channels) = (kernels.widestPanel, 3, 96)
    let row = vectors * kernels.lanes
    var best = Double.infinity
    // No stack: threads may have little.
    var layout = Workspace.Layout()
    let scalarPiece = try layout.reserve(S.self, channels + width, row + width)
    let offsetPiece = try layout.reserve(Int.self, vectors)
    let workspace = try Workspace(layout)
    let (base, offsets) = (workspace[scalarPiece], workspace[offsetPiece])
    // Zeros cost as much as other numbers.
    base.update(repeating: 0, count: scalarPiece.count)
    for vector in 0..<vectors { offsets[vector] = vector * kernels.lanes }
    var read = equiconv_read(source: 0, weight: 0)
    withUnsafePointer(to: &read) { reads in
      var call = equiconv_multiply_call(
        source: base, weights: base + channels * row, bias: base, destination: base + channels * (row + width),
        reads: reads, read_count: 1, channel_count: channels, source_channel_stride: row,
        weight_channel_stride: width, destination_row_stride: row, source_offsets: offsets,
        destination_offsets: offsets, vector_count: vectors, accumulates: 0)
      for _ in 0..<8 { best = min(best, time(100) { kernels.multiply(&call, width) }) }
    }
    return best / Double(width * vectors * channels)
  }

  /// Seconds of one of `count` calls.
  private static func time(_ count: Int, _ body: () -> Void) -> Double {
    let start = now()
    for _ in 0..<count { body() }
    return (now() - start) / Double(count)
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }
}
