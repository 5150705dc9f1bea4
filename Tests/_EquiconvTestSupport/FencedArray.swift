// SPDX-License-Identifier: Apache-2.0

import Foundation

/// An array directly behind or in front of a page that may not be read.
public final class FencedArray<S: BitwiseCopyable> {
  public let base: UnsafeMutablePointer<S>
  private let count: Int
  private let region: UnsafeMutableRawPointer
  private let bytes: Int

  public init(_ values: [S], atEnd: Bool) {
    let page = Int(getpagesize())
    let used = (values.count * MemoryLayout<S>.stride + page - 1) / page * page
    count = values.count
    bytes = used + 2 * page
    region = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
    mprotect(region, page, PROT_NONE)
    mprotect(region + page + used, page, PROT_NONE)
    base =
      (region + page).assumingMemoryBound(to: S.self) + (atEnd ? used / MemoryLayout<S>.stride - values.count : 0)
    base.initialize(from: values, count: values.count)
  }

  deinit { munmap(region, bytes) }

  public var values: [S] { Array(UnsafeBufferPointer(start: base, count: count)) }
}
