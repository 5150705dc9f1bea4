// SPDX-License-Identifier: Apache-2.0

/// How threads share the images of a batch, in chunks of neighboring stacks.
///
/// A stack is an image, or several that lie side by side. Threads process whole chunks, each padding and computing its own:
/// nobody waits, and what a thread has padded is still in its cache when it computes. The chunks that are left over are
/// shared by all threads together, piece by piece.
struct BatchShare: Sendable {
  /// Padded images are made this many bytes at a time: enough to share between threads, little enough for the caches.
  static let chunkBytes = 2 << 20
  /// Items of a loop for each thread, so that a slow core does not keep the others waiting.
  static let itemsPerThread = 4

  let stacks: Int
  /// Stacks of a chunk.
  let chunk: Int
  /// Stacks in chunks of a thread's own.
  let owned: Int
  private let threads: Int

  /// - Parameter stackBytes: of the padded planes of one stack.
  init(stacks: Int, stackBytes: Int, threads: Int) {
    let share = threads == 1 ? stacks : stacks / (Self.itemsPerThread * threads)
    chunk = max(1, min(share, Self.chunkBytes / max(stackBytes, 1)))
    owned = threads == 1 ? 0 : stacks / (chunk * threads) * (chunk * threads)
    self.stacks = stacks
    self.threads = threads
  }

  /// Stacks that are in memory at a time.
  var inMemory: Int { owned > 0 ? chunk * threads : chunk }

  /// The threads that work on a chunk: workers `first ..< first + count`.
  struct Crew {
    let first: Int
    let count: Int
  }

  /// Calls `body` for each chunk, on several threads at once where these have chunks of their own.
  ///
  /// - Throws: `cancelled`.
  func forEachChunk(_ body: (_ crew: Crew, _ stacks: Range<Int>) -> Void) throws(ConvolutionError) {
    ThreadPool.run(owned / chunk, threads: threads) { worker, item in
      body(Crew(first: worker, count: 1), item * chunk..<(item + 1) * chunk)
    }
    for first in stride(from: owned, to: stacks, by: chunk) {
      try Call.checkNotEnded()
      body(Crew(first: 0, count: threads), first..<min(stacks, first + chunk))
    }
  }
}
