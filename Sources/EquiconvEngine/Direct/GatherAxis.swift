// SPDX-License-Identifier: Apache-2.0

/// One axis of a gather: its outputs, in groups, and where each tap of the kernel is read for them.
///
/// The forward pass has one phase of outputs. The input gradient has one for each remainder that taps leave modulo the stride:
/// a tap is read for the outputs of its own phase alone. At first a phase is one group, and every tap is read for all of it.
/// `split` cuts phases where taps begin or cease to meet the signal, and leaves out reads that meet nothing but zeros.
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
    var groups: [Group]

    init(residue: Int = 0, start: Int, step: Int, count: Int, isRead: Bool) {
      self.residue = residue
      self.count = count
      self.step = step
      groups = [Group(first: 0, count: count, place: start, isRead: isRead)]
    }
  }

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
  var destination: Int
  /// The signal coordinate of position 0.
  let origin: Int
  /// From the read of one output to that of the next.
  let step: Int
  let isCircular: Bool
  var phases: [Phase]
  /// By their number in the kernel; nil for a tap that no term reads, or that only reaches what is not wanted.
  var taps: [Tap?]

  // MARK: - Making one

  /// An axis of the forward pass: output i reads position stride · i + t, or modulo the period.
  ///
  /// - Parameter used: whether any term reads each tap.
  init(forward geometry: Geometry, axis: Int, used: [Bool], isCircular: Bool) {
    let (size, count, stride) = (geometry.input[axis], geometry.output[axis], geometry.stride[axis])
    let padding = geometry.padding[axis]
    signal = size
    destination = count
    origin = -padding
    step = stride
    self.isCircular = isCircular
    phases = [Phase(start: 0, step: 1, count: count, isRead: used.contains(true))]
    taps = used.indices.map { number in
      guard used[number] else { return nil }
      let tap = number * geometry.dilation[axis]
      if isCircular { return Tap(position: tap % size, phase: 0, inside: 0..<count, groups: 0..<1) }
      let low = Self.clamped((padding - tap).quotientRoundedUp(by: stride), count)
      let high = Self.clamped((size + padding - tap).quotientRoundedUp(by: stride), count)
      return Tap(position: tap, phase: 0, inside: low..<high, groups: 0..<1)
    }
  }

  /// An axis of the input gradient: position q = stride · i + t of the padded input receives from output i.
  ///
  /// With q = stride · j + φ the taps with t mod stride = φ contribute, from i = j − t / stride. The destination is the input;
  /// for circular padding all positions that receive anything, taps being taken modulo the period.
  init(adjoint geometry: Geometry, axis: Int, used: [Bool], isCircular: Bool) {
    let (input, count, stride) = (geometry.input[axis], geometry.output[axis], geometry.stride[axis])
    let places = used.indices.map { number -> Int? in
      let tap = number * geometry.dilation[axis]
      return used[number] ? isCircular ? tap % input : tap : nil
    }
    let low = isCircular ? 0 : geometry.padding[axis]
    let size = isCircular ? stride * (count - 1) + 1 + (places.lazy.compactMap { $0 }.max() ?? 0) : input
    // Position low + p, p < size, is stride · j + φ for the outputs j from `first` on.
    func first(_ residue: Int) -> Int { (low - residue).quotientRoundedUp(by: stride) }
    func outputs(_ residue: Int) -> Int { (low + size - residue).quotientRoundedUp(by: stride) - first(residue) }
    let residues = Set(places.lazy.compactMap { $0.map { $0 % stride } }).filter { outputs($0) > 0 }.sorted()
    let numbers = Dictionary(uniqueKeysWithValues: residues.enumerated().map { ($1, $0) })
    phases = residues.map { residue in
      Phase(
        residue: residue, start: stride * first(residue) + residue - low, step: stride, count: outputs(residue),
        isRead: true)
    }
    // A phase without positions: its taps only reach padding.
    let reads = places.map { place -> (phase: Int, index: Int)? in
      guard let place, let phase = numbers[place % stride] else { return nil }
      return (phase, first(place % stride) - place / stride)
    }
    let lowest = reads.lazy.compactMap { $0?.index }.min() ?? 0
    let phases = self.phases
    taps = reads.map { read in
      guard let read else { return nil }
      let outputs = phases[read.phase].count
      return Tap(
        position: read.index - lowest, phase: read.phase,
        inside: Self.clamped(-read.index, outputs)..<Self.clamped(count - read.index, outputs), groups: 0..<1)
    }
    signal = count
    destination = size
    origin = lowest
    step = 1
    self.isCircular = false
  }

  private static func clamped(_ value: Int, _ count: Int) -> Int { Swift.min(Swift.max(value, 0), count) }
}

extension Int {
  /// ⌈self / divisor⌉ for a positive divisor.
  fileprivate func quotientRoundedUp(by divisor: Int) -> Int {
    let quotient = self / divisor
    return self % divisor > 0 ? quotient + 1 : quotient
  }
}
