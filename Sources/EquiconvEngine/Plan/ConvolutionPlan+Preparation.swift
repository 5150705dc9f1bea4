// SPDX-License-Identifier: Apache-2.0

extension ConvolutionPlan {
  /// Makes the transform of a prepared weight that a signal pass of so many images would make.
  ///
  /// - Throws: as the pass.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  package func prepare<S: EngineScalar>(
    _ pass: Pass, batch: Int, weight: PreparedWeight<S>, threads: Int?
  ) throws(ConvolutionError) {
    try Call.run(.flushing) { () throws(ConvolutionError) in
      try Self.checkBatch(batch)
      if batch == 0 { return }
      let task = task(pass, batch: batch, S.self, RunOptions(threads: threads), isPrepared: true)
      let method = try method(task)
      var preparation = Preparation(task: task, tile: method.tile, weight: weight)
      try Algorithms.visit(method.algorithm, &preparation)
    }
  }

  private struct Preparation<Scalar: EngineScalar>: AlgorithmVisitor {
    let task: PassTask<Scalar>
    let tile: Tile
    let weight: PreparedWeight<Scalar>

    mutating func visit<A: ConvolutionAlgorithm>(_: A.Type) throws(ConvolutionError) where A.Scalar == Scalar {
      try A(task: task).withWeights(.prepared(weight), tile: tile) { _ in }
    }
  }
}
