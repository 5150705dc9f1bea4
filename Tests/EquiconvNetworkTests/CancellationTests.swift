// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import EquiconvGroups
import EquiconvNetwork
import Testing
import _EquiconvShims
import _EquiconvTestSupport

/// A caller that wants a run to end gets an error, and the network runs as before afterwards.
@Suite struct CancellationTests {
  @Test func run_thatItsCallerEnds_isCancelled() throws {
    let network = try MemoryTests.chain(widths: [16, 16, 16, 16]).network(.exact)
    let (large, small) = ([8, 3, 256, 256], [3, 3, 16, 16])
    var random = SplitMix64(seed: 8)
    let input: [Float] = random.reals(small.reduce(1, *))
    let before = try network.outputs(input, small)
    try ProcessSettings.alone {
      let threads = Threads.count
      defer { try? Threads.setCount(threads) }
      for count in [1, 2] {
        try Threads.setCount(count)
        var interruption = equiconv_interruption(poll: { _ in 1 }, context: nil)
        withUnsafePointer(to: &interruption) { pointer in
          equiconv_set_interruption_of_thread(pointer)
          defer { equiconv_set_interruption_of_thread(nil) }
          do {
            _ = try network.outputs([Float](repeating: 0, count: large.reduce(1, *)), large)
            Issue.record("the run came to its end")
          } catch NetworkError.layer(let error, place: _) {
            #expect(error.kind == .cancelled)
          } catch {
            Issue.record(error)
          }
        }
      }
    }
    #expect(zip(try network.outputs(input, small), before).allSatisfy(haveSameBits))
  }
}
