// SPDX-License-Identifier: Apache-2.0

import _EquiconvMemory

/// Writes the words and numbers of a text.
public struct TextWriter: ~Copyable {
  private var bytes = PlanTable<UInt8>()

  init() {}

  mutating func write(_ word: String) throws(ConvolutionError) {
    for byte in word.utf8 { try bytes.append(byte) }
  }

  mutating func write(_ value: Int) throws(ConvolutionError) { try write(value.description) }

  /// The shortest decimal number that is read as this one. The sign of zero has no meaning anywhere, and is left out.
  mutating func write(_ value: Double) throws(ConvolutionError) {
    // Calls take subnormal numbers as zeros, but what is written are numbers as they are.
    let call = Call.begin(.exact)
    let text = value == 0 ? "0.0" : value.description
    call.end()
    try write(text)
  }

  /// `[1,2,3]`.
  mutating func write(_ values: some Sequence<Int>) throws(ConvolutionError) {
    try write("[")
    for (place, value) in values.enumerated() {
      if place > 0 { try write(",") }
      try write(value)
    }
    try write("]")
  }

  /// `[1.0,0.5]`.
  mutating func write(_ values: some Sequence<Double>) throws(ConvolutionError) {
    try write("[")
    for (place, value) in values.enumerated() {
      if place > 0 { try write(",") }
      try write(value)
    }
    try write("]")
  }

  consuming func finished() -> FixedArray<UInt8> { bytes.frozen() }
}
