// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvShims

/// Pools over windows of space.
public enum SpatialPool {
  /// The extents of the output, ⌊(n + 2 padding − kernel) / stride⌋ + 1 on each axis.
  ///
  /// - Throws: `dimensionMismatch`, `invalidSize`, `invalidStride`, `invalidPadding` for more than half the kernel,
  /// `kernelTooLarge`, `sizeOverflow`.
  public static func outputSpatial(
    spatial: Extents, kernel: Extents, stride: Extents, padding: Extents
  ) throws(ConvolutionError) -> Extents {
    try PoolWindows.outputs(spatial: spatial, kernel: kernel, stride: stride, padding: padding)
  }

  /// The mean or the maximum of each window.
  ///
  /// Padding counts as zeros in means, and never is the maximum. NaN in a window gives NaN. Turning or reflecting a signal
  /// turns the result, to the last bit, where windows lie symmetrically: no order of a window's numbers changes its mean.
  ///
  /// - Parameters:
  ///   - planes: batch · channels · |X|.
  ///   - padding: At most half the kernel.
  ///   - input: (planes, spatial…).
  ///   - output: (planes, `outputSpatial`…).
  /// - Throws: as `outputSpatial`, and `misalignedPointer`, `overlap`, `outOfMemory`, `cancelled`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public static func run<S: EngineScalar>(
    _ mode: PoolMode, planes: Int, spatial: Extents, kernel: Extents, stride: Extents, padding: Extents,
    input: UnsafePointer<S>, output: UnsafeMutablePointer<S>, threads: Int? = nil
  ) throws(ConvolutionError) {
    try Call.run(.exact) { () throws(ConvolutionError) in
      let windows = try PoolWindows(spatial: spatial, kernel: kernel, stride: stride, padding: padding)
      try Threads.check(threads)
      let count = try SignalSizes.count(planes: planes, spatial, of: .input)
      let outputSpatial = try outputSpatial(spatial: spatial, kernel: kernel, stride: stride, padding: padding)
      let outputs = try SignalSizes.count(planes: planes, outputSpatial, of: .output)
      let inputRange = try ArrayRange(.input, input, count)
      try ArrayRange(.output, output, outputs).checkApart(from: inputRange)
      let pass = try PoolPass<S>(
        mode, windows, planes: planes, threads: threads ?? Threads.count(reading: max(count, outputs)))
      try pass.run(input, output)
    }
  }
}

/// A spatial pool with its memory. Blocks are some rows of outputs of a slice.
private struct PoolPass<S: EngineScalar> {
  private enum Method {
    /// Tap by tap.
    case largest
    /// The four corners of a square, or two neighbors: opposite ones are added up first. Turns and reflections exchange pairs,
    /// and the two of a pair.
    case pairs
    case exact(ExactMean)
  }

  private let method: Method
  private let windows: PoolWindows
  private let planes: Int
  private let threads: Int
  private let taps: Int
  /// Rows of a block: what they read stays in the caches.
  private let rows: Int
  private let scratch: PerThread<Piece<S>>
  private let layout: Workspace.Layout
  private let kernels = S.microkernels(.current)

  init(_ mode: PoolMode, _ windows: PoolWindows, planes: Int, threads: Int) throws(ConvolutionError) {
    // Rows of many small planes are handed to the microkernels at once.
    let stacked = planes > 0 ? windows.stacked(planes) : nil
    let (windows, planes) = (stacked ?? windows, stacked == nil ? planes : 1)
    let (kernel, outputs) = (windows.kernel, windows.outputs)
    taps = try windows.tapCount()
    let isSmall = kernel.z == 1 && kernel.y <= 2 && kernel.x <= 2
    // Taps outside of the plane are left out.
    let places =
      min(kernel.z, windows.size.z) * min(kernel.y, windows.size.y) * min(kernel.x, windows.size.x)
    method = mode == .max ? .largest : isSmall ? .pairs : .exact(ExactMean(of: taps, given: places))
    self.windows = windows
    self.planes = planes
    self.threads = threads
    rows = min(outputs.y, max(1, 4096 / outputs.x))
    var layout = Workspace.Layout()
    let block = rows * outputs.x
    let numbers =
      switch method {
      case .largest: block
      case .pairs: try ConvolutionDescriptor.product(taps, block, .workspace)
      case .exact: places
      }
    scratch = try layout.reserve(threads: threads) { each throws(ConvolutionError) in
      try each.reserve(S.self, numbers)
    }
    self.layout = layout
  }

  func run(_ input: UnsafePointer<S>, _ output: UnsafeMutablePointer<S>) throws(ConvolutionError) {
    let workspace = try Workspace(layout)
    let outputs = windows.outputs
    let blocks = (outputs.y + rows - 1) / rows
    let (volume, slice) = (windows.size.volume, outputs.y * outputs.x)
    let total = planes * outputs.z * blocks
    // Some small blocks an item: claiming one costs as much as computing it.
    let group = max(1, 4096 / (rows * outputs.x))
    ThreadPool.run((total + group - 1) / group, threads: threads) { worker, item in
      let memory = workspace[scratch, worker][scratch.each]
      for block in item * group..<min(total, (item + 1) * group) {
        let (z, first) = (block / blocks, block % blocks * rows)
        let task = PoolBlock(
          windows: windows, kernels: kernels, z: z % outputs.z, rows: first..<min(outputs.y, first + rows),
          input: input + z / outputs.z * volume, output: output + (z * slice + first * outputs.x), scratch: memory)
        switch method {
        case .largest: task.findLargest()
        case .pairs: task.addPairs()
        case .exact(let mean): task.findMeans(mean)
        }
      }
    }
  }
}
