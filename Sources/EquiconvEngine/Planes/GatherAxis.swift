// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// One axis of a gather: its outputs, in groups, and where each tap of the kernel is read for them.
///
/// The forward pass has one phase of outputs. The input gradient has one for each remainder that taps leave modulo the stride:
/// a tap is read for the outputs of its own phase alone. At first a phase is one group, and every tap is read for all of it.
/// `split` cuts phases where taps start or stop meeting the signal, and leaves out reads that meet only zeros.
struct GatherAxis: Sendable {
  /// Neighboring outputs of one phase.
  struct Group: Sendable {
    /// In its phase.
    var first: Int
    var count: Int
    /// The place of its first output in the destination; the others follow in steps of the phase's `step`.
    var place: Int
    /// Whether any tap is read for it.
    var isRead: Bool
  }

  /// Outputs of which neighbors lie `step` places apart in the destination.
  struct Phase: Sendable {
    /// The position of its first output in the padded input, for the input gradient.
    let residue: Int
    var count: Int
    var step: Int
    var groups: FixedArray<Group>

    /// A phase of one group.
    init(residue: Int = 0, start: Int, step: Int, count: Int, isRead: Bool) throws(ConvolutionError) {
      self.residue = residue
      self.count = count
      self.step = step
      groups = try PlanTable(
        repeating: Group(first: 0, count: count, place: start, isRead: isRead), count: 1
      ).frozen()
    }
  }

  /// One tap of the kernel, where it is read.
  struct Tap: Sendable {
    /// The position that output 0 of its phase reads, relative to `origin`.
    var position: Int
    var phase: Int
    /// The outputs of its phase for which it meets the signal.
    var inside: Range<Int>
    /// The groups of its phase that it is read for.
    var groups: Range<Int>
  }

  /// Sizes of the signal that is read and of the plane that is written.
  let signal: Int
  let destination: Int
  /// The signal coordinate of position 0.
  let origin: Int
  /// From the read of one output to that of the next.
  let step: Int
  let isCircular: Bool
  let phases: FixedArray<Phase>
  /// By their number in the kernel; nil for a tap that no term reads, or that reaches only outputs that are not wanted.
  let taps: FixedArray<Tap?>

  // MARK: - Making one

  /// An axis of the forward pass: output i reads position stride · i + t, or modulo the period.
  ///
  /// - Parameter used: whether any term reads each tap.
  /// - Throws: `outOfMemory`.
  init(
    forward geometry: Geometry, axis: Int, used: FixedArray<Bool>, isCircular: Bool
  ) throws(ConvolutionError) {
    let (size, count, stride) = (geometry.input[axis], geometry.output[axis], geometry.stride[axis])
    let padding = geometry.padding[axis]
    signal = size
    destination = count
    origin = -padding
    step = stride
    self.isCircular = isCircular
    let whole = try Phase(start: 0, step: 1, count: count, isRead: used.contains(true))
    phases = try PlanTable(repeating: whole, count: 1).frozen()
    taps = try PlanTable<Tap?>(count: used.count) { number in
      guard used[number] else { return nil }
      let tap = number * geometry.dilation[axis]
      if isCircular { return Tap(position: tap % size, phase: 0, inside: 0..<count, groups: 0..<1) }
      let low = Self.clamped((padding - tap).quotientRoundedUp(by: stride), count)
      let high = Self.clamped((size + padding - tap).quotientRoundedUp(by: stride), count)
      return Tap(position: tap, phase: 0, inside: low..<high, groups: 0..<1)
    }.frozen()
  }

  /// An axis of the input gradient: position q = stride · i + t of the padded input receives from output i.
  ///
  /// With q = stride · j + φ the taps with t mod stride = φ contribute, from i = j − t / stride. The destination is the input;
  /// for circular padding all positions that receive anything, with taps modulo the period.
  ///
  /// - Throws: `outOfMemory`.
  init(
    adjoint geometry: Geometry, axis: Int, used: FixedArray<Bool>, isCircular: Bool
  ) throws(ConvolutionError) {
    let count = geometry.output[axis]
    let places = AdjointPlaces(geometry, axis: axis, used: used, isCircular: isCircular)
    let residues = try places.residues()
    let phases = try PlanTable<Phase>(count: residues.count) { number throws(ConvolutionError) in
      let residue = residues[number]
      return try Phase(
        residue: residue, start: places.stride * places.first(residue) + residue - places.low, step: places.stride,
        count: places.outputs(residue), isRead: true)
    }.frozen()
    // For each tap its phase, and which output the first of its phase receives from.
    let reads = try PlanTable<(phase: Int, index: Int)?>(count: used.count) { number in
      guard let place = places.place(number) else { return nil }
      let residue = place % places.stride
      let phase = residues.firstPlace(notBelow: residue)
      // A tap that only reaches padding.
      if phase == residues.count || residues[phase] != residue { return nil }
      return (phase, places.first(residue) - place / places.stride)
    }
    var lowest: Int?
    for read in reads.elements { if let read { lowest = min(lowest ?? read.index, read.index) } }
    let origin = lowest ?? 0
    taps = try PlanTable<Tap?>(count: used.count) { number in
      guard let read = reads[number] else { return nil }
      let outputs = phases[read.phase].count
      return Tap(
        position: read.index - origin, phase: read.phase,
        inside: Self.clamped(-read.index, outputs)..<Self.clamped(count - read.index, outputs), groups: 0..<1)
    }.frozen()
    self.phases = phases
    self.origin = origin
    signal = count
    destination = places.size
    step = 1
    self.isCircular = false
  }

  /// Another axis with its outputs in other groups.
  init(_ axis: GatherAxis, destination: Int, phases: FixedArray<Phase>, taps: FixedArray<Tap?>) {
    (signal, origin, step, isCircular) = (axis.signal, axis.origin, axis.step, axis.isCircular)
    self.destination = destination
    self.phases = phases
    self.taps = taps
  }

  private static func clamped(_ value: Int, _ count: Int) -> Int { Swift.min(Swift.max(value, 0), count) }
}

/// The positions of the padded input that an input gradient writes along one axis: `low + p` for p in 0 ..< `size`.
private struct AdjointPlaces {
  let used: FixedArray<Bool>
  let dilation: Int
  let stride: Int
  /// The period of taps; nil if the signal is not circular.
  let period: Int?
  let low: Int
  private(set) var size: Int

  init(_ geometry: Geometry, axis: Int, used: FixedArray<Bool>, isCircular: Bool) {
    self.used = used
    dilation = geometry.dilation[axis]
    stride = geometry.stride[axis]
    period = isCircular ? geometry.input[axis] : nil
    low = isCircular ? 0 : geometry.padding[axis]
    size = geometry.input[axis]
    if isCircular {
      let furthest = used.indices.reduce(0) { max($0, place($1) ?? 0) }
      size = stride * (geometry.output[axis] - 1) + 1 + furthest
    }
  }

  /// The position to which a tap moves output 0; nil for a tap that no term reads.
  func place(_ tap: Int) -> Int? {
    if !used[tap] { return nil }
    let place = tap * dilation
    return period.map { place % $0 } ?? place
  }

  /// A position is `stride · j + residue` for the outputs j from `first(residue)` on, so many of them.
  func first(_ residue: Int) -> Int { (low - residue).quotientRoundedUp(by: stride) }
  func outputs(_ residue: Int) -> Int { (low + size - residue).quotientRoundedUp(by: stride) - first(residue) }

  /// The remainders of taps modulo the stride that have outputs, ascending.
  func residues() throws(ConvolutionError) -> FixedArray<Int> {
    var residues = try PlanTable<Int>(capacity: used.count)
    for tap in used.indices {
      if let place = place(tap), outputs(place % stride) > 0 { try residues.append(place % stride) }
    }
    residues.keepOnce()
    return residues.frozen()
  }
}

extension Int {
  /// ⌈self / divisor⌉ for a positive divisor.
  fileprivate func quotientRoundedUp(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor > 0 ? quotient + 1 : quotient
  }
}
