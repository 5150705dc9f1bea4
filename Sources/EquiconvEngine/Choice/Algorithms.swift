// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors

/// The algorithms of the engine: the one place that lists them.
enum Algorithms {
  /// The method that covers every pass of every layer and costs almost nothing to start.
  static var general: Method { .direct }

  /// Visits all. Of methods with equal estimates the earlier is chosen.
  static func visitAll<V: AlgorithmVisitor>(_ visitor: inout V) throws(ConvolutionError) {
    try visitor.visit(DirectAlgorithm<V.Scalar>.self)
    try visitor.visit(FourierAlgorithm<V.Scalar>.self)
    try visitor.visit(WinogradAlgorithm<V.Scalar>.self)
    try visitor.visit(GroupFourierAlgorithm<V.Scalar>.self)
  }

  /// Visits the algorithm of a name.
  /// - Throws: what the visitor throws, and `unsupportedAlgorithm` for a name that is not in the list.
  static func visit<V: AlgorithmVisitor>(_ name: Algorithm, _ visitor: inout V) throws(ConvolutionError) {
    var search = Search(name: name, visitor: visitor)
    try visitAll(&search)
    visitor = search.visitor
    if !search.isFound {
      throw ConvolutionError(.unsupportedAlgorithm, .algorithm, "\(name)", expected: "one that the engine has")
    }
  }

  private struct Search<V: AlgorithmVisitor>: AlgorithmVisitor {
    typealias Scalar = V.Scalar
    let name: Algorithm
    var visitor: V
    var isFound = false

    mutating func visit<A: ConvolutionAlgorithm>(_: A.Type) throws(ConvolutionError) where A.Scalar == Scalar {
      if A.name != name { return }
      isFound = true
      try visitor.visit(A.self)
    }
  }
}

/// Code that runs with any algorithm; a closure cannot be generic.
protocol AlgorithmVisitor {
  associatedtype Scalar: EngineScalar
  mutating func visit<A: ConvolutionAlgorithm>(_: A.Type) throws(ConvolutionError) where A.Scalar == Scalar
}

/// Tables that algorithms make once for a plan, for any batch, and keep in it.
struct AlgorithmTables: Sendable {
  let gathers: GatherPlans
  let correlations = LazyTable<Pass, PlaneCorrelation>()
  let fourierPlans = LazyTable<FourierPlan.Key, FourierPlan>()
  let groupFourierPlans = LazyTable<Pass, GroupFourierPlan>()
  let groupFourierAdjoints = LazyTable<Pass, GroupFourierAdjoint>()

  /// - Throws: `outOfMemory`.
  init(_ stencil: Stencil, geometry: Geometry, isCircular: Bool) throws(ConvolutionError) {
    gathers = try GatherPlans(stencil, geometry: geometry, isCircular: isCircular)
  }
}
