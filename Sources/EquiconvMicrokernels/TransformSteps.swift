// SPDX-License-Identifier: Apache-2.0
//
// transform: a table of steps, each of which runs over vectors of pixels.
//
// Steps are the outer loop: what a step is, and how its vectors lie, is decided once for all of them. What counts is the
// number of loads and stores, those of offsets included. So slots whose vectors lie one behind the other need no offsets,
// operands that share a table of offsets read it once, and steps of many operands keep in registers what smaller steps
// would store and load.

import _EquiconvShims

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
        .run { Butterflies.two($0) }
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
    case EQUICONV_STEP_ACCUMULATE.rawValue: accumulate(call, from: [step.first], to: [step.sum]) { $0 }
    case EQUICONV_STEP_ACCUMULATE_2.rawValue:
      accumulate(call, from: [step.first, step.second], to: [step.sum, step.difference]) { Butterflies.two($0) }
    case EQUICONV_STEP_HADAMARD_4.rawValue: TransformBlock<V, 4>(call, step).run { Butterflies.hadamard($0) }
    case EQUICONV_STEP_CYCLIC_4.rawValue: TransformBlock<V, 4>(call, step).run { Butterflies.cyclic($0) }
    case EQUICONV_STEP_CYCLIC_4_ADJOINT.rawValue:
      TransformBlock<V, 4>(call, step).run { Butterflies.cyclicAdjoint($0) }
    case EQUICONV_STEP_HADAMARD_8.rawValue: TransformBlock<V, 8>(call, step).run { Butterflies.hadamard($0) }
    case EQUICONV_STEP_DIHEDRAL_8.rawValue: TransformBlock<V, 8>(call, step).run { Butterflies.dihedral($0) }
    default: break
    }
  }

  @inline(__always)
  private static func one(_ step: equiconv_transform_step, _ call: equiconv_transform_call, _ map: (V) -> V) {
    TransformMap<V, 1, 1>(call, from: [step.first], to: [step.sum]).run { [map($0[unchecked: 0])] }
  }

  @inline(__always)
  private static func two(_ step: equiconv_transform_step, _ call: equiconv_transform_call, _ map: (V, V) -> V) {
    TransformMap<V, 2, 1>(call, from: [step.first, step.second], to: [step.sum])
      .run { [map($0[unchecked: 0], $0[unchecked: 1])] }
  }

  /// Adds results to what lies there. Each is stored before the next is loaded, which may overlap it.
  @inline(__always)
  private static func accumulate<let A: Int, let B: Int>(
    _ call: equiconv_transform_call, from operands: InlineArray<A, Int32>, to sums: InlineArray<B, Int32>,
    _ map: (InlineArray<A, V>) -> InlineArray<B, V>
  ) {
    let (operands, sums) = (TransformSlots<V, A>(call, operands), TransformSlots<V, B>(call, sums))
    if operands.isConsecutive && !sums.isConsecutive && sums.isShared {
      accumulate(call.vector_count, operands, sums, ConsecutivePlaces<V>.self, SharedPlaces<V>.self, map)
    } else {
      accumulate(call.vector_count, operands, sums, OwnPlaces<V>.self, OwnPlaces<V>.self, map)
    }
  }

  @inline(__always)
  private static func accumulate<P: TransformPlaces, Q: TransformPlaces, let A: Int, let B: Int>(
    _ count: Int, _ operands: TransformSlots<V, A>, _ sums: TransformSlots<V, B>, _: P.Type, _: Q.Type,
    _ map: (InlineArray<A, V>) -> InlineArray<B, V>
  ) {
    var n = 0
    while n < count {
      sums.add(map(operands.load(n, P.self)), n, Q.self)
      n &+= 1
    }
  }
}

/// Sums and differences of vectors in registers.
enum Butterflies<V: Lanes> {
  @inline(__always)
  static func two(_ x: InlineArray<2, V>) -> InlineArray<2, V> {
    [V.add(x[unchecked: 0], x[unchecked: 1]), V.subtract(x[unchecked: 0], x[unchecked: 1])]
  }

  /// A butterfly of neighbors, and then the same for all sums and for all differences.
  @inline(__always)
  static func hadamard(_ x: InlineArray<4, V>) -> InlineArray<4, V> {
    let (a, b) = (two([x[unchecked: 0], x[unchecked: 1]]), two([x[unchecked: 2], x[unchecked: 3]]))
    let sums = two([a[unchecked: 0], b[unchecked: 0]])
    let differences = two([a[unchecked: 1], b[unchecked: 1]])
    return [sums[unchecked: 0], sums[unchecked: 1], differences[unchecked: 0], differences[unchecked: 1]]
  }

  @inline(__always)
  static func cyclic(_ x: InlineArray<4, V>) -> InlineArray<4, V> {
    let (a, b) = (two([x[unchecked: 0], x[unchecked: 1]]), two([x[unchecked: 2], x[unchecked: 3]]))
    let sums = two([a[unchecked: 0], b[unchecked: 0]])
    return [sums[unchecked: 0], sums[unchecked: 1], a[unchecked: 1], b[unchecked: 1]]
  }

  @inline(__always)
  static func cyclicAdjoint(_ x: InlineArray<4, V>) -> InlineArray<4, V> {
    let a = two([x[unchecked: 0], x[unchecked: 1]])
    let (b, c) = (two([a[unchecked: 0], x[unchecked: 2]]), two([a[unchecked: 1], x[unchecked: 3]]))
    return [b[unchecked: 0], b[unchecked: 1], c[unchecked: 0], c[unchecked: 1]]
  }

  @inline(__always)
  static func hadamard(_ x: InlineArray<8, V>) -> InlineArray<8, V> {
    let (sums, differences) = neighbors(x)
    return join(hadamard(sums), hadamard(differences))
  }

  @inline(__always)
  static func dihedral(_ x: InlineArray<8, V>) -> InlineArray<8, V> {
    let (sums, d) = neighbors(x)
    let (a, b) = (two([d[unchecked: 0], d[unchecked: 1]]), two([d[unchecked: 2], d[unchecked: 3]]))
    return join(hadamard(sums), [a[unchecked: 0], a[unchecked: 1], b[unchecked: 0], b[unchecked: 1]])
  }

  @inline(__always)
  private static func neighbors(
    _ x: InlineArray<8, V>
  ) -> (sums: InlineArray<4, V>, differences: InlineArray<4, V>) {
    (
      InlineArray { V.add(x[unchecked: 2 &* $0], x[unchecked: 2 &* $0 &+ 1]) },
      InlineArray { V.subtract(x[unchecked: 2 &* $0], x[unchecked: 2 &* $0 &+ 1]) }
    )
  }

  @inline(__always)
  private static func join(_ a: InlineArray<4, V>, _ b: InlineArray<4, V>) -> InlineArray<8, V> {
    InlineArray { $0 < 4 ? a[unchecked: $0] : b[unchecked: $0 &- 4] }
  }
}
