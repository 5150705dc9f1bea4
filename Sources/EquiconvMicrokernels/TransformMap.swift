// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// A map from A vectors to B others, applied to the n-th vectors of as many slots, for all n. A and B are small: what is
/// known of the slots stays in registers.
struct TransformMap<V: Lanes, let A: Int, let B: Int> {
  let operands: TransformSlots<V, A>
  let results: TransformSlots<V, B>
  let count: Int

  @inline(__always)
  init(_ call: equiconv_transform_call, from operands: InlineArray<A, Int32>, to results: InlineArray<B, Int32>) {
    self.operands = TransformSlots(call, operands)
    self.results = TransformSlots(call, results)
    count = call.vector_count
  }

  /// The ways in which slots of transforms and of their inverses lie have a loop of their own.
  @inline(__always)
  func run(_ map: (InlineArray<A, V>) -> InlineArray<B, V>) {
    if results.isConsecutive {
      if operands.isConsecutive {
        run(map, ConsecutivePlaces<V>.self, ConsecutivePlaces<V>.self)
        return
      }
      if operands.isShared {
        run(map, SharedPlaces<V>.self, ConsecutivePlaces<V>.self)
        return
      }
    }
    if operands.isConsecutive && results.isShared {
      run(map, ConsecutivePlaces<V>.self, SharedPlaces<V>.self)
    } else {
      run(map, OwnPlaces<V>.self, OwnPlaces<V>.self)
    }
  }

  @inline(__always)
  private func run<P: TransformPlaces, Q: TransformPlaces>(
    _ map: (InlineArray<A, V>) -> InlineArray<B, V>, _: P.Type, _: Q.Type
  ) {
    var n = 0
    while n < count {
      results.store(map(operands.load(n, P.self)), n, Q.self)
      n &+= 1
    }
  }
}

/// The slots of N operands or results.
struct TransformSlots<V: Lanes, let N: Int> {
  let bases: InlineArray<N, UnsafeMutablePointer<V.Scalar>>
  let offsets: InlineArray<N, UnsafePointer<Int>?>

  @inline(__always)
  init(_ call: equiconv_transform_call, _ slots: InlineArray<N, Int32>) {
    bases = InlineArray { call.slots[Int(slots[unchecked: $0])].base.assumingMemoryBound(to: V.Scalar.self) }
    offsets = InlineArray { call.slots[Int(slots[unchecked: $0])].offsets }
  }

  /// Whether all slots have the same table of offsets.
  @inline(__always)
  var isShared: Bool {
    var isShared = true
    var i = 1
    while i < N {
      isShared = isShared && offsets[unchecked: i] == offsets[unchecked: 0]
      i &+= 1
    }
    return isShared
  }

  @inline(__always)
  var isConsecutive: Bool { offsets[unchecked: 0] == nil && isShared }

  @inline(__always)
  func load<P: TransformPlaces>(_ n: Int, _: P.Type) -> InlineArray<N, V> {
    let common = P.common(offsets[unchecked: 0], n)
    return InlineArray { V.load(bases[unchecked: $0] + P.place(common, offsets[unchecked: $0], n)) }
  }

  @inline(__always)
  func store<P: TransformPlaces>(_ x: InlineArray<N, V>, _ n: Int, _: P.Type) {
    let common = P.common(offsets[unchecked: 0], n)
    var i = 0
    while i < N {
      x[unchecked: i].store(bases[unchecked: i] + P.place(common, offsets[unchecked: i], n))
      i &+= 1
    }
  }

  /// One after the other: they may overlap.
  @inline(__always)
  func add<P: TransformPlaces>(_ x: InlineArray<N, V>, _ n: Int, _: P.Type) {
    let common = P.common(offsets[unchecked: 0], n)
    var i = 0
    while i < N {
      let place = bases[unchecked: i] + P.place(common, offsets[unchecked: i], n)
      V.add(V.load(place), x[unchecked: i]).store(place)
      i &+= 1
    }
  }
}

/// Where the n-th vectors of slots lie: what they have in common, then the place in one of them.
protocol TransformPlaces {
  static func common(_ offsets: UnsafePointer<Int>?, _ n: Int) -> Int
  static func place(_ common: Int, _ offsets: UnsafePointer<Int>?, _ n: Int) -> Int
}

/// One behind the other in all slots.
enum ConsecutivePlaces<V: Lanes>: TransformPlaces {
  @inline(__always) static func common(_ offsets: UnsafePointer<Int>?, _ n: Int) -> Int { n &* V.count }
  @inline(__always) static func place(_ common: Int, _ offsets: UnsafePointer<Int>?, _ n: Int) -> Int { common }
}

/// At the same offsets in all slots.
enum SharedPlaces<V: Lanes>: TransformPlaces {
  @inline(__always) static func common(_ offsets: UnsafePointer<Int>?, _ n: Int) -> Int {
    offsets.unsafelyUnwrapped[n]
  }
  @inline(__always) static func place(_ common: Int, _ offsets: UnsafePointer<Int>?, _ n: Int) -> Int { common }
}

/// Each slot in its own way.
enum OwnPlaces<V: Lanes>: TransformPlaces {
  @inline(__always) static func common(_ offsets: UnsafePointer<Int>?, _ n: Int) -> Int { n &* V.count }
  @inline(__always) static func place(_ common: Int, _ offsets: UnsafePointer<Int>?, _ n: Int) -> Int {
    if let offsets { offsets[n] } else { common }
  }
}
