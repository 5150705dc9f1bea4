// SPDX-License-Identifier: Apache-2.0
//
// What holds of a thread while it is inside the engine: its floating-point environment, whether its call shall end early,
// and that no process forks in the middle of what it does. Not API.
//
// A call begins and ends (they nest). Between two pieces of work, holding no lock, it asks `equiconv_is_ended`: there a
// thread that forks may let it wait, and there the poll of its caller is called.
#ifndef EQUICONV_CALL_STATE_H
#define EQUICONV_CALL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "EquiconvFloatingPoint.h"
#include "EquiconvInterruption.h"

/// One thread.
typedef struct equiconv_thread {
  int32_t depth;                                       // calls that it is inside of, one in the other
  int32_t is_ended;                                    // a poll said so
  const equiconv_interruption *_Nullable interruption; // what it polls, or NULL
  int64_t next_poll;                                   // nanoseconds of the coarse clock; 0: no clock was read yet
  const int32_t *_Nullable follows;                    // in a worker: `is_ended` of the thread whose loop it shares
  equiconv_floating_point outside;                     // the environment of the outermost call's caller
} equiconv_thread;

EQUICONV_HIDDEN equiconv_thread *_Nonnull equiconv_thread_state(void);

/// Begins a call in the given arithmetic, for the length of it. Waits while a thread forks.
/// - Returns: the environment to give to `equiconv_end_call`.
EQUICONV_HIDDEN equiconv_floating_point equiconv_begin_call(equiconv_arithmetic arithmetic);
/// Ends it.
/// - Returns: whether it was ended early.
EQUICONV_HIDDEN bool equiconv_end_call(equiconv_floating_point before);

/// A worker's share of the loop of another thread, in that thread's environment and until its end.
EQUICONV_HIDDEN void equiconv_begin_share(const equiconv_thread *_Nonnull caller, equiconv_floating_point environment);
EQUICONV_HIDDEN void equiconv_end_share(void);

/// Forks that wait for threads to pause.
EQUICONV_HIDDEN extern int32_t equiconv_waiting_forks;
EQUICONV_HIDDEN void equiconv_pause_for_fork(equiconv_thread *_Nonnull thread);
EQUICONV_HIDDEN bool equiconv_poll(equiconv_thread *_Nonnull thread);

/// Lets a fork happen, if one waits.
static inline void equiconv_let_fork(equiconv_thread *_Nonnull thread) {
  if (__builtin_expect(__atomic_load_n(&equiconv_waiting_forks, __ATOMIC_RELAXED) != 0, 0)) {
    equiconv_pause_for_fork(thread);
  }
}

/// Whether the thread's call shall end early. Asked between pieces of work, with no lock held.
static inline bool equiconv_is_ended(equiconv_thread *_Nonnull thread) {
  equiconv_let_fork(thread);
  if (thread->follows) return __atomic_load_n(thread->follows, __ATOMIC_RELAXED) != 0;
  return __builtin_expect(thread->interruption != NULL, 0) && equiconv_poll(thread);
}

/// The locks of the process; see ProcessLock.swift. A forking thread takes both first.
typedef enum equiconv_lock { EQUICONV_LOCK_TABLES, EQUICONV_LOCK_MEMORY } equiconv_lock;
EQUICONV_HIDDEN void equiconv_take_lock(equiconv_lock lock);
EQUICONV_HIDDEN void equiconv_release_lock(equiconv_lock lock);

#endif
