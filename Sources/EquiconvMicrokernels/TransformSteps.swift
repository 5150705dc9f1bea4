// SPDX-License-Identifier: Apache-2.0
//
// transform: a table of steps, each of which runs over vectors of pixels.
//
// Steps are the outer loop: what a step is gets decided once for all its vectors. Several vectors are loaded before one
// is stored, since the compiler cannot know that a store changes no operand that is read later.

import _EquiconvShims

/// A map from A vectors to B others, applied to the n-th vectors of as many slots, for all n.
struct TransformMap<V: Lanes, let A: Int, let B: Int> {
  struct Slot {
    let base: UnsafeMutablePointer<V.Scalar>
    let offsets: UnsafePointer<Int>

    @inline(__always)
    init(_ call: equiconv_transform_call, _ index: Int32) {
      let slot = call.slots[Int(index)]
      base = slot.base.assumingMemoryBound(to: V.Scalar.self)
      offsets = slot.offsets
    }

    @inline(__always)
    subscript(n: Int) -> UnsafeMutablePointer<V.Scalar> { base + offsets[n] }
  }

  let operands: InlineArray<A, Slot>
  let results: InlineArray<B, Slot>
  let count: Int

  @inline(__always)
  init(_ call: equiconv_transform_call, from operands: InlineArray<A, Int32>, to results: InlineArray<B, Int32>) {
    self.operands = InlineArray { Slot(call, operands[unchecked: $0]) }
    self.results = InlineArray { Slot(call, results[unchecked: $0]) }
    count = call.vector_count
  }

  /// N vectors at a time, then those that are left.
  @inline(__always)
  func run<let N: Int>(_: InlineArray<N, Void>, _ map: (InlineArray<A, V>) -> InlineArray<B, V>) {
    var n = 0
    while n &+ N <= count {
      apply(n, InlineArray<N, Void>(repeating: ()), map)
      n &+= N
    }
    while n < count {
      apply(n, InlineArray<1, Void>(repeating: ()), map)
      n &+= 1
    }
  }

  @inline(__always)
  private func apply<let N: Int>(
    _ first: Int, _: InlineArray<N, Void>, _ map: (InlineArray<A, V>) -> InlineArray<B, V>
  ) {
    var x = InlineArray<N, InlineArray<A, V>>(repeating: InlineArray(repeating: .zero))
    var a = 0
    while a < A {
      var n = 0
      while n < N {
        x[unchecked: n][unchecked: a] = V.load(operands[unchecked: a][first &+ n])
        n &+= 1
      }
      a &+= 1
    }
    var n = 0
    while n < N {
      let y = map(x[unchecked: n])
      var b = 0
      while b < B {
        y[unchecked: b].store(results[unchecked: b][first &+ n])
        b &+= 1
      }
      n &+= 1
    }
  }
}

enum TransformSteps<V: Lanes> {
  @inline(__always)
  static func run(_ call: equiconv_transform_call) {
    var s = 0
    while s < call.step_count {
      run(call.steps[s], call)
      s &+= 1
    }
  }

  @inline(__always)
  private static func run(_ step: equiconv_transform_step, _ call: equiconv_transform_call) {
    switch step.operation.rawValue {
    case EQUICONV_STEP_BUTTERFLY.rawValue:
      TransformMap<V, 2, 2>(call, from: [step.first, step.second], to: [step.sum, step.difference])
        .run(four) { [V.add($0[unchecked: 0], $0[unchecked: 1]), V.subtract($0[unchecked: 0], $0[unchecked: 1])] }
    case EQUICONV_STEP_ADD.rawValue: two(step, call) { V.add($0, $1) }
    case EQUICONV_STEP_SUBTRACT.rawValue: two(step, call) { V.subtract($0, $1) }
    case EQUICONV_STEP_COPY.rawValue: one(step, call) { $0 }
    case EQUICONV_STEP_NEGATE.rawValue: one(step, call) { V.negate($0) }
    case EQUICONV_STEP_SCALE.rawValue:
      let coefficient = V.splat(step.coefficient)
      one(step, call) { V.multiply(coefficient, $0) }
    case EQUICONV_STEP_MULTIPLY_ADD.rawValue:
      let coefficient = V.splat(step.coefficient)
      two(step, call) { V.multiplyAdd(coefficient, $1, $0) }
    default: break
    }
  }

  @inline(__always)
  private static func one(_ step: equiconv_transform_step, _ call: equiconv_transform_call, _ map: (V) -> V) {
    TransformMap<V, 1, 1>(call, from: [step.first], to: [step.sum]).run(four) { [map($0[unchecked: 0])] }
  }

  @inline(__always)
  private static func two(_ step: equiconv_transform_step, _ call: equiconv_transform_call, _ map: (V, V) -> V) {
    TransformMap<V, 2, 1>(call, from: [step.first, step.second], to: [step.sum])
      .run(four) { [map($0[unchecked: 0], $0[unchecked: 1])] }
  }

  /// How many vectors a step of few operands takes at a time.
  @inline(__always) private static var four: InlineArray<4, Void> { InlineArray(repeating: ()) }
}
