// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine
import _EquiconvPlatform

/// A new array of `count` numbers that `fill` writes, all of them; `fill` is not called for an empty array.
///
/// Sizes follow from the caller's numbers, a padding of 2^40 for example, so missing memory is an error.
func filledArray<Scalar: EngineScalar>(
  count: Int, _ fill: (UnsafeMutablePointer<Scalar>) throws(ConvolutionError) -> Void
) throws(ConvolutionError) -> [Scalar] {
  if count == 0 { return [] }
  try checkMemory(bytes: count * MemoryLayout<Scalar>.stride)
  var failure: ConvolutionError?
  let array = [Scalar](unsafeUninitializedCapacity: count) { buffer, initializedCount in
    guard let pointer = buffer.baseAddress else { return }
    do throws(ConvolutionError) {
      try fill(pointer)
      initializedCount = count
    } catch {
      failure = error
    }
  }
  if let failure { throw failure }
  return array
}

/// Swift's arrays trap if memory is short, so large sizes are tried first. With `mmap`, because the compiler assumes
/// that an unused `malloc` succeeds, and leaves it out.
func checkMemory(bytes: Int) throws(ConvolutionError) {
  if bytes < 1 << 30 { return }
  guard let probe = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0),
    equiconv_is_map_failed(probe) == 0
  else {
    throw ConvolutionError(.outOfMemory, .result, "of \(bytes) bytes", expected: "memory for it")
  }
  munmap(probe, bytes)
}
