// SPDX-License-Identifier: Apache-2.0

/// How threads divide the images of a batch.
///
/// Each thread takes shares of a few images through the whole network by itself: nobody waits for others between
/// layers, and signals stay in the thread's caches. Images that are left over, fewer than half the threads, go through
/// the layers one after the other, and all threads work on each layer.
package struct ShareDivision: Hashable, Sendable {
  /// Images in shares; those after them are left over.
  package let owned: Int
  package let leftOver: Int
  /// Images of the largest share.
  package let share: Int
  package let shares: Int
  /// Threads that take shares.
  package let threads: Int

  /// - Parameter mostImages: of a share, if a thread has so many images.
  package init(batch: Int, threads: Int, mostImages: (Int) -> Int) {
    let rest = threads > 1 ? batch % threads : 0
    leftOver = rest <= threads / 2 ? rest : 0
    owned = batch - leftOver
    if owned == 0 {
      (share, shares, self.threads) = (0, 0, 1)
      return
    }
    let each = (owned + threads - 1) / threads
    let most = max(1, min(each, mostImages(each)))
    shares = min(owned, threads * ((each + most - 1) / most))
    share = (owned + shares - 1) / shares
    self.threads = min(threads, shares)
  }

  /// The images of a share: as many as of the others, or one less.
  package func images(_ number: Int) -> Range<Int> {
    let (least, more) = owned.quotientAndRemainder(dividingBy: shares)
    let first = number * least + min(number, more)
    return first..<first + least + (number < more ? 1 : 0)
  }
}
