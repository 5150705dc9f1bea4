// SPDX-License-Identifier: Apache-2.0

extension WinogradTiling {
  #if EQUICONV_INTERNAL_CHECKS
    /// The tables of a block: runs lie in source planes and strips, vectors in strips.
    func checkInputs<S>(
      _ counts: (runs: Int, vectors: Int), _ memory: Workspace.Share, _ pieces: WinogradPieces<S>, tiles: Int
    ) {
      checkInvariant(counts.runs <= pieces.runs.count, "runs fit their table")
      checkInvariant(counts.vectors * (1 + tile) <= pieces.inputVectors.count, "vectors fit their table")
      for index in 0..<counts.runs {
        let run = memory[pieces.runs][index]
        checkInvariant(
          run.length > 0 && run.strip >= 0 && run.strip + run.length <= pieces.inputStrip, "runs lie in strips")
        for place in [run.rows.0, run.rows.1, run.rows.2, run.rows.3, run.rows.4, run.rows.5] where place != -1 {
          checkInvariant(
            place >= 0 && place / sourceImage < batch && place % sourceImage % source.x + run.length <= source.x
              && place % sourceImage < source.volume, "runs lie in rows of the first plane of an image")
        }
      }
      for index in 0..<counts.vectors {
        let vector = memory[pieces.inputVectors] + index * (1 + tile)
        checkInvariant(vector[0] >= 0 && vector[0] < tiles, "vectors begin at a tile of their block")
        for part in 1...tile {
          checkInvariant(
            vector[part] >= 0 && vector[part] + tile + lanes <= pieces.inputStrip, "vectors lie in strips")
        }
      }
    }

    /// The tables of a block: what is stored lies in target planes, each output once.
    func checkOutputs<S>(copies: Int, vectors: Int, _ memory: Workspace.Share, _ pieces: WinogradPieces<S>) {
      checkInvariant(copies <= pieces.copies.count && vectors * tile <= pieces.stores.count, "stores fit their tables")
      func check(_ place: Int, _ rows: Int, _ length: Int) {
        checkInvariant(
          place >= 0 && place / targetImage < batch && place % targetImage % target.x + length <= target.x
            && place % targetImage + (rows - 1) * target.x < target.volume && rows > 0 && rows <= tile,
          "outputs are stored in rows of the first plane of an image")
      }
      for index in 0..<vectors * tile {
        let store = memory[pieces.stores][index]
        if store.place >= 0 { check(store.place, store.rows, lanes) }
      }
      for index in 0..<copies {
        let copy = memory[pieces.copies][index]
        check(copy.place, copy.rows, copy.length)
        checkInvariant(copy.strip >= 0 && copy.strip + copy.length <= pieces.outputStrip, "copies lie in strips")
      }
    }
  #else
    @inline(__always)
    func checkInputs<S>(
      _ counts: (runs: Int, vectors: Int), _ memory: Workspace.Share, _ pieces: WinogradPieces<S>, tiles: Int
    ) {}
    @inline(__always)
    func checkOutputs<S>(
      copies: Int, vectors: Int, _ memory: Workspace.Share, _ pieces: WinogradPieces<S>
    ) {}
  #endif
}
