// SPDX-License-Identifier: Apache-2.0

import EquiconvBases
import EquiconvEngine
import EquiconvGroups

extension NetworkGraph {
  /// The geometry of the first output; nil if it has no spatial axes, or depends on all pixels by a mean over space.
  public var geometry: NetworkDocument.Geometry? {
    let dimension = types[0].dimension
    var values: [[AxisGeometry]?] = [[AxisGeometry](repeating: AxisGeometry(), count: dimension)]
    var kernels = SampledKernels()
    for (number, rule) in rules.enumerated() {
      values.append(after(rule, inputs[number].map { values[$0] }, &kernels))
    }
    guard let first = outputs.first, types[first].dimension > 0, let axes = values[first] else { return nil }
    var field: [Int] = []
    for axis in axes {
      guard let pixels = axis.field.roundedUp else { return nil }
      field.append(pixels)
    }
    return NetworkDocument.Geometry(stride: axes.map(\.stride.value), receptiveField: field)
  }

  private func after(
    _ rule: ExtentRule, _ read: [[AxisGeometry]?], _ kernels: inout SampledKernels
  ) -> [AxisGeometry]? {
    if case .none = rule { return nil }
    var merged: [AxisGeometry]?
    for axes in read {
      guard let axes else { return nil }
      merged = merged.map { zip($0, axes).map { $0.joined(with: $1) } } ?? axes
    }
    guard let merged, let rule = kernels.sampled(rule) else { return nil }
    var result: [AxisGeometry] = []
    for (axis, before) in merged.enumerated() {
      guard let window = rule.window(axis), let next = before.after(window) else { return nil }
      result.append(next)
    }
    return result
  }
}

/// What an operation reads along one axis: so many places, and from one output to the next a fraction of a place.
struct AxisWindow {
  var reach: Int
  var step = Fraction(1)
}

extension ExtentRule {
  /// What one output reads, of layers with the kernel on the grid that all elements sample it on. Nil where sizes overflow.
  func window(_ axis: Int) -> AxisWindow? {
    switch self {
    case .same: AxisWindow(reach: 1)
    case .none: nil
    case .layer(let layer, let kernel):
      (try? layer.reach(axis, kernel: kernel[axis])).map {
        AxisWindow(reach: $0, step: Fraction(layer.stride[axis]))
      }
    case .adjoint(let layer, let kernel, _):
      (try? layer.reach(axis, kernel: kernel[axis])).map {
        let stride = layer.stride[axis]
        return AxisWindow(reach: ($0 - 1) / stride + 1, step: Fraction(1, over: stride))
      }
    case .windows(let kernel, let stride, _): AxisWindow(reach: kernel[axis], step: Fraction(stride[axis]))
    case .enlarged(let factors, let reach): AxisWindow(reach: reach, step: Fraction(1, over: factors[axis]))
    }
  }
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

  /// The rule with the kernel on its grid; nil where sizes overflow.
  mutating func sampled(_ rule: ExtentRule) -> ExtentRule? {
    switch rule {
    case .layer(let layer, let kernel): extents(layer, kernel).map { .layer(layer, kernel: $0) }
    case .adjoint(let layer, let kernel, let outputPadding):
      extents(layer, kernel).map { .adjoint(layer, kernel: $0, outputPadding: outputPadding) }
    case .same, .none, .windows, .enlarged: rule
    }
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

/// The geometry of a value along one axis, in pixels of the input.
private struct AxisGeometry {
  var stride = Fraction(1)
  var field = Fraction(1)

  /// Of a value that is read beside another.
  func joined(with other: AxisGeometry) -> AxisGeometry {
    AxisGeometry(
      stride: stride.value < other.stride.value ? other.stride : stride,
      field: field.value < other.field.value ? other.field : field)
  }

  /// After an operation with this window; nil where sizes overflow.
  func after(_ window: AxisWindow) -> AxisGeometry? {
    guard let widened = stride.times(Fraction(window.reach - 1)), let field = field.plus(widened),
      let stride = stride.times(window.step)
    else { return nil }
    return AxisGeometry(stride: stride, field: field)
  }
}

/// A fraction of two integers, in lowest terms; the lower one is positive.
struct Fraction {
  let upper: Int
  let lower: Int

  init(_ upper: Int, over lower: Int = 1) {
    var (a, b) = (abs(upper), lower)
    while b != 0 { (a, b) = (b, a % b) }
    self.upper = upper / max(a, 1)
    self.lower = lower / max(a, 1)
  }

  var value: Double { Double(upper) / Double(lower) }

  /// The least integer that is not below it.
  var roundedUp: Int? {
    let (sum, overflow) = upper.addingReportingOverflow(lower - 1)
    return overflow ? nil : sum / lower
  }

  func times(_ other: Fraction) -> Fraction? {
    let (a, overflowA) = upper.multipliedReportingOverflow(by: other.upper)
    let (b, overflowB) = lower.multipliedReportingOverflow(by: other.lower)
    return overflowA || overflowB ? nil : Fraction(a, over: b)
  }

  func plus(_ other: Fraction) -> Fraction? {
    let (a, overflowA) = upper.multipliedReportingOverflow(by: other.lower)
    let (b, overflowB) = other.upper.multipliedReportingOverflow(by: lower)
    let (sum, overflowC) = a.addingReportingOverflow(b)
    let (below, overflowD) = lower.multipliedReportingOverflow(by: other.lower)
    return overflowA || overflowB || overflowC || overflowD ? nil : Fraction(sum, over: below)
  }
}
