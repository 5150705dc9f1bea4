// SPDX-License-Identifier: Apache-2.0

/// A square of vectors, transposed in registers.
enum Transposition {
  /// Room for as many vectors as the widest has lanes.
  typealias Square<V: Lanes> = InlineArray<16, V>

  /// x[i][j] becomes x[j][i], for i and j below the number of lanes.
  ///
  /// Interleaving the first with the second half of the rows rotates the bits of (row, lane) by one place; after as many
  /// steps as a lane number has bits, rows and lanes have changed places.
  @inline(__always)
  static func run<V: Lanes>(_ x: inout Square<V>) {
    var step = 1
    while step < V.count {
      let y = x
      var i = 0
      while i < V.count / 2 {
        x[unchecked: 2 &* i] = V.zipLow(y[unchecked: i], y[unchecked: i &+ V.count / 2])
        x[unchecked: 2 &* i &+ 1] = V.zipHigh(y[unchecked: i], y[unchecked: i &+ V.count / 2])
        i &+= 1
      }
      step &*= 2
    }
  }
}
