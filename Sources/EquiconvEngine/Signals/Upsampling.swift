// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvMemory

/// Signals on finer grids.
public enum Upsampling {
  public enum Mode: Hashable, Sendable {
    /// Each pixel is repeated.
    case nearest
    /// Linear along each axis, and constant beyond the outer pixels; with `alignsCorners` the outer pixels of both grids lie
    /// on each other, else their outer edges.
    case linear(alignsCorners: Bool)
  }

  /// `output[p, i] = Σ_j w(i, j) input[p, j]`, as PyTorch's `interpolate` defines it for whole factors.
  ///
  /// Turning or reflecting the signal turns the result, to the last bit: the weights of a pixel's 2ᵈ neighbors are products of
  /// exact fractions, and neighbors that lie opposite to each other are added up first.
  ///
  /// - Parameters:
  ///   - planes: batch · channels · |X|.
  ///   - factors: At least 1, for each axis.
  ///   - input: (planes, spatial…).
  ///   - output: (planes, factors · spatial…).
  /// - Throws: `dimensionMismatch`, `invalidSize`, `sizeOverflow`, `misalignedPointer`, `overlap`, `outOfMemory`, `cancelled`.
  @_specialize(where S == Float)
  @_specialize(where S == Double)
  public static func run<S: EngineScalar>(
    _ mode: Mode, planes: Int, spatial: Extents, factors: Extents, input: UnsafePointer<S>,
    output: UnsafeMutablePointer<S>, threads: Int? = nil
  ) throws(ConvolutionError) {
    try Call.run(.exact) { () throws(ConvolutionError) in
      try Threads.check(threads)
      let count = try SignalSizes.count(planes: planes, spatial, of: .input)
      let outputs = try SignalSizes.count(planes: planes, outputSpatial(spatial, factors: factors), of: .output)
      let inputRange = try ArrayRange(.input, input, count)
      try ArrayRange(.output, output, outputs).checkApart(from: inputRange)
      let pass = try UpsamplingPass<S>(
        mode, planes: planes, spatial: spatial, factors: factors,
        threads: threads ?? Threads.count(reading: outputs))
      try pass.run(input, output)
    }
  }

  /// Pixels of an axis: places between them are counted in fractions.
  private static var sizeLimit: Int { Int.limit(31) }

  /// The extents of the output.
  /// - Throws: `dimensionMismatch`, `invalidSize`, `sizeOverflow`.
  public static func outputSpatial(_ spatial: Extents, factors: Extents) throws(ConvolutionError) -> Extents {
    if factors.count != spatial.count {
      throw ConvolutionError(
        .dimensionMismatch, .factors, factors, expected: "\(spatial.count) numbers, one for each spatial axis")
    }
    var outputs = spatial
    for axis in spatial.indices {
      try SignalSizes.check(spatial[axis], .spatial[axis], atLeast: 1)
      try SignalSizes.check(factors[axis], .factors[axis], atLeast: 1)
      outputs[axis] = try ConvolutionDescriptor.product(spatial[axis], factors[axis], .size(of: .output))
      if outputs[axis] > sizeLimit {
        throw ConvolutionError(
          .sizeOverflow, .factors[axis], factors[axis], expected: "an output of at most 2^31 pixels on each axis")
      }
    }
    return outputs
  }
}

/// Where a pixel of the output lies between two of the input on one axis: the weights of both, which are 1 together.
struct UpsamplingPlace<S: EngineScalar> {
  var first: Int
  var second: Int
  var firstWeight: S
  var secondWeight: S

  /// At `numerator / denominator` pixels behind the first one.
  ///
  /// Both weights are fractions rounded once, so that reflected places have each other's.
  init(_ numerator: Int, over denominator: Int, size: Int) {
    // Beyond the outer pixels it is constant, and on a pixel no neighbor counts.
    if numerator <= 0 || numerator >= (size - 1) * denominator || numerator % denominator == 0 {
      first = max(0, min(size - 1, numerator / denominator))
      (second, firstWeight, secondWeight) = (first, 1, 0)
      return
    }
    let (place, rest) = numerator.quotientAndRemainder(dividingBy: denominator)
    (first, second) = (place, place + 1)
    (firstWeight, secondWeight) = (S(denominator - rest) / S(denominator), S(rest) / S(denominator))
  }

  /// Pixel `index` of an axis of `size` pixels that is made finer by a factor.
  init(_ mode: Upsampling.Mode, _ index: Int, size: Int, factor: Int) {
    switch mode {
    case .nearest: self.init(index / factor, over: 1, size: size)
    case .linear(alignsCorners: true): self.init(index * (size - 1), over: max(size * factor - 1, 1), size: size)
    case .linear(alignsCorners: false): self.init(2 * index + 1 - factor, over: 2 * factor, size: size)
    }
  }
}

/// An upsampling with its memory: the places on each axis.
private struct UpsamplingPass<S: EngineScalar> {
  private let mode: Upsampling.Mode
  private let planes: Int
  private let size: Box
  private let factors: Box
  private let dimension: Int
  private let threads: Int
  private let places: [Piece<UpsamplingPlace<S>>]
  private let layout: Workspace.Layout

  init(_ mode: Upsampling.Mode, planes: Int, spatial: Extents, factors: Extents, threads: Int) throws(ConvolutionError)
  {
    self.mode = mode
    self.planes = planes
    self.threads = threads
    dimension = spatial.count
    size = Box(spatial, leading: 1)
    self.factors = Box(factors, leading: 1)
    var layout = Workspace.Layout()
    places = try (0..<3).map { [size, factors = self.factors] axis throws(ConvolutionError) in
      try layout.reserve(UpsamplingPlace<S>.self, size[axis], factors[axis])
    }
    self.layout = layout
  }

  func run(_ input: UnsafePointer<S>, _ output: UnsafeMutablePointer<S>) throws(ConvolutionError) {
    let workspace = try Workspace(layout)
    for axis in 0..<3 {
      let table = workspace[places[axis]]
      for index in 0..<places[axis].count {
        (table + index).initialize(to: .init(mode, index, size: size[axis], factor: factors[axis]))
      }
    }
    let (zs, ys, xs) = (workspace[places[0]], workspace[places[1]], workspace[places[2]])
    let (depth, height, width) = (places[0].count, places[1].count, places[2].count)
    let lines = planes * depth * height
    let group = max(1, 4096 / width)
    ThreadPool.run((lines + group - 1) / group, threads: threads) { _, item in
      for line in item * group..<min(lines, (item + 1) * group) {
        let (plane, z, y) = (line / height / depth, line / height % depth, line % height)
        let rows = UpsamplingRows(
          size: size, plane: input + plane * size.volume, z: zs[z], y: ys[y], places: xs, width: width,
          target: output + line * width)
        switch mode {
        case .nearest: rows.copy()
        case .linear: dimension == 1 ? rows.line() : dimension == 2 ? rows.square() : rows.cube()
        }
      }
    }
  }
}

/// A row of the output.
private struct UpsamplingRows<S: EngineScalar> {
  let size: Box
  let plane: UnsafePointer<S>
  let z: UpsamplingPlace<S>
  let y: UpsamplingPlace<S>
  let places: UnsafePointer<UpsamplingPlace<S>>
  let width: Int
  let target: UnsafeMutablePointer<S>

  private func row(_ z: Int, _ y: Int) -> UnsafePointer<S> { plane + (z * size.y + y) * size.x }

  func copy() {
    let row = row(z.first, y.first)
    for x in 0..<width { target[x] = row[places[x].first] }
  }

  func line() {
    let row = row(z.first, y.first)
    for x in 0..<width {
      let place = places[x]
      target[x] = place.firstWeight * row[place.first] + place.secondWeight * row[place.second]
    }
  }

  /// (a + d) + (b + c) for the neighbors a b above c d.
  func square() {
    let (above, below) = (row(z.first, y.first), row(z.first, y.second))
    for x in 0..<width {
      let place = places[x]
      let a = y.firstWeight * place.firstWeight * above[place.first]
      let b = y.firstWeight * place.secondWeight * above[place.second]
      let c = y.secondWeight * place.firstWeight * below[place.first]
      let d = y.secondWeight * place.secondWeight * below[place.second]
      target[x] = (a + d) + (b + c)
    }
  }

  /// Opposite corners of a cube are four pairs, whose sums are added up in ascending order.
  func cube() {
    for x in 0..<width {
      let place = places[x]
      var sums = (
        pair(place, false, false), pair(place, false, true), pair(place, true, false), pair(place, true, true)
      )
      func order(_ a: inout S, _ b: inout S) { if b < a { (a, b) = (b, a) } }
      order(&sums.0, &sums.1)
      order(&sums.2, &sums.3)
      order(&sums.0, &sums.2)
      order(&sums.1, &sums.3)
      order(&sums.1, &sums.2)
      target[x] = sums.0 + sums.1 + sums.2 + sums.3
    }
  }

  /// The corner at the first place in x, at the first or second in z and y, and the one opposite to it.
  @inline(__always)
  private func pair(_ x: UpsamplingPlace<S>, _ isSecondZ: Bool, _ isSecondY: Bool) -> S {
    corner(isSecondZ, isSecondY, x.first, x.firstWeight) + corner(!isSecondZ, !isSecondY, x.second, x.secondWeight)
  }

  @inline(__always)
  private func corner(_ isSecondZ: Bool, _ isSecondY: Bool, _ x: Int, _ weight: S) -> S {
    let row = row(isSecondZ ? z.second : z.first, isSecondY ? y.second : y.first)
    return product(isSecondZ ? z.secondWeight : z.firstWeight, isSecondY ? y.secondWeight : y.firstWeight, weight)
      * row[x]
  }

  /// In ascending order, for axes may be exchanged.
  @inline(__always)
  private func product(_ a: S, _ b: S, _ c: S) -> S {
    let (low, high) = (min(a, b), max(a, b))
    let (least, middle) = (min(low, c), max(low, c))
    return least * min(middle, high) * max(middle, high)
  }
}
