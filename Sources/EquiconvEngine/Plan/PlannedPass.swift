// SPDX-License-Identifier: Apache-2.0

/// A pass by one of the algorithms, its memory counted and not yet allocated.
protocol PlannedPass {
  associatedtype Arrays
  /// All the memory of a run, for all threads.
  var layout: Workspace.Layout { get }
  /// Runs in a workspace of this layout.
  /// - Throws: `cancelled`, and nothing else.
  func run(_ arrays: Arrays, in workspace: borrowing Workspace) throws(ConvolutionError)
}

extension PlannedPass {
  /// - Throws: `outOfMemory` before any array is touched; `cancelled`.
  func run(_ arrays: Arrays) throws(ConvolutionError) {
    let workspace = try Workspace(layout)
    try run(arrays, in: workspace)
  }
}

/// What a forward pass or an input gradient of a plan reads and writes: the caller's arrays.
struct SignalArrays<S: EngineScalar> {
  /// (batch, C, |X|, spatial…); for an input gradient the gradient of the output.
  var source: UnsafePointer<S>
  var weight: WeightSource<S>
  /// (O), or nil; for an input gradient (C).
  var bias: UnsafePointer<S>?
  /// Of each output; see `Epilogue`.
  var pointwise: Pointwise?
  /// (batch, O, |Y|, spatial…); for an input gradient the gradient of the input.
  var destination: UnsafeMutablePointer<S>
}

/// The same as an algorithm reads and writes it.
struct SignalPassArrays<S: EngineScalar> {
  var source: UnsafePointer<S>
  /// In the form of the algorithm, as its `withWeights` passes them.
  var weights: UnsafePointer<S>
  var bias: UnsafePointer<S>?
  var destination: UnsafeMutablePointer<S>
  var pointwise: Pointwise?
}

/// What a weight gradient reads and writes.
struct WeightGradientArrays<S: EngineScalar> {
  /// The gradient of the output.
  var gradient: UnsafePointer<S>
  var input: UnsafePointer<S>
  /// In the user's weights.
  var weightGradient: UnsafeMutablePointer<S>
}

/// The type of a pass that an algorithm does not have: it has no values.
enum NoPass<Arrays>: PlannedPass {
  var layout: Workspace.Layout {
    switch self {}
  }

  func run(_ arrays: Arrays, in workspace: borrowing Workspace) throws(ConvolutionError) {
    switch self {}
  }
}
