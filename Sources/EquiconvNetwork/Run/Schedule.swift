// SPDX-License-Identifier: Apache-2.0

/// In which portions the images of a share go through the steps.
///
/// A share is what one thread does at a time. Its images go through a segment of the steps a few at a time, so few that
/// what steps hand each other stays in the thread's caches, and all of them before the next segment begins: where
/// planes are small, layers read their weights once for several images.
package struct Schedule: Hashable, Sendable {
  package struct Segment: Hashable, Sendable {
    package var steps: Range<Int>
    /// Images at a time.
    package var images: Int

    package init(steps: Range<Int>, images: Int) {
      self.steps = steps
      self.images = images
    }
  }

  /// Images of a share.
  package let images: Int
  package let segments: [Segment]

  /// All images at once.
  package init(steps: Int, images: Int) {
    self.init(images: images, segments: [Segment(steps: 0..<steps, images: images)])
  }

  package init(images: Int, segments: [Segment]) {
    self.images = images
    self.segments = segments
  }

  /// What one thread's signals may take: about a second-level cache.
  static let signalBytes = 1 << 20
  /// More images at a time save nothing.
  static let mostImages = 32

  /// Portions for shares of at most so many images.
  ///
  /// - Parameter bytes: what each step reads and writes for one image.
  package init(bytes: [Int], mostImages: Int) {
    let wanted = bytes.map { Self.images(bytes: $0) }
    let images = max(1, min(mostImages, wanted.max() ?? 1))
    var segments: [Segment] = []
    for (step, count) in wanted.enumerated() {
      let count = min(count, images)
      if let last = segments.indices.last, segments[last].takes(count) {
        segments[last].steps = segments[last].steps.lowerBound..<step + 1
      } else {
        segments.append(Segment(steps: step..<step + 1, images: count))
      }
    }
    self.init(images: images, segments: segments)
  }

  /// A power of two, so that portions fill shares.
  private static func images(bytes: Int) -> Int {
    let count = min(mostImages, max(1, signalBytes / max(bytes, 1)))
    return 1 << (Int.bitWidth - 1 - count.leadingZeroBitCount)
  }
}

extension Schedule.Segment {
  /// Whether a step that wants so many images at a time belongs to the segment: few segments hand over little, and
  /// twice as many as wanted are not many.
  fileprivate func takes(_ count: Int) -> Bool { count < 4 * images && count >= images / 2 }
}
