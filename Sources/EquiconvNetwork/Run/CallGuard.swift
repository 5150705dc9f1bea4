// SPDX-License-Identifier: Apache-2.0

import EquiconvEngine

/// A network's functions as calls of the engine, in which those of its layers are nested.
enum CallGuard {
  /// - Throws: what `body` throws, and `cancelled` for a call that ended early.
  static func run<R>(_ body: () throws(NetworkError) -> R) throws(NetworkError) -> R {
    let call = Call.begin(.flushing)
    let result: R
    do throws(NetworkError) { result = try body() } catch {
      call.end()
      throw error
    }
    if call.end() { throw .layer(Call.cancelled, place: "network") }
    return result
  }
}
