// SPDX-License-Identifier: Apache-2.0

#include "EquiconvCallState.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <time.h>

static _Thread_local equiconv_thread state;

equiconv_thread *equiconv_thread_state(void) { return &state; }

// ---- Forks -------------------------------------------------------------------------------------------------------
//
// A child has none of its parent's other threads, but whatever they were in the middle of: a lock they held, or a
// one-time initialization of the language's runtime that nobody in the child will finish. So a fork waits until no
// other thread is inside a call but at a place where it pauses.

/// Threads inside calls, those that pause not counted. On a line of its own: every call writes to it.
static _Alignas(64) int32_t active;
_Alignas(64) int32_t equiconv_waiting_forks;

static pthread_mutex_t locks[2] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

void equiconv_take_lock(equiconv_lock lock) { pthread_mutex_lock(&locks[lock]); }
void equiconv_release_lock(equiconv_lock lock) { pthread_mutex_unlock(&locks[lock]); }

/// How long a thread rests that waits for others, and how often it yields before it rests.
enum { REST_NANOSECONDS = 20000, MOST_YIELDS = 1000 };

static void rest(void) {
  const struct timespec moment = {0, REST_NANOSECONDS};
  nanosleep(&moment, NULL);
}

static void enter(void) {
  while (true) {
    __atomic_add_fetch(&active, 1, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&equiconv_waiting_forks, __ATOMIC_SEQ_CST)) return;
    __atomic_sub_fetch(&active, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&equiconv_waiting_forks, __ATOMIC_SEQ_CST)) rest();
  }
}

static void leave(void) { __atomic_sub_fetch(&active, 1, __ATOMIC_SEQ_CST); }

void equiconv_pause_for_fork(equiconv_thread *thread) {
  if (thread->depth == 0) return;
  leave();
  enter();
}

/// The forking thread itself is inside a call only if a signal handler forks.
static int32_t active_here(void) { return state.depth > 0 ? 1 : 0; }

static void before_fork(void) {
  __atomic_add_fetch(&equiconv_waiting_forks, 1, __ATOMIC_SEQ_CST);
  for (int turn = 0; __atomic_load_n(&active, __ATOMIC_SEQ_CST) > active_here(); turn++) {
    if (turn < MOST_YIELDS)
      sched_yield();
    else
      rest();
  }
  equiconv_take_lock(EQUICONV_LOCK_TABLES);
  equiconv_take_lock(EQUICONV_LOCK_MEMORY);
}

static void release_locks(void) {
  equiconv_release_lock(EQUICONV_LOCK_MEMORY);
  equiconv_release_lock(EQUICONV_LOCK_TABLES);
}

static void after_fork_in_parent(void) {
  release_locks();
  __atomic_sub_fetch(&equiconv_waiting_forks, 1, __ATOMIC_SEQ_CST);
}

static void after_fork_in_child(void) {
  release_locks();
  __atomic_store_n(&active, active_here(), __ATOMIC_SEQ_CST);
  __atomic_store_n(&equiconv_waiting_forks, 0, __ATOMIC_SEQ_CST);
}

// As the library loads, before there is any call.
__attribute__((constructor)) static void attend_to_forks(void) {
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

// ---- Calls -------------------------------------------------------------------------------------------------------

equiconv_floating_point equiconv_begin_call(equiconv_arithmetic arithmetic) {
  equiconv_thread *const thread = &state;
  const equiconv_floating_point before = equiconv_floating_point_of_thread();
  if (thread->depth == 0) {
    enter();
    thread->outside = before;
  }
  thread->depth++;
  // Writing the register costs more than reading it.
  const equiconv_floating_point wanted = equiconv_floating_point_for(arithmetic);
  if (!equiconv_computes_alike(before, wanted)) equiconv_set_floating_point(wanted);
  return before;
}

bool equiconv_end_call(equiconv_floating_point before) {
  equiconv_thread *const thread = &state;
  thread->depth--;
  // Status flags are of interest to who is outside only.
  if (thread->depth == 0 || !equiconv_computes_alike(before, equiconv_floating_point_of_thread())) {
    equiconv_set_floating_point(before);
  }
  if (thread->depth == 0) leave();
  return thread->is_ended != 0;
}

void equiconv_begin_share(const equiconv_thread *caller, equiconv_floating_point environment) {
  enter();
  state.depth = 1;
  state.follows = caller->follows ? caller->follows : &caller->is_ended;
  equiconv_set_floating_point(environment);
}

void equiconv_end_share(void) {
  state.follows = NULL;
  state.depth = 0;
  leave();
}

// ---- Interruption ------------------------------------------------------------------------------------------------

const equiconv_interruption *equiconv_interruption_of_thread(void) { return state.interruption; }

void equiconv_set_interruption_of_thread(const equiconv_interruption *interruption) {
  state.interruption = interruption;
  state.next_poll = 0;
  state.is_ended = 0;
}

enum { NANOSECONDS_PER_SECOND = 1000000000 };

static int64_t now(void) {
#if defined(__linux__)
  const clockid_t clock = CLOCK_MONOTONIC_COARSE; // some 5 ns, and exact to some ms
#else
  const clockid_t clock = CLOCK_MONOTONIC;
#endif
  struct timespec time;
  clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * NANOSECONDS_PER_SECOND + time.tv_nsec;
}

/// Asks the caller, whose code may do whatever a thread outside of any call may do.
static bool ask(equiconv_thread *thread) {
  const equiconv_thread inside = *thread;
  const equiconv_floating_point environment = equiconv_floating_point_of_thread();
  thread->depth = 0;
  leave();
  equiconv_set_floating_point(inside.outside);
  const bool is_ended = inside.interruption->poll(inside.interruption->context) != 0;
  equiconv_set_floating_point(environment);
  enter();
  *thread = inside;
  return is_ended;
}

bool equiconv_poll(equiconv_thread *thread) {
  enum { BEGIN = 100000000, STEP = 50000000 };
  if (thread->is_ended) return true;
  const int64_t time = now();
  if (thread->next_poll == 0) thread->next_poll = time + BEGIN;
  if (time < thread->next_poll) return false;
  const bool is_ended = ask(thread);
  thread->next_poll = now() + STEP;
  // Workers read it.
  if (is_ended) __atomic_store_n(&thread->is_ended, 1, __ATOMIC_RELAXED);
  return is_ended;
}
