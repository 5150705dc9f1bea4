// SPDX-License-Identifier: Apache-2.0

import Synchronization
import _EquiconvPlatform
import _EquiconvShims

/// Workers that share the items of one loop with the calling thread.
///
/// Items are claimed one by one, so a slow core gets fewer. The result of an item must not depend on the thread that
/// computes it. One loop runs at a time: a caller that finds the pool busy does its items alone. The first parallel
/// loop starts the workers, and a forked child starts with a new pool.
///
/// Workers compute in the caller's floating-point environment, block the signals that are the program's to handle, and
/// run on all processors of the process, even if the caller is bound to one. Between items, threads ask whether the
/// call should end; the remaining items are then left out.
package final class ThreadPool: @unchecked Sendable {
  package typealias Body = (_ worker: Int, _ item: Int) -> Void

  private struct Loop {
    var body: Body
    var count: Int
    var caller: UnsafeMutablePointer<equiconv_thread>
    var environment: equiconv_floating_point
  }

  private let busy = Atomic<Bool>(false)
  private let generation = Atomic<Int>(0)
  private let nextItem = Atomic<Int>(0)
  /// Places left for workers in the current loop.
  private let places = Atomic<Int>(0)
  /// Workers that have entered and not finished.
  private let working = Atomic<Int>(0)
  private let sleeping = Atomic<Int>(0)
  private var loop: UnsafePointer<Loop>?
  private var workers = 0
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  private init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
  }

  /// The pool of this process. Replaced in a forked child, whose parent's workers do not exist.
  private nonisolated(unsafe) static var current: ThreadPool = {
    pthread_atfork(nil, nil, { ThreadPool.current = ThreadPool() })
    return ThreadPool()
  }()

  /// Runs `body(worker, item)` for each item, on up to `threads` threads of which the caller is worker 0; for fewer if the
  /// call ends early.
  package static func run(_ count: Int, threads: Int, _ body: Body) {
    let pool = threads > 1 && count > 1 ? current : nil
    guard let pool, !pool.busy.exchange(true, ordering: .acquiring) else {
      let thread = equiconv_thread_state()
      for item in 0..<count {
        if equiconv_is_ended(thread) { return }
        body(0, item)
      }
      return
    }
    pool.share(count, threads: threads, body)
    pool.busy.store(false, ordering: .releasing)
  }

  private func share(_ count: Int, threads: Int, _ body: Body) {
    startWorkers(threads - 1)
    let thread = equiconv_thread_state()
    withoutActuallyEscaping(body) { body in
      let whole = Loop(body: body, count: count, caller: thread, environment: equiconv_floating_point_of_thread())
      withUnsafePointer(to: whole) { loop in
        self.loop = loop
        nextItem.store(0, ordering: .sequentiallyConsistent)
        places.store(min(threads - 1, workers, count - 1), ordering: .sequentiallyConsistent)
        generation.add(1, ordering: .sequentiallyConsistent)
        if sleeping.load(ordering: .sequentiallyConsistent) > 0 {
          pthread_mutex_lock(mutex)
          pthread_cond_broadcast(wake)
          pthread_mutex_unlock(mutex)
        }
        work(loop.pointee, worker: 0)
        // No worker may enter any more; those inside finish the item they hold.
        places.store(Int.min / 2, ordering: .sequentiallyConsistent)
        awaitWorkers(thread)
        self.loop = nil
      }
    }
  }

  private func work(_ loop: Loop, worker: Int) {
    let thread = equiconv_thread_state()
    while !equiconv_is_ended(thread) {
      let item = nextItem.add(1, ordering: .relaxed).oldValue
      if item >= loop.count { return }
      loop.body(worker, item)
    }
  }

  private func startWorkers(_ wanted: Int) {
    if workers >= wanted { return }
    // Threads inherit the signal mask of the thread that creates them.
    let mask = SignalMask.blockAll()
    var processors = equiconv_run_on_all()
    defer {
      equiconv_run_on(&processors)
      mask.restore()
    }
    while workers < wanted {
      let start = Unmanaged.passRetained(Start(pool: self, seen: generation.load(ordering: .relaxed)))
      var thread = pthread_t()
      let result = pthread_create(
        &thread, nil,
        { argument in
          #if canImport(Darwin)
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
          #else
            let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
          #endif
          start.pool.serve(after: start.seen)
        }, start.toOpaque())
      guard result == 0 else {
        // There are fewer threads than requested: the caller's own share grows, results do not change.
        start.release()
        return
      }
      pthread_detach(thread)
      workers += 1
    }
  }

  private final class Start {
    let pool: ThreadPool
    let seen: Int
    init(pool: ThreadPool, seen: Int) {
      self.pool = pool
      self.seen = seen
    }
  }

  private func serve(after generationSeen: Int) -> Never {
    var seen = generationSeen
    while true {
      awaitGeneration(after: seen)
      seen = generation.load(ordering: .sequentiallyConsistent)
      working.add(1, ordering: .sequentiallyConsistent)
      // The place is the worker's number in this loop: below the thread count, whatever thread it is.
      let place = places.subtract(1, ordering: .sequentiallyConsistent).newValue
      if place >= 0, let loop {
        equiconv_begin_share(loop.pointee.caller, loop.pointee.environment)
        work(loop.pointee, worker: place + 1)
        equiconv_end_share()
      }
      working.subtract(1, ordering: .sequentiallyConsistent)
    }
  }

  /// Waits in a loop for a while, since the next loop often follows at once, then sleeps.
  private func awaitGeneration(after seen: Int) {
    for _ in 0..<4000 {
      if generation.load(ordering: .acquiring) != seen { return }
      equiconv_relax()
    }
    pthread_mutex_lock(mutex)
    sleeping.add(1, ordering: .sequentiallyConsistent)
    while generation.load(ordering: .sequentiallyConsistent) == seen { pthread_cond_wait(wake, mutex) }
    sleeping.subtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(mutex)
  }

  /// Waits for the workers to finish the items they hold. They may themselves wait for a fork, and the fork for this thread.
  private func awaitWorkers(_ thread: UnsafeMutablePointer<equiconv_thread>) {
    var turns = 0
    while working.load(ordering: .sequentiallyConsistent) > 0 {
      turns += 1
      equiconv_let_fork(thread)
      if turns & 1023 == 0 { sched_yield() } else { equiconv_relax() }
    }
  }
}

/// The signals that a thread blocks, for threads to inherit.
private struct SignalMask {
  private var before = sigset_t()

  /// Blocks all signals that the program may want to handle on threads of its own: all but those that an instruction
  /// raises in the thread that executes it.
  static func blockAll() -> SignalMask {
    var mask = SignalMask()
    var blocked = sigset_t()
    sigfillset(&blocked)
    for signal in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT] { sigdelset(&blocked, signal) }
    pthread_sigmask(SIG_SETMASK, &blocked, &mask.before)
    return mask
  }

  func restore() {
    var before = before
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }
}
