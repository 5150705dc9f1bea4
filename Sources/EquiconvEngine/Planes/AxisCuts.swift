// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// Where the taps of one phase start and stop meeting the signal.
struct AxisCuts {
  private let count: Int
  private let lanes: Int
  /// First outputs of taps, and those behind the last, each ascending.
  private let lows: FixedArray<Int>
  private let highs: FixedArray<Int>
  /// Every output from which on another set of taps meets the signal, and the ends.
  private let places: FixedArray<Int>
  /// The least vectors times taps of the outputs before each of these places.
  private let least: FixedArray<Double>

  /// - Parameters:
  ///   - inside: the outputs for which each tap meets the signal, none of them empty.
  ///   - count: outputs of the phase.
  /// - Throws: `outOfMemory`.
  init(_ inside: FixedArray<Range<Int>>, count: Int, lanes: Int) throws(ConvolutionError) {
    self.count = count
    self.lanes = lanes
    var lows = try PlanTable<Int>(capacity: inside.count)
    var highs = try PlanTable<Int>(capacity: inside.count)
    var places = try PlanTable<Int>(capacity: 2 * inside.count + 2)
    // No tap meets the signal for more outputs than this.
    var longest = 1
    for outputs in inside {
      try lows.append(outputs.lowerBound)
      try highs.append(outputs.upperBound)
      longest = max(longest, outputs.count)
    }
    lows.elements.heapsort()
    highs.elements.heapsort()
    try places.append(contentsOf: lows.elements)
    try places.append(contentsOf: highs.elements)
    try places.append(0)
    try places.append(count)
    places.keepOnce()
    self.lows = lows.frozen()
    self.highs = highs.frozen()
    self.places = places.frozen()
    let vectorsPerOutput = Double((longest - 1) / lanes + 1) / Double(longest)
    let least = try PlanTable<Double>(repeating: 0, count: self.places.count)
    for place in 1..<self.places.count {
      let outputs = self.places[place - 1]..<self.places[place]
      let taps = Self.taps(outputs, self.lows, self.highs)
      least[place] = least[place - 1] + Double(taps * outputs.count) * vectorsPerOutput
    }
    self.least = least.frozen()
  }

  /// Taps that meet the signal for any of these outputs.
  func taps(_ outputs: Range<Int>) -> Int { Self.taps(outputs, lows, highs) }

  private static func taps(_ outputs: Range<Int>, _ lows: FixedArray<Int>, _ highs: FixedArray<Int>) -> Int {
    lows.firstPlace(notBelow: outputs.upperBound) - highs.firstPlace(notBelow: outputs.lowerBound + 1)
  }

  /// Vectors times taps of neighboring outputs, were vectors not rounded up.
  private func work(_ outputs: Range<Int>) -> Double {
    max(1, Double(outputs.count) / Double(lanes)) * Double(taps(outputs))
  }

  /// Calls `body` with neighboring outputs that are put together: as long as that fills vectors better, or keeps the
  /// work within the tolerance.
  func forEachGroup(
    tolerance: Double, _ body: (Range<Int>) throws(ConvolutionError) -> Void
  ) throws(ConvolutionError) {
    var (start, first) = (0, 0)
    while start < count {
      var last = first + 1
      // The least work of all outputs before `start`.
      let before =
        least[first]
        + (least[last] - least[first]) * Double(start - places[first]) / Double(places[last] - places[first])
      while last + 1 < places.count {
        let (grown, next) = (start..<places[last], start..<places[last + 1])
        // A vector that is not full yet.
        let isBetter =
          next.count <= lanes && work(next) * Double(grown.count) <= work(grown) * Double(next.count)
        if !isBetter && work(next) > tolerance * (least[last + 1] - before) { break }
        last += 1
      }
      var end = places[last]
      // Whole vectors.
      if end < count && end - start > lanes { end = start + (end - start) / lanes * lanes }
      try body(start..<end)
      start = end
      while first + 1 < places.count && places[first + 1] <= start { first += 1 }
    }
  }
}
