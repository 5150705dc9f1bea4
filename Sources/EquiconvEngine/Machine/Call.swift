// SPDX-License-Identifier: Apache-2.0

import _EquiconvShims

/// The border of the engine: what holds while a public function runs, on whatever thread.
///
/// - It computes in a floating-point environment of its own, on the calling thread and on workers: round to nearest,
///   nothing traps, and in convolutions subnormal numbers are zeros. What results and cached tables are depends neither
///   on the caller's environment nor on who made them, and the caller's is as before afterwards, status flags included.
/// - No fork comes in between but at places where the call asks `isEnded`: a child never inherits what a thread was in the
///   middle of, be it in the language's runtime.
/// - It ends early when what its caller installed says so; see `EquiconvInterruption.h`.
struct Call {
  /// How a call takes subnormal numbers.
  enum Arithmetic {
    /// As the numbers they are, where they are compared or moved.
    case exact
    /// As zeros: some processors take a hundred times as long for them as for others.
    case flushing

    fileprivate var environment: equiconv_arithmetic {
      self == .exact ? EQUICONV_ARITHMETIC_EXACT : EQUICONV_ARITHMETIC_FLUSHING
    }
  }

  /// The environment of the caller.
  private let before: equiconv_floating_point

  /// Begins a call, which `end` ends on the same thread.
  static func begin(_ arithmetic: Arithmetic) -> Call { Call(before: equiconv_begin_call(arithmetic.environment)) }

  /// - Returns: whether the call was ended early.
  @discardableResult func end() -> Bool { equiconv_end_call(before) }

  /// Runs a public function.
  /// - Throws: what `body` throws, and `cancelled` for a call that ended early.
  @inline(__always)
  static func run<R>(
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

  /// Whether this thread's call shall end early. Asked between pieces of work of at most some milliseconds, with no lock held; what
  /// was not computed for it is not looked at.
  static var isEnded: Bool { equiconv_is_ended(equiconv_thread_state()) }

  /// `isEnded` where nothing can be left out: the next one that asks finds it so.
  static func pause() { _ = isEnded }

  /// - Throws: `cancelled` if the call shall end early, or has.
  static func checkNotEnded() throws(ConvolutionError) {
    if isEnded { throw cancelled }
  }

  private static var cancelled: ConvolutionError {
    ConvolutionError(.cancelled, .run, "cancelled", expected: "to run to its end")
  }
}
