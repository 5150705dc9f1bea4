// SPDX-License-Identifier: Apache-2.0

/// A correlation of planes by one of the algorithms on tiles, its memory reserved.
///
/// Only ever a constraint: an `any TilePass` would run code that is not specialized for the scalar (13 % slower, measured).
protocol TilePass {
  associatedtype Scalar: EngineScalar
  /// Memory of a run, for all threads.
  var workspaceBytes: Int { get }
  /// - Throws: `outOfMemory` before any array is touched.
  func run(_ arrays: TilePassArrays<Scalar>) throws(ConvolutionError)
}

/// What a correlation reads and writes.
struct TilePassArrays<S: EngineScalar> {
  /// (batch, C, |X|, rows, columns).
  var source: UnsafePointer<S>
  /// In the basis of the algorithm: what `FourierWeights` or `WinogradWeights` made for the same sizes.
  var weights: UnsafePointer<S>
  /// (O), or nil.
  var bias: UnsafePointer<S>?
  /// (batch, O, |Y|, rows, columns).
  var destination: UnsafeMutablePointer<S>
}
