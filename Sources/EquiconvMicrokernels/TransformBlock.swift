// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// A map of A vectors, applied to the n-th vectors of A consecutive slots, for all n.
///
/// There are more slots than registers for addresses, so these are read again and again: for two vectors at a time.
struct TransformBlock<V: Lanes, let A: Int> {
  private let operands: UnsafePointer<equiconv_transform_slot>
  private let results: UnsafePointer<equiconv_transform_slot>
  private let count: Int

  @inline(__always)
  init(_ call: equiconv_transform_call, _ step: equiconv_transform_step) {
    operands = call.slots + Int(step.first)
    results = call.slots + Int(step.sum)
    count = call.vector_count
  }

  @inline(__always)
  func run(_ map: (InlineArray<A, V>) -> InlineArray<A, V>) {
    switch (operands.pointee.offsets, results.pointee.offsets) {
    case (nil, nil): run(map, ConsecutivePlaces<V>.self, ConsecutivePlaces<V>.self)
    case (_, nil): run(map, SharedPlaces<V>.self, ConsecutivePlaces<V>.self)
    case (nil, _): run(map, ConsecutivePlaces<V>.self, SharedPlaces<V>.self)
    case (_, _): run(map, SharedPlaces<V>.self, SharedPlaces<V>.self)
    }
  }

  @inline(__always)
  private func run<P: TransformPlaces, Q: TransformPlaces>(
    _ map: (InlineArray<A, V>) -> InlineArray<A, V>, _: P.Type, _: Q.Type
  ) {
    var n = 0
    while n &+ 2 <= count {
      apply(map, n, P.self, Q.self, vectors: InlineArray<2, Void>(repeating: ()))
      n &+= 2
    }
    if n < count { apply(map, n, P.self, Q.self, vectors: InlineArray<1, Void>(repeating: ())) }
  }

  @inline(__always)
  private func apply<P: TransformPlaces, Q: TransformPlaces, let N: Int>(
    _ map: (InlineArray<A, V>) -> InlineArray<A, V>, _ first: Int, _: P.Type, _: Q.Type, vectors: InlineArray<N, Void>
  ) {
    let sources = InlineArray<N, Int> { P.common(operands.pointee.offsets, first &+ $0) }
    let targets = InlineArray<N, Int> { Q.common(results.pointee.offsets, first &+ $0) }
    var x = InlineArray<N, InlineArray<A, V>>(repeating: InlineArray(repeating: .zero))
    var a = 0
    while a < A {
      let base = operands[a].base.assumingMemoryBound(to: V.Scalar.self)
      var n = 0
      while n < N {
        x[unchecked: n][unchecked: a] = V.load(base + sources[unchecked: n])
        n &+= 1
      }
      a &+= 1
    }
    var n = 0
    while n < N {
      x[unchecked: n] = map(x[unchecked: n])
      n &+= 1
    }
    a = 0
    while a < A {
      let base = results[a].base.assumingMemoryBound(to: V.Scalar.self)
      n = 0
      while n < N {
        x[unchecked: n][unchecked: a].store(base + targets[unchecked: n])
        n &+= 1
      }
      a &+= 1
    }
  }
}
