// SPDX-License-Identifier: Apache-2.0

import _EquiconvErrors
import _EquiconvShims

/// The border of the engine: the guarantees while a public function runs, on any thread.
///
/// - It computes in a floating-point environment of its own, on the calling thread and on workers: round to nearest,
/// nothing traps, and in convolutions subnormal numbers are zeros. Results and cached tables depend neither on the
/// caller's environment nor on who made them. Afterwards the caller's environment is as before, status flags included.
/// - A fork can happen only where the call asks `isEnded`: a child never inherits a thread's unfinished work, not even
///   in the language's runtime.
/// - It ends early if the function that its caller installed says so; see `EquiconvInterruption.h`.
package struct Call {
  /// How a call treats subnormal numbers.
  package enum Arithmetic {
    /// As they are: numbers are only compared or moved.
    case exact
    /// As zeros: some processors need a hundred times as long for them as for other numbers.
    case flushing

    fileprivate var environment: equiconv_arithmetic {
      self == .exact ? EQUICONV_ARITHMETIC_EXACT : EQUICONV_ARITHMETIC_FLUSHING
    }
  }

  /// The environment of the caller.
  private let before: equiconv_floating_point

  /// Begins a call, which `end` ends on the same thread.
  package static func begin(_ arithmetic: Arithmetic) -> Call {
    Call(before: equiconv_begin_call(arithmetic.environment))
  }

  /// - Returns: whether the call was ended early.
  @discardableResult package func end() -> Bool { equiconv_end_call(before) }

  /// Runs a public function.
  /// - Throws: what `body` throws, and `cancelled` for a call that ended early.
  @inline(__always)
  package static func run<R>(
    _ arithmetic: Arithmetic, _ body: () throws(ConvolutionError) -> R
  ) throws(ConvolutionError) -> R {
    let call = begin(arithmetic)
    let result: R
    do { result = try body() } catch {
      call.end()
      throw error
    }
    if call.end() { throw cancelled }
    return result
  }

  /// Whether this thread's call should end early. Asked between pieces of work of at most some milliseconds, with no
  /// lock held. Results that were left out because of it are never read.
  package static var isEnded: Bool { equiconv_is_ended(equiconv_thread_state()) }

  /// `isEnded` where nothing can be left out: the next question gets the same answer.
  package static func pause() { _ = isEnded }

  /// - Throws: `cancelled` if the call should end early, or has ended.
  package static func checkNotEnded() throws(ConvolutionError) {
    if isEnded { throw cancelled }
  }

  /// The error of a call that ended early.
  package static var cancelled: ConvolutionError {
    ConvolutionError(.cancelled, .run, "cancelled", expected: "to run to its end")
  }
}
