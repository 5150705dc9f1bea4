// SPDX-License-Identifier: Apache-2.0

/// The planes that a circular input gradient computes before they are folded: [image][output][element][plane of the gather].
struct FoldedPlanes<S: EngineScalar> {
  private let fold: CircularFold
  /// Planes of an image.
  private let planesPerImage: Int
  private let runs: Piece<CircularFold.Run>
  private let planes: Piece<S>

  /// Nil for a plan that does not fold.
  static func reserve(
    _ layout: inout Workspace.Layout, _ plan: GatherPlan, images: Int, outputs: Int
  ) throws(ConvolutionError) -> FoldedPlanes? {
    guard let fold = plan.fold else { return nil }
    let planesPerImage = outputs * plan.stencil.outputElements
    return FoldedPlanes(
      fold: fold, planesPerImage: planesPerImage,
      runs: try layout.reserve(CircularFold.Run.self, fold.runCount),
      planes: try layout.reserve(S.self, images, planesPerImage, plan.destination.volume))
  }

  /// Numbers of a plane of the result.
  var signalVolume: Int { fold.signal.volume }

  func writeRuns(_ workspace: borrowing Workspace) { fold.writeRuns(workspace[runs]) }

  /// Lets `compute` write the planes of so many images, and folds them into the result.
  ///
  /// - Parameters:
  ///   - place: of the first image in memory.
  ///   - finish: is given each plane of the result: its image, its number in the image, and its numbers.
  func run(
    _ images: Int, at place: Int, into result: UnsafeMutablePointer<S>, _ crew: BatchShare.Crew,
    _ workspace: borrowing Workspace, _ compute: (UnsafeMutablePointer<S>) -> Void,
    finish: (_ image: Int, _ plane: Int, UnsafeMutablePointer<S>) -> Void
  ) {
    let folded = workspace[planes] + place * planesPerImage * fold.padded.volume
    compute(folded)
    let runs = UnsafePointer(workspace[runs])
    ThreadPool.run(images * planesPerImage, threads: crew.count) { _, plane in
      let numbers = result + plane * fold.signal.volume
      fold.fold(folded + plane * fold.padded.volume, into: numbers, runs)
      finish(plane / planesPerImage, plane % planesPerImage, numbers)
    }
  }
}
