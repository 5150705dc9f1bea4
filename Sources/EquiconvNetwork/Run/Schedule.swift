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

  /// Portions for shares of at most so many images.
  ///
  /// - Parameter wanted: the images that are best for each step, a power of two; nil for steps to which it is the same.
  package init(wanted: [Int?], mostImages: Int) {
    let images = max(1, min(mostImages, wanted.reduce(1) { max($0, $1 ?? 1) }))
    var segments: [Segment] = []
    for (step, count) in wanted.enumerated() {
      let count = count.map { min($0, images) }
      if let last = segments.indices.last, segments[last].takes(count) {
        segments[last].steps = segments[last].steps.lowerBound..<step + 1
      } else {
        segments.append(Segment(steps: step..<step + 1, images: count ?? 1))
      }
    }
    self.init(images: images, segments: segments)
  }
}

extension Schedule.Segment {
  /// Whether a step that wants so many images at a time belongs to the segment: few segments hand over little, and half
  /// or twice as many as wanted are not far from the best.
  fileprivate func takes(_ count: Int?) -> Bool {
    guard let count else { return true }
    return count <= 2 * images && 2 * count >= images
  }
}
