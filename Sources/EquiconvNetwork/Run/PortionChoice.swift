// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// How many images a layer should compute at a time on one thread.
///
/// Several images share what is read of the weights, and fill the vectors of tiles where planes are small. But signals
/// of few images stay in the thread's caches. Larger calls have to save what the memory takes longer.
struct PortionChoice {
  /// What signals may take of a thread's caches.
  private static let signalBytes = 1 << 20
  /// What the memory takes for a byte that is read or written, about.
  private static let secondsPerByte = 1e-10
  /// What fewer images may cost more: the estimates are no closer.
  private static let tolerance = 1.1
  /// In ascending order; more images at a time save nothing.
  private static let counts = [1, 2, 4, 8, 16]

  /// The fewest images that are about as fast as any.
  ///
  /// - Parameter bytes: what the layer reads and writes for an image.
  static func images<S: EngineScalar>(
    _ plan: ConvolutionPlan, _ pass: Pass, bytes: Int, _: S.Type
  ) throws(ConvolutionError) -> Int {
    var seconds: [Double] = []
    for count in counts {
      let call = try plan.explain(pass, batch: count, isPrepared: true, S.self, RunOptions(threads: 1))
      let fits = bytes <= signalBytes / count
      seconds.append(call.seconds / Double(count) + (fits ? 0 : Double(bytes) * secondsPerByte))
    }
    let best = seconds.min() ?? 0
    return zip(counts, seconds).first { $1 <= tolerance * best }?.0 ?? 1
  }
}
