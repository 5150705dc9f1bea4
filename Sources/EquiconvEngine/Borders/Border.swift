// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// What lies around a signal that is reflected or replicated: which place of the signal each padded position copies.
///
/// No algorithm knows of it. Signals are laid out with their border before a pass reads them, and what an input gradient
/// has written there is added up afterwards.
struct Border: Sendable {
  /// How the signal continues.
  enum Rule: Sendable { case reflect, replicate }

  let rule: Rule
  /// Sizes of the signal.
  let signal: Box
  /// Positions before and behind it on each axis.
  let margin: Box

  /// - Returns: nil for zeros and periodic signals, which algorithms pad by themselves, and without padding.
  init?(_ mode: PaddingMode, _ geometry: Geometry) {
    switch mode {
    case .zeros, .circular: return nil
    case .reflect: rule = .reflect
    case .replicate: rule = .replicate
    }
    if geometry.padding == Box(z: 0, y: 0, x: 0) { return nil }
    signal = geometry.input
    margin = geometry.padding
  }

  var padded: Box {
    Box(z: signal.z + 2 * margin.z, y: signal.y + 2 * margin.y, x: signal.x + 2 * margin.x)
  }

  /// The place on an axis of the signal that a position of the padded plane copies.
  func place(_ axis: Int, of position: Int) -> Int {
    let (size, coordinate) = (signal[axis], position - margin[axis])
    if coordinate >= 0 && coordinate < size { return coordinate }
    switch rule {
    case .replicate: return coordinate < 0 ? 0 : size - 1
    case .reflect:
      if size == 1 { return 0 }
      let wrapped = Box.wrapped(coordinate, 2 * (size - 1))
      return min(wrapped, 2 * (size - 1) - wrapped)
    }
  }

  /// Calls `body` with each position that copies a place of an axis, in ascending order.
  @inline(__always)
  func forEachCopy(_ axis: Int, of place: Int, _ body: (Int) -> Void) {
    let (size, margin) = (signal[axis], margin[axis])
    if size == 1 || rule == .replicate {
      let first = place == 0 ? 0 : place + margin
      let last = place == size - 1 ? size - 1 + 2 * margin : place + margin
      for position in first...last { body(position) }
      return
    }
    // Both places of a period, which are one at its ends.
    let period = 2 * (size - 1)
    var (near, far) = (Box.wrapped(place + margin, period), Box.wrapped(margin - place, period))
    while min(near, far) < size + 2 * margin {
      body(min(near, far))
      if near == far {
        near += period
        far += period
      } else if near < far {
        near += period
      } else {
        far += period
      }
    }
  }

  func copies(_ axis: Int, of place: Int) -> Int {
    var count = 0
    forEachCopy(axis, of: place) { _ in count += 1 }
    return count
  }

  /// The most positions that copy one place of an axis.
  func mostCopies(_ axis: Int) -> Int {
    let (size, margin) = (signal[axis], margin[axis])
    if size == 1 { return 1 + 2 * margin }
    return rule == .replicate ? 1 + margin : 1 + 2 * ((margin + size - 2) / (size - 1))
  }

  /// Lays out a plane of the signal with its border.
  func pad<S: EngineScalar>(_ plane: UnsafePointer<S>, into target: UnsafeMutablePointer<S>) {
    let padded = padded
    for z in 0..<padded.z {
      for y in 0..<padded.y {
        if Call.isEnded { return }
        let row = plane + (place(0, of: z) * signal.y + place(1, of: y)) * signal.x
        let to = target + (z * padded.y + y) * padded.x
        for x in 0..<margin.x { to[x] = row[place(2, of: x)] }
        (to + margin.x).copy(from: row, count: signal.x)
        for x in margin.x + signal.x..<padded.x { to[x] = row[place(2, of: x)] }
      }
    }
  }

  /// The most terms of a sum of `fold`.
  /// - Throws: `outOfMemory`.
  func mostTerms<S>(of _: S.Type) throws(ConvolutionError) -> Int {
    try Workspace.Layout.count(of: S.self, mostCopies(0), mostCopies(1), mostCopies(2))
  }

  /// The adjoint of `pad`: sums for each place of the signal what lies at the positions that copy it.
  ///
  /// Sums do not depend on the order of their terms, so that turned planes have the same ones.
  /// - Parameter terms: memory for `mostTerms` numbers.
  func fold<S: EngineScalar>(
    _ plane: UnsafePointer<S>, into target: UnsafeMutablePointer<S>, _ terms: UnsafeMutablePointer<S>
  ) {
    let padded = padded
    for z in 0..<signal.z {
      for y in 0..<signal.y {
        if Call.isEnded { return }
        let row = target + (z * signal.y + y) * signal.x
        let isSingle = copies(0, of: z) * copies(1, of: y) == 1
        if isSingle {
          row.copy(from: plane + ((z + margin.z) * padded.y + y + margin.y) * padded.x + margin.x, count: signal.x)
        }
        for x in 0..<signal.x where !isSingle || copies(2, of: x) > 1 {
          var count = 0
          forEachCopy(0, of: z) { depth in
            forEachCopy(1, of: y) { line in
              forEachCopy(2, of: x) { column in
                terms[count] = plane[(depth * padded.y + line) * padded.x + column]
                count += 1
              }
            }
          }
          row[x] = Self.sum(terms, count)
        }
      }
    }
  }

  private static func sum<S: EngineScalar>(_ terms: UnsafePointer<S>, _ count: Int) -> S {
    switch count {
    case 1: terms[0]
    case 2: terms[0] + terms[1]
    default: S(ExactMean(of: 1, given: count).mean(terms, count))
    }
  }
}

extension Geometry {
  /// The sizes of the layer on signals that are laid out with a border.
  func padded(by border: Border) -> Geometry {
    var geometry = self
    geometry.input = border.padded
    geometry.padding = Box(z: 0, y: 0, x: 0)
    return geometry
  }
}
