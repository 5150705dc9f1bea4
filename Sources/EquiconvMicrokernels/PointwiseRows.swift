// SPDX-License-Identifier: Apache-2.0
//
// pointwise: rows of numbers, each combined with another if asked for, and each replaced by a function of itself.
//
// A row that is no whole number of vectors ends with one that begins early. It is computed before anything is written, for
// the target may be the source. So every number goes through the same instructions, wherever it lies.

import _EquiconvShims

enum PointwiseRows<V: Lanes> {
  typealias Source = UnsafePointer<V.Scalar>
  typealias Target = UnsafeMutablePointer<V.Scalar>
  private typealias F = PointwiseFunctions<V>

  @inline(__always)
  static func run(_ call: equiconv_pointwise_call) {
    var source = call.source.assumingMemoryBound(to: V.Scalar.self)
    var target = call.target.assumingMemoryBound(to: V.Scalar.self)
    var other = (call.other ?? call.source).assumingMemoryBound(to: V.Scalar.self)
    let isCombined = call.combination.rawValue != EQUICONV_COMBINE_NONE.rawValue
    let isMapped = call.function.rawValue != EQUICONV_POINTWISE_IDENTITY.rawValue
    var row = 0
    while row < call.row_count {
      if isCombined { combine(call, source, other, target) }
      if isMapped || !isCombined { map(call, isCombined ? Source(target) : source, target) }
      source += call.source_row_stride
      other += call.other_row_stride
      target += call.target_row_stride
      row &+= 1
    }
  }

  @inline(__always)
  private static func combine(_ call: equiconv_pointwise_call, _ source: Source, _ other: Source, _ target: Target) {
    let count = call.column_count
    switch call.combination.rawValue {
    case EQUICONV_COMBINE_ADD.rawValue: combine(source, other, target, count) { V.add($0, $1) }
    case EQUICONV_COMBINE_SUBTRACT.rawValue: combine(source, other, target, count) { V.subtract($0, $1) }
    case EQUICONV_COMBINE_DIVIDE.rawValue: combine(source, other, target, count) { V.divide($0, $1) }
    case EQUICONV_COMBINE_LARGEST.rawValue: combine(source, other, target, count) { V.largest($0, $1) }
    default: break
    }
  }

  @inline(__always)
  private static func map(_ call: equiconv_pointwise_call, _ source: Source, _ target: Target) {
    let count = call.column_count
    let (p, q) = (V.splat(call.p), V.splat(call.q))
    switch call.function.rawValue {
    case EQUICONV_POINTWISE_IDENTITY.rawValue: map(source, target, count) { $0 }
    case EQUICONV_POINTWISE_AFFINE.rawValue: map(source, target, count) { V.multiplyAdd(p, $0, q) }
    case EQUICONV_POINTWISE_RELU.rawValue: map(source, target, count) { F.relu($0) }
    case EQUICONV_POINTWISE_LEAKY_RELU.rawValue: map(source, target, count) { F.leakyRelu($0, slope: p) }
    case EQUICONV_POINTWISE_ELU.rawValue: map(source, target, count) { F.elu($0, alpha: p) }
    case EQUICONV_POINTWISE_GELU.rawValue: map(source, target, count) { F.gelu($0) }
    case EQUICONV_POINTWISE_GELU_TANH.rawValue: map(source, target, count) { F.geluTanh($0) }
    case EQUICONV_POINTWISE_SILU.rawValue: map(source, target, count) { F.silu($0) }
    case EQUICONV_POINTWISE_SIGMOID.rawValue: map(source, target, count) { F.sigmoid($0) }
    case EQUICONV_POINTWISE_TANH.rawValue: map(source, target, count) { F.tanh($0) }
    case EQUICONV_POINTWISE_EXPONENTIAL.rawValue: map(source, target, count) { F.exponential($0) }
    default: break
    }
  }

  @inline(__always)
  private static func map(_ source: Source, _ target: Target, _ count: Int, _ f: (V) -> V) {
    if count < V.count { return f(V.load(source, first: count)).store(target, first: count) }
    let last = count &- V.count
    let end = f(V.load(source + last))
    var index = 0
    while index < last {
      f(V.load(source + index)).store(target + index)
      index &+= V.count
    }
    end.store(target + last)
  }

  @inline(__always)
  private static func combine(
    _ source: Source, _ other: Source, _ target: Target, _ count: Int, _ f: (V, V) -> V
  ) {
    if count < V.count {
      return f(V.load(source, first: count), V.load(other, first: count)).store(target, first: count)
    }
    let last = count &- V.count
    let end = f(V.load(source + last), V.load(other + last))
    var index = 0
    while index < last {
      f(V.load(source + index), V.load(other + index)).store(target + index)
      index &+= V.count
    }
    end.store(target + last)
  }
}
