// SPDX-License-Identifier: Apache-2.0
//
// pad: rows of a plane, copied between zeros: every number, every second one, or places of several numbers.
//
// A row that is no whole number of vectors ends with one that begins early and writes some numbers again. Nothing outside the
// numbers wanted is read, so that the last row of a caller's array may be copied.

import _EquiconvShims

enum PadRows<V: Lanes> {
  typealias Source = UnsafePointer<V.Scalar>
  typealias Target = UnsafeMutablePointer<V.Scalar>

  @inline(__always)
  static func run(_ call: equiconv_pad_call) {
    let (before, count, after) = (call.before &* call.depth, call.count &* call.depth, call.after &* call.depth)
    var source = call.source.assumingMemoryBound(to: V.Scalar.self)
    var target = call.target.assumingMemoryBound(to: V.Scalar.self)
    var row = 0
    while row < call.row_count {
      if call.step > 1 { prefetch(call, source) }
      zero(target, before)
      if call.step == 1 {
        copy(target + before, source, count)
      } else if call.depth > 1 {
        copyPlaces(target + before, source, call.count, depth: call.depth, step: call.step &* call.depth)
      } else if call.step == 2 {
        copyEverySecond(target + before, source, count)
      } else {
        copyEvery(call.step, target + before, source, count)
      }
      zero(target + (before &+ count), after)
      source += call.source_row_stride
      target += call.target_row_stride
      row &+= 1
    }
  }

  /// Rows of a strided plane have gaps between them, which processors do not foresee.
  @inline(__always) private static var rowsAhead: Int { 8 }
  @inline(__always) private static var lineBytes: Int { 64 }

  /// Where a place is read of each line, that is for small steps: a large one may be of any size.
  @inline(__always)
  private static func prefetch(_ call: equiconv_pad_call, _ row: Source) {
    let placeBytes = call.depth &* MemoryLayout<V.Scalar>.stride
    if call.step > Self.lineBytes / placeBytes { return }
    let bytes = call.count &* call.step &* placeBytes
    let ahead = UnsafeRawPointer(row + Self.rowsAhead &* call.source_row_stride)
    var line = 0
    while line < bytes {
      equiconv_prefetch_read(ahead + line)
      line &+= Self.lineBytes
    }
  }

  @inline(__always)
  private static func zero(_ target: Target, _ count: Int) {
    if count < V.count { return V.zero.store(target, first: count) }
    var index = 0
    while index < count {
      V.zero.store(target + min(index, count &- V.count))
      index &+= V.count
    }
  }

  @inline(__always)
  private static func copy(_ target: Target, _ source: Source, _ count: Int) {
    if count < V.count { return V.load(source, first: count).store(target, first: count) }
    var index = 0
    while index < count {
      let place = min(index, count &- V.count)
      V.load(source + place).store(target + place)
      index &+= V.count
    }
  }

  /// target[i] = source[2 i].
  @inline(__always)
  private static func copyEverySecond(_ target: Target, _ source: Source, _ count: Int) {
    if count <= 0 { return }
    if count <= V.count {
      let numbers = 2 &* count &- 1
      let first = min(numbers, V.count)
      let a = V.load(source, first: first)
      let b = V.load(source + first, first: numbers &- first)
      V.evens(a, b).store(target, first: count)
      return
    }
    var index = 0
    // The number behind the last one wanted is read too, and is one between others.
    while index &+ V.count < count {
      V.evens(V.load(source + 2 &* index), V.load(source + (2 &* index &+ V.count))).store(target + index)
      index &+= V.count
    }
    // One number early, so that the last one wanted is the last one read.
    let last = count &- V.count
    let position = source + (2 &* last &- 1)
    V.odds(V.load(position), V.load(position + V.count)).store(target + last)
  }

  @inline(__always)
  private static func copyEvery(_ step: Int, _ target: Target, _ source: Source, _ count: Int) {
    var index = 0
    while index < count {
      target[index] = source[index &* step]
      index &+= 1
    }
  }

  /// Places of `depth` numbers, `step` numbers apart.
  @inline(__always)
  private static func copyPlaces(_ target: Target, _ source: Source, _ count: Int, depth: Int, step: Int) {
    var place = 0
    while place < count {
      if depth == V.count {
        V.load(source + place &* step).store(target + place &* depth)
      } else {
        V.load(source + place &* step, first: depth).store(target + place &* depth, first: depth)
      }
      place &+= 1
    }
  }
}
