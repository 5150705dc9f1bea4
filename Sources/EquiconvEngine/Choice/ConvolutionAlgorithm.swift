// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// One way to compute passes of layers: which passes it covers, what they cost, and how they run.
///
/// A value is an algorithm for one task. Each algorithm has a folder of its own and a line in `Algorithms`. The plan
/// checks arrays, chooses the method, keeps transformed weights and runs; an algorithm gets arrays that have been
/// checked.
///
/// Only ever a constraint: an `any ConvolutionAlgorithm` would run code that is not specialized for the scalar (13 % slower,
/// measured).
protocol ConvolutionAlgorithm {
  associatedtype Scalar: EngineScalar
  /// A forward pass or an input gradient.
  associatedtype SignalPass: PlannedPass where SignalPass.Arrays == SignalPassArrays<Scalar>
  /// `NoPass` for an algorithm that has none.
  associatedtype WeightGradient: PlannedPass where WeightGradient.Arrays == WeightGradientArrays<Scalar>

  /// Its name in the interface.
  static var name: Algorithm { get }

  init(task: PassTask<Scalar>)
  var task: PassTask<Scalar> { get }

  // MARK: Coverage

  /// Asked before a plan is made for this algorithm alone.
  ///
  /// - Parameter reach: of the taps, dilation included.
  /// - Throws: `unsupportedAlgorithm` where it covers no pass of the layer, whatever the scalar.
  static func checkLayer(_ layer: Layer, reach: Box) throws(ConvolutionError)

  /// - Throws: `unsupportedAlgorithm` where it does not cover the task.
  func check() throws(ConvolutionError)

  // MARK: Choice

  /// The tiles to choose from for a task that is covered, at least one; 0 stands for no tiles.
  var tiles: [Tile] { get throws(ConvolutionError) }

  /// What the task costs with a tile.
  func cost(tile: Tile) throws(ConvolutionError) -> MethodCost

  /// Whether `auto` may choose the tile: not if its rounding errors are many times those of the direct algorithm.
  func isAccurate(tile: Tile) -> Bool

  /// Whether the task is computed to the last bit alike for turned signals: `pass(L_g f) == L_g pass(f)` for every lattice
  /// element g, whatever the numbers, with results that depend neither on threads nor on the other images of the batch.
  func isExact(tile: Tile) throws(ConvolutionError) -> Bool

  // MARK: Passes

  /// The pass of the task with its memory counted, which is allocated and written when it runs.
  /// - Throws: `outOfMemory` for sizes that overflow.
  func signalPass(tile: Tile) throws(ConvolutionError) -> SignalPass
  func weightGradient(tile: Tile) throws(ConvolutionError) -> WeightGradient

  /// Calls `body` with the weights in the form that its signal passes read: ŵ, or its transform by a
  /// `WeightTransformingAlgorithm`.
  func withWeights(
    _ weight: WeightSource<Scalar>, tile: Tile,
    _ body: (UnsafePointer<Scalar>) throws(ConvolutionError) -> Void
  ) throws(ConvolutionError)
}

extension ConvolutionAlgorithm {
  func isAccurate(tile: Tile) -> Bool { true }
  func isExact(tile: Tile) -> Bool { false }

  func withWeights(
    _ weight: WeightSource<Scalar>, tile: Tile,
    _ body: (UnsafePointer<Scalar>) throws(ConvolutionError) -> Void
  ) throws(ConvolutionError) {
    try task.plan.withCore(weight.pointer, body)
  }
}

extension Layer {
  /// - Throws: `unsupportedAlgorithm` for a layer in groups of channels.
  func checkSumsOverAllChannels(for algorithm: Algorithm) throws(ConvolutionError) {
    if channelGroups > 1 {
      throw .unsupported(algorithm, "\(channelGroups) groups of channels", expected: "sums over all channels")
    }
  }
}

extension ConvolutionError {
  /// The error of an algorithm that does not offer what was found in a layer or a pass.
  static func unsupported(_ algorithm: Algorithm, _ found: String, expected: String) -> ConvolutionError {
    ConvolutionError(.unsupportedAlgorithm, .algorithm, "\(algorithm) with \(found)", expected: expected)
  }
}
