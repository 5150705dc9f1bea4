// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups

extension NetworkGraph {
  /// The geometry of the first output; nil if it has no spatial axes, depends on all pixels by a mean over space, or
  /// has more places per period than are followed.
  public var geometry: NetworkDocument.Geometry? {
    guard let first = outputs.first, types[first].dimension > 0 else { return nil }
    var (stride, field): ([Double?], [Int?]) = ([], [])
    for axis in 0..<types[first].dimension {
      guard let along = AxisGeometry(self, of: first, axis) else { return nil }
      stride.append(along.stride)
      field.append(along.field)
    }
    return NetworkDocument.Geometry(stride: stride, receptiveField: field)
  }
}

/// What the places of a value depend on along one axis, in pixels of the input.
///
/// With y[j] a function of the pixels low(j) to high(j) - 1, far from the edges: the field is the largest high(j) −
/// low(j) of all places of a period. Intervals follow from the operations, from the output to the input, in integers:
/// the sum of what each operation adds, in fractions of pixels, would be wrong behind operations that enlarge.
private struct AxisGeometry {
  /// Pixels from one place to the next.
  let stride: Double
  let field: Int

  /// Places of a period times operations.
  private static let most = 1 << 22

  /// Nil where what is read is not a bounded part of the signal, where sizes overflow, or there is too much to follow.
  init?(_ graph: NetworkGraph, of value: Int, _ axis: Int) {
    guard let (reads, strides) = Self.operations(graph, before: value, axis) else { return nil }
    var period = 1
    for stride in strides.compactMap({ $0 }) {
      guard let common = Fraction.leastCommonMultiple(period, stride.upper) else { return nil }
      period = common
    }
    guard let own = strides[value], let places = own.inverse.times(Fraction(period))?.upper,
      places <= Self.most / max(1, reads.count)
    else { return nil }
    var field = 0
    for place in 0..<places {
      guard let pixels = Self.pixels(graph, reads, of: value, place) else { return nil }
      field = max(field, pixels.end - pixels.begin)
    }
    (self.stride, self.field) = (own.value, field)
  }

  /// What each operation that the value depends on reads, by its number, and the strides of these values.
  private static func operations(
    _ graph: NetworkGraph, before value: Int, _ axis: Int
  ) -> (reads: [AxisReads?], strides: [Fraction?])? {
    var isUsed = [Bool](repeating: false, count: graph.rules.count + 1)
    isUsed[value] = true
    for number in graph.rules.indices.reversed() where isUsed[number + 1] {
      for input in graph.inputs[number] { isUsed[input] = true }
    }
    var reads: [AxisReads?] = []
    var strides: [Fraction?] = [Fraction(1)]
    var kernels = SampledKernels()
    for (number, rule) in graph.rules.enumerated() {
      reads.append(nil)
      strides.append(nil)
      guard isUsed[number + 1] else { continue }
      guard let axisReads = kernels.reads(rule, axis), let read = strides[graph.inputs[number][0]],
        let stride = read.times(axisReads.step)
      else { return nil }
      reads[number] = axisReads
      strides[number + 1] = stride
    }
    return (reads, strides)
  }

  /// The pixels that a place of the value depends on.
  private static func pixels(
    _ graph: NetworkGraph, _ reads: [AxisReads?], of value: Int, _ place: Int
  ) -> AxisReads.Interval? {
    var needed = [AxisReads.Interval?](repeating: nil, count: reads.count + 1)
    needed[value] = (place, place + 1)
    for number in reads.indices.reversed() {
      guard let written = needed[number + 1], let operation = reads[number] else { continue }
      guard let read = operation.interval(written) else { return nil }
      for input in graph.inputs[number] {
        let known = needed[input] ?? read
        needed[input] = (min(known.begin, read.begin), max(known.end, read.end))
      }
    }
    return needed[0]
  }
}

/// What an operation reads along one axis, of a signal without ends.
private enum AxisReads {
  typealias Interval = (begin: Int, end: Int)

  /// y[j] of the places from j · stride − padding on, `reach` of them.
  case window(stride: Int, padding: Int, reach: Int)
  /// The adjoint of such windows.
  case adjoint(stride: Int, padding: Int, reach: Int)
  /// Each place so many times.
  case repeated(Int)
  /// y[j] at (j + 1/2) / factor − 1/2, from the places on both sides.
  case interpolated(Int)

  /// Places read from one that is written to the next.
  var step: Fraction {
    switch self {
    case .window(let stride, _, _): Fraction(stride)
    case .adjoint(let stride, _, _): Fraction(1, over: stride)
    case .repeated(let factor), .interpolated(let factor): Fraction(1, over: factor)
    }
  }

  /// What the places written depend on; nil where sizes overflow.
  func interval(_ written: Interval) -> Interval? {
    let (begin, end) = written
    switch self {
    case .window(let stride, let padding, let reach):
      guard let first = Self.times(begin, stride), let last = Self.times(end - 1, stride) else { return nil }
      return (first - padding, last - padding + reach)
    case .adjoint(let stride, let padding, let reach):
      let last = Self.quotient(end - 1 + padding, stride)
      // Where a stride is longer than the kernel, some places depend on nothing.
      return (min(last, -Self.quotient(reach - 1 - begin - padding, stride)), last + 1)
    case .repeated(let factor): return (Self.quotient(begin, factor), Self.quotient(end - 1, factor) + 1)
    case .interpolated(let factor):
      let last = 2 * end - 1 - factor
      let place = Self.quotient(last, 2 * factor)
      return (Self.quotient(2 * begin + 1 - factor, 2 * factor), place + (last == place * 2 * factor ? 1 : 2))
    }
  }

  /// Nil for a product that is no size of a signal.
  private static func times(_ place: Int, _ stride: Int) -> Int? {
    let (product, overflow) = place.multipliedReportingOverflow(by: stride)
    return overflow || abs(product) > ExtentRule.largest ? nil : product
  }

  /// Rounded down.
  private static func quotient(_ a: Int, _ b: Int) -> Int { (a - (a % b + b) % b) / b }
}

/// The extents of the grids that elements sample kernels on, each found once: the largest scale of a group's elements
/// takes long.
private struct SampledKernels {
  private struct Key: Hashable {
    let group: PointGroup
    let kernel: Extents
    let basis: KernelBasis?
    let interpolation: Interpolation
  }

  private var known: [Key: Extents] = [:]

  /// What an operation reads, of layers with the kernel on the grid that all elements sample it on. Nil where sizes
  /// overflow, and for operations that leave no axes of space.
  mutating func reads(_ rule: ExtentRule, _ axis: Int) -> AxisReads? {
    switch rule {
    case .same: return .repeated(1)
    case .none: return nil
    case .layer(let layer, let kernel):
      return window(layer, kernel, axis).map {
        .window(stride: layer.stride[axis], padding: $0.padding, reach: $0.reach)
      }
    case .adjoint(let layer, let kernel, _):
      return window(layer, kernel, axis).map {
        .adjoint(stride: layer.stride[axis], padding: $0.padding, reach: $0.reach)
      }
    case .windows(let kernel, let stride, let padding):
      return .window(stride: stride[axis], padding: padding[axis], reach: kernel[axis])
    case .enlarged(let factors, let reach):
      return reach == 1 ? .repeated(factors[axis]) : .interpolated(factors[axis])
    }
  }

  /// The padding and the reach of a kernel as it is sampled: about the center that it has as it was given.
  private mutating func window(_ layer: Layer, _ kernel: Extents, _ axis: Int) -> (padding: Int, reach: Int)? {
    guard let sampled = extents(layer, kernel), let padding = try? layer.paddingAmount(axis, kernel: kernel[axis]),
      let own = try? layer.reach(axis, kernel: kernel[axis]),
      let reach = try? layer.reach(axis, kernel: sampled[axis]),
      max(padding, reach, layer.stride[axis]) <= ExtentRule.largest
    else { return nil }
    return (padding + (reach - own) / 2, reach)
  }

  private mutating func extents(_ layer: Layer, _ kernel: Extents) -> Extents? {
    let key = Key(group: layer.group, kernel: kernel, basis: layer.basis, interpolation: layer.interpolation)
    if let extents = known[key] { return extents }
    let descriptor = ConvolutionDescriptor(
      layer: layer, inChannels: 1, outChannels: 1, spatial: kernel, kernel: kernel)
    guard let extents = try? descriptor.sampledExtents() else { return nil }
    known[key] = extents
    return extents
  }
}

/// A fraction of two integers, in lowest terms; the lower one is positive.
private struct Fraction {
  let upper: Int
  let lower: Int

  init(_ upper: Int, over lower: Int = 1) {
    var (a, b) = (abs(upper), lower)
    while b != 0 { (a, b) = (b, a % b) }
    self.upper = upper / max(a, 1)
    self.lower = lower / max(a, 1)
  }

  var value: Double { Double(upper) / Double(lower) }

  /// Of a positive fraction.
  var inverse: Fraction { Fraction(lower, over: upper) }

  func times(_ other: Fraction) -> Fraction? {
    let (a, overflowA) = upper.multipliedReportingOverflow(by: other.upper)
    let (b, overflowB) = lower.multipliedReportingOverflow(by: other.lower)
    return overflowA || overflowB ? nil : Fraction(a, over: b)
  }

  /// Of two positive integers; nil where it overflows.
  static func leastCommonMultiple(_ a: Int, _ b: Int) -> Int? {
    let (multiple, overflow) = a.multipliedReportingOverflow(by: Fraction(b, over: a).upper)
    return overflow ? nil : multiple
  }
}
