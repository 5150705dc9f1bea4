// SPDX-License-Identifier: Apache-2.0
//
// orbitSum: the sum of a signal over an orbit of reads, in an order that only depends on the values.
//
// H permutes the reads of an orbit, and with them the nested blocks of its tower (cosets of a chain of subgroups). A
// sum of two is commutative to the last bit; a sum of more is made so by sorting first. So the sum is the same number
// wherever in the orbit one starts.

import _EquiconvShims

struct OrbitSum<V: Lanes> {
  /// The largest orbit is that of the full octahedral group, 48.
  typealias Partial = InlineArray<48, V>

  @inline(__always)
  static func run(_ call: equiconv_orbit_sum_call) {
    var binary = 0
    var total = 1
    var level = 0
    while level < call.radix_count {
      if binary == level && binary < 3 && call.radices[level] == 2 { binary &+= 1 }
      total &*= call.radices[level]
      level &+= 1
    }
    let destination = call.destination.assumingMemoryBound(to: V.Scalar.self)
    var partial = Partial(repeating: .zero)
    var v = 0
    while v < call.vector_count {
      let source = call.source.assumingMemoryBound(to: V.Scalar.self) + call.source_offsets[v]
      let sum: V
      if binary == call.radix_count {
        sum = block(source, call.offsets, binary)
      } else {
        var i = 0
        while i < total >> binary {
          partial[unchecked: i] = block(source, call.offsets + i << binary, binary)
          i &+= 1
        }
        sum = outerLevels(&partial, call, from: binary, count: total >> binary)
      }
      sum.store(destination + v &* V.count)
      v &+= 1
    }
  }

  /// The innermost 2^levels reads, summed as a binary tree.
  @inline(__always)
  private static func block(_ source: UnsafePointer<V.Scalar>, _ offsets: UnsafePointer<Int>, _ levels: Int) -> V {
    switch levels {
    case 0: V.load(source + offsets[0])
    case 1: two(source, offsets)
    case 2: V.add(two(source, offsets), two(source, offsets + 2))
    default:
      V.add(
        V.add(two(source, offsets), two(source, offsets + 2)),
        V.add(two(source, offsets + 4), two(source, offsets + 6)))
    }
  }

  @inline(__always)
  private static func two(_ source: UnsafePointer<V.Scalar>, _ offsets: UnsafePointer<Int>) -> V {
    V.add(V.load(source + offsets[0]), V.load(source + offsets[1]))
  }

  @inline(__always)
  private static func outerLevels(
    _ partial: inout Partial, _ call: equiconv_orbit_sum_call, from first: Int, count: Int
  ) -> V {
    var remaining = count
    var level = first
    while level < call.radix_count {
      let radix = call.radices[level]
      remaining /= radix
      var i = 0
      while i < remaining {
        partial[unchecked: i] = sortedSum(&partial, at: i &* radix, count: radix)
        i &+= 1
      }
      level &+= 1
    }
    return partial[unchecked: 0]
  }

  /// Sum in ascending order: sorts in place by odd–even transposition, then adds.
  @inline(__always)
  private static func sortedSum(_ partial: inout Partial, at start: Int, count: Int) -> V {
    if count == 2 { return V.add(partial[unchecked: start], partial[unchecked: start &+ 1]) }
    var round = 0
    while round < count {
      var i = round & 1
      while i &+ 1 < count {
        var a = partial[unchecked: start &+ i]
        var b = partial[unchecked: start &+ i &+ 1]
        V.sort(&a, &b)
        partial[unchecked: start &+ i] = a
        partial[unchecked: start &+ i &+ 1] = b
        i &+= 2
      }
      round &+= 1
    }
    var sum = partial[unchecked: start]
    var i = 1
    while i < count {
      sum = V.add(sum, partial[unchecked: start &+ i])
      i &+= 1
    }
    return sum
  }
}
