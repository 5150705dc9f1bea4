// SPDX-License-Identifier: Apache-2.0

/// The cost of a task by a method.
struct MethodCost {
  /// In vector multiply-adds of the busiest thread; see `MeasuredCosts`.
  var time: Double
  /// Floating-point operations, two for each multiply-add.
  var operations: Double
  /// Transformed weights.
  var weightBytes: Int

  /// Starting and ending a pass: workspace, tables, threads.
  static let pass = 4e4
}

extension PassTask {
  var threads: Double { Double(options.threads) }

  /// The busiest thread's share of so many items of one size.
  func share(of items: Int) -> Double { Double((items + options.threads - 1) / options.threads) }
}
