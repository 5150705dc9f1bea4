// SPDX-License-Identifier: Apache-2.0

/// (channels, positions) → (positions, width): puts the channels of each position side by side, idle lanes zero.
enum Transposition {
  /// Channels and positions that registers turn at a time.
  private static let side = 4

  static func run<S: EngineScalar>(
    _ source: UnsafePointer<S>, sourceStride: Int, channels: Int, count: Int, into target: UnsafeMutablePointer<S>,
    width: Int
  ) {
    let (wholeChannels, wholeCount) = (channels & -side, count & -side)
    // A few positions at a time, so that the lines written to stay in the first-level cache.
    var position = 0
    while position < wholeCount {
      var channel = 0
      while channel < wholeChannels {
        square(
          source + (channel * sourceStride + position), sourceStride, target + (position * width + channel), width)
        channel += side
      }
      position += side
    }
    for position in 0..<count {
      let row = target + position * width
      for channel in (position < wholeCount ? wholeChannels : 0)..<channels {
        row[channel] = source[channel * sourceStride + position]
      }
      for channel in channels..<width { row[channel] = 0 }
    }
  }

  /// Four channels by four positions, in registers.
  @inline(__always)
  private static func square<S: EngineScalar>(
    _ source: UnsafePointer<S>, _ sourceStride: Int, _ target: UnsafeMutablePointer<S>, _ targetStride: Int
  ) {
    let a = load(source)
    let b = load(source + sourceStride)
    let c = load(source + 2 &* sourceStride)
    let d = load(source + 3 &* sourceStride)
    for i in 0..<side { store(SIMD4(a[i], b[i], c[i], d[i]), target + i &* targetStride) }
  }

  @inline(__always)
  private static func load<S: EngineScalar>(_ pointer: UnsafePointer<S>) -> SIMD4<S> {
    UnsafeRawPointer(pointer).loadUnaligned(as: SIMD4<S>.self)
  }

  @inline(__always)
  private static func store<S: EngineScalar>(_ value: SIMD4<S>, _ pointer: UnsafeMutablePointer<S>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: value, as: SIMD4<S>.self)
  }
}
