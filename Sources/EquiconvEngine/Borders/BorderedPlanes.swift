// SPDX-License-Identifier: Apache-2.0

/// The planes of a signal with a border, in memory of a call's own.
struct BorderedPlanes<S: EngineScalar>: ~Copyable {
  private let border: Border
  /// Planes: images times channels times points of the fiber.
  private let count: Int
  private let threads: Int
  private let pieces: Pieces
  private let workspace: Workspace

  private struct Pieces {
    let planes: Piece<S>
    let terms: PerThread<Piece<S>>
  }

  /// - Throws: `outOfMemory`.
  init(_ border: Border, count: Int, threads: Int) throws(ConvolutionError) {
    var layout = Workspace.Layout()
    let pieces = try Self.reserve(&layout, border, count: count, threads: threads)
    workspace = try Workspace(layout)
    self.border = border
    self.count = count
    self.threads = threads
    self.pieces = pieces
  }

  /// What the planes need.
  static func bytes(_ border: Border, count: Int, threads: Int) throws(ConvolutionError) -> Int {
    var layout = Workspace.Layout()
    _ = try reserve(&layout, border, count: count, threads: threads)
    return layout.bytes
  }

  private static func reserve(
    _ layout: inout Workspace.Layout, _ border: Border, count: Int, threads: Int
  ) throws(ConvolutionError) -> Pieces {
    let terms = count > 0 ? try border.mostTerms(of: S.self) : 0
    let padded = border.padded
    return Pieces(
      planes: try layout.reserve(S.self, count, padded.z, padded.y, padded.x),
      terms: try layout.reserve(threads: threads) { each throws(ConvolutionError) in
        try each.reserve(S.self, terms)
      })
  }

  /// The padded planes, one after the other.
  var numbers: UnsafeMutablePointer<S> { workspace[pieces.planes] }

  /// Lays out the planes of a signal.
  func pad(_ signal: UnsafePointer<S>) {
    let (numbers, border) = (numbers, border)
    let (from, to) = (border.signal.volume, border.padded.volume)
    forEachPlane { _, plane in border.pad(signal + plane * from, into: numbers + plane * to) }
  }

  /// Sums the planes into those of a signal, and completes each.
  ///
  /// - Parameter finish: is given the number of a plane and its numbers.
  func fold(into signal: UnsafeMutablePointer<S>, finish: (Int, UnsafeMutablePointer<S>) -> Void) {
    let (numbers, border) = (numbers, border)
    let (from, to) = (border.padded.volume, border.signal.volume)
    forEachPlane { worker, plane in
      let terms = workspace[pieces.terms, worker][pieces.terms.each]
      border.fold(numbers + plane * from, into: signal + plane * to, terms)
      finish(plane, signal + plane * to)
    }
  }

  private func forEachPlane(_ body: (_ worker: Int, _ plane: Int) -> Void) {
    // Planes enough for a block of numbers an item: claiming one costs more than padding a small plane.
    let group = max(1, NumberBlocks.size / max(border.padded.volume, 1))
    ThreadPool.run((count + group - 1) / group, threads: threads) { worker, item in
      for plane in item * group..<min(count, (item + 1) * group) { body(worker, plane) }
    }
  }
}
