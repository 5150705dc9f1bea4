/* SPDX-License-Identifier: Apache-2.0 */
/* When memory is refused, and what other threads do while it is asked for. */
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

#include "allocations.h"
#include "process.h"
#include "refused_calls.h"
#include "test.h"

/* ---- Each large allocation fails, once, and with all after it ---- */

/** What a child found out, and what the next one is to do. */
typedef struct sweep {
  const refused_call *call;
  long n;
  bool onwards, is_over;
  uint64_t expected;
} sweep;

/** The n-th allocation is refused to the call, and then it is left alone. */
static bool refusal_is_survived(sweep *s) {
  fail_allocation(s->n, s->onwards);
  const outcome refused = run_call(s->call);
  s->is_over = !stop_failing();
  if (s->is_over) return refused.status == EQUICONV_SUCCESS && refused.digest == s->expected;
  const bool is_told =
      refused.status == EQUICONV_ERROR_OUT_OF_MEMORY && strstr(equiconv_last_error_message(), "expected") != NULL;
  if (!is_told) printf("  %s, allocation %ld: %s\n", s->call->name, s->n, equiconv_status_name(refused.status));
  const outcome after = run_call(s->call);
  return is_told && after.status == EQUICONV_SUCCESS && after.digest == s->expected;
}

static bool undisturbed(void *argument) {
  sweep *s = argument;
  const outcome found = run_call(s->call);
  s->expected = found.digest;
  return found.status == EQUICONV_SUCCESS;
}

static bool survives(void *argument) { return refusal_is_survived(argument); }

/* Each in a process that has never computed: nothing is cached, so that every allocation is made. */
static void refusals_become_statuses(void) {
  sweep *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(s != MAP_FAILED);
  for (const refused_call *call = refused_calls; call->name != NULL; call++) {
    s->call = call;
    CHECK(holds_in_child(undisturbed, s, 120));
    long refusals = 0;
    for (int onwards = 0; onwards < 2; onwards++) {
      s->onwards = onwards == 1;
      s->is_over = false;
      for (s->n = 1; !s->is_over && s->n < 1000; s->n++) {
        const bool holds = holds_in_child(survives, s, 120);
        CHECK(holds);
        if (!holds) printf("  %s, allocation %ld%s\n", call->name, s->n, onwards ? " and all after it" : "");
        refusals += !s->is_over;
      }
      CHECK(s->is_over);
    }
    CHECK(refusals > 0);
    printf("     %s: %ld refusals\n", call->name, refusals);
  }
  munmap(s, sizeof *s);
}

/* In one process: what a failure leaves behind would be there after the second time, and not after the first. */
static void refusals_lose_no_memory(void) {
  for (const refused_call *call = refused_calls; call->name != NULL; call++) {
    sweep s = {call, 0, false, false, 0};
    int64_t live[2] = {0, 0};
    /* Caches of weights are then full. */
    for (int i = 0; i < 8; i++) CHECK(undisturbed(&s));
    for (int round = 0; round < 2; round++) {
      s.is_over = false;
      for (s.n = 1; !s.is_over && s.n < 1000; s.n++) CHECK(refusal_is_survived(&s));
      live[round] = live_bytes();
    }
    CHECK(live[1] <= live[0]);
    if (live[1] > live[0]) printf("  %s: %lld bytes more\n", call->name, (long long)(live[1] - live[0]));
  }
}

/* ---- No lock is held over a large allocation ---- */

static sem_t asked, answered;
static _Atomic bool is_stuck, is_done;
static equiconv_group *c2;

static bool tiny_call(void) {
  static _Thread_local float input[9], weight[9], output[2];
  equiconv_descriptor d = make_descriptor(c2, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 3, 3);
  weight[4] = input[4] = 2;
  return equiconv_lifting_conv(&d, 1, input, weight, NULL, output) == EQUICONV_SUCCESS && output[0] == 4;
}

/** Makes a tiny call each time it is asked to. */
static void *bystander(void *unused) {
  for (;;) {
    while (sem_wait(&asked) != 0) {
    }
    if (is_done) return unused;
    if (!tiny_call()) is_stuck = true;
    sem_post(&answered);
  }
}

/** Lets the bystander have its turn, and gives up where that takes a minute. */
static void let_others_go_on(void) {
  if (is_stuck) return;
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += 60;
  sem_post(&asked);
  if (sem_timedwait(&answered, &end) != 0) is_stuck = true;
}

static void others_go_on_while_memory_is_asked_for(void) {
  pthread_t thread;
  sem_init(&asked, 0, 0);
  sem_init(&answered, 0, 0);
  c2 = make_group(4);
  CHECK(tiny_call());
  CHECK(pthread_create(&thread, NULL, bystander, NULL) == 0);
  for (const refused_call *call = refused_calls; call->name != NULL && !is_stuck; call++) {
    before_allocations(let_others_go_on);
    const outcome found = run_call(call);
    before_allocations(NULL);
    CHECK(found.status == EQUICONV_SUCCESS);
    CHECK(!is_stuck);
    if (is_stuck) printf("  a tiny call waited for %s\n", call->name);
  }
  is_done = true;
  sem_post(&asked);
  CHECK(pthread_join(thread, NULL) == 0);
  equiconv_group_destroy(c2);
}

/* ---- An address space that is too small ---- */

/** A call under a limit: bytes more than the process has now. */
typedef struct limited_call {
  const char *name;
  int64_t bytes;
} limited_call;

static bool limit_is_survived(void *argument) {
  const limited_call *limited = argument;
  const refused_call *call = refused_calls;
  while (strcmp(call->name, limited->name) != 0) call++;
  struct rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  const struct rlimit small = {(rlim_t)(virtual_bytes() + limited->bytes), limit.rlim_max};
  setrlimit(RLIMIT_AS, &small);
  const outcome refused = run_call(call);
  setrlimit(RLIMIT_AS, &limit);
  const outcome after = run_call(call);
  if (refused.status != EQUICONV_ERROR_OUT_OF_MEMORY) {
    printf("  %s: %s\n", call->name, equiconv_status_name(refused.status));
  }
  return refused.status == EQUICONV_ERROR_OUT_OF_MEMORY && after.status == EQUICONV_SUCCESS;
}

static void a_limited_address_space_becomes_a_status(void) {
  static limited_call calls[] = {{"largest_cyclic_group", INT64_C(16) << 20},
                                 {"large_bases", INT64_C(8) << 20},
                                 {"wide_layer", INT64_C(8) << 20},
                                 {"largest_kernel", INT64_C(4) << 20},
                                 {"fourier_layer", INT64_C(2) << 20},
                                 {"winograd_layer", INT64_C(2) << 20}};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) CHECK(holds_in_child(limit_is_survived, &calls[i], 120));
}

int main(void) {
  if (!allocations_are_seen()) {
    printf("     skipped: this C library's malloc cannot be replaced\n");
    return 0;
  }
  if (!make_calls_ready() || equiconv_set_num_threads(2) != EQUICONV_SUCCESS) return 1;
  RUN(refusals_become_statuses); /* before this process computes anything */
  RUN(a_limited_address_space_becomes_a_status);
  RUN(refusals_lose_no_memory);
  RUN(others_go_on_while_memory_is_asked_for);
  return test_result();
}
