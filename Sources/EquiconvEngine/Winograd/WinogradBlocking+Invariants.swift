// SPDX-License-Identifier: Apache-2.0

extension WinogradBlocking {
  #if EQUICONV_INTERNAL_CHECKS
    /// Blocks are all vectors together, and the first, the largest, fits the memory of a thread.
    func checkInvariants() {
      checkInvariant(blockVectors > 0 && planeChunk > 0 && outputBlock > 0, "blocks hold something")
      checkInvariant(blocks == 0 || vectors(of: 0).count <= blockVectors, "blocks fit their memory")
      checkInvariant(vectors(of: blocks).lowerBound == allVectors, "blocks are all vectors")
    }
  #else
    @inline(__always)
    func checkInvariants() {}
  #endif
}
