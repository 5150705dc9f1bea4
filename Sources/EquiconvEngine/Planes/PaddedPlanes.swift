// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// The padded planes of some images in the workspace of a pass: [stack][plane of an image][padded plane], and numbers beyond
/// the last one.
struct PaddedPlanes<S: EngineScalar> {
  private let layout: PlaneLayout
  private let kernels: Microkernels
  /// Planes of an image: channels times elements.
  private let planesPerImage: Int
  private let planes: Piece<S>
  /// For each thread a plane of the signal of all images of a stack, before it is padded: [place][image].
  private let sideBySide: PerThread<Piece<S>>

  /// Scalars that a thread pads at least before it claims more.
  private static var smallestPadding: Int { 16 << 10 }

  /// Numbers behind the last padded plane: vectors that begin near its end read so far past it.
  static func beyond(_ kernels: Microkernels) -> Int { 2 * kernels.lanes }

  /// - Parameter stacks: that are in memory at a time.
  init(
    _ workspace: inout Workspace.Layout, _ layout: PlaneLayout, planesPerImage: Int, stacks: Int, threads: Int,
    _ kernels: Microkernels
  ) throws(ConvolutionError) {
    self.layout = layout
    self.kernels = kernels
    self.planesPerImage = planesPerImage
    planes = try workspace.reserve(S.self, stacks, planesPerImage, layout.volume, beyond: Self.beyond(kernels))
    sideBySide = try workspace.reserve(threads: threads) { each throws(ConvolutionError) in
      try each.reserve(S.self, layout.depth > 1 ? layout.signal.volume : 0, layout.depth)
    }
  }

  /// Scalars of the padded planes of a stack.
  var stackVolume: Int { planesPerImage * layout.volume }

  /// What lies beyond the last plane is read and not used, but has to be a number.
  func zeroBeyond(_ workspace: borrowing Workspace) {
    let count = Self.beyond(kernels)
    (workspace[planes] + (planes.count - count)).update(repeating: 0, count: count)
  }

  /// Pads the planes of so many images; where they are then.
  ///
  /// - Parameters:
  ///   - imageStride: from one image of the signal to the next.
  ///   - stack: the place of the first image's stack in memory.
  func pad(
    _ images: Int, from source: UnsafePointer<S>, imageStride: Int, stack: Int, _ crew: BatchShare.Crew,
    _ workspace: borrowing Workspace
  ) -> UnsafePointer<S> {
    let depth = layout.depth
    let target = workspace[planes] + stack * stackVolume
    let total = (images + depth - 1) / depth * planesPerImage
    // A few planes an item: claiming one costs more than padding a small plane.
    let group = max(
      1, min(total / (BatchShare.itemsPerThread * crew.count), 1 + Self.smallestPadding / max(layout.volume, 1)))
    ThreadPool.run((total + group - 1) / group, threads: crew.count) { worker, item in
      let scratch = workspace[sideBySide, crew.first + worker][sideBySide.each]
      for plane in item * group..<min(total, (item + 1) * group) {
        let first = plane / planesPerImage * depth
        var from = source + first * imageStride + plane % planesPerImage * layout.signal.volume
        if depth > 1 {
          putSideBySide(min(depth, images - first), from, imageStride: imageStride, into: scratch)
          from = UnsafePointer(scratch)
        }
        layout.fill(target + plane * layout.volume, from: from, kernels)
      }
    }
    return UnsafePointer(target)
  }

  /// One plane of each of some images: (image, place) → (place, image). Images that there are not are zero.
  private func putSideBySide(
    _ images: Int, _ source: UnsafePointer<S>, imageStride: Int, into target: UnsafeMutablePointer<S>
  ) {
    let volume = layout.signal.volume
    if images < layout.depth { target.update(repeating: 0, count: volume * layout.depth) }
    var call = equiconv_transpose_call(
      source: source, target: target, row_count: images, column_count: volume, source_row_stride: imageStride,
      target_row_stride: layout.depth)
    kernels.transpose(&call)
  }
}
