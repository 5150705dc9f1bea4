/* SPDX-License-Identifier: Apache-2.0 */
/* usage: forks [trials]
 *
 * A process that forks while another of its threads is in the very first call of the library: parent and child both go
 * on. This program makes no call itself, so that every trial is a process in which nothing was ever called. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "process.h"
#include "test.h"

static int trials = 60;

typedef struct {
  equiconv_dtype dtype;
  equiconv_algorithm algorithm;
  int group, basis;
  bool gradients;
} call;

/* One call of everything that a layer needs, each of another kind. */
static call kind(int number) {
  const int groups[] = {GROUP_C4, GROUP_C8, GROUP_D4};
  return (call){.dtype = number % 2 == 0 ? EQUICONV_FLOAT32 : EQUICONV_FLOAT64,
                .algorithm = number % 3 == 2 ? EQUICONV_ALGORITHM_FOURIER : EQUICONV_ALGORITHM_DIRECT,
                .group = groups[number / 2 % 3],
                .basis = number % 5 == 4 ? 1 : 0,
                .gradients = number % 4 == 3};
}

static bool run(call c) {
  test_random random = {95};
  bool done = false;
  equiconv_group *group = make_group(c.group);
  equiconv_basis *basis = make_basis(c.basis, 2, 3);
  equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GROUP, c.dtype, 2, 2, 9, 3);
  d.algorithm = c.algorithm;
  d.basis = basis;
  test_layer l = layer_make(&d, 1, &random);
  if (l.plan != NULL) {
    done = equiconv_plan_forward(l.plan, 1, l.input, l.weight, l.bias, l.output) == EQUICONV_SUCCESS;
    if (c.gradients) {
      done = done && equiconv_plan_input_gradient(l.plan, 1, l.output, l.weight, l.input) == EQUICONV_SUCCESS &&
             equiconv_plan_weight_gradient(l.plan, 1, l.output, l.input, l.weight) == EQUICONV_SUCCESS;
    }
    layer_free(&l);
  }
  equiconv_basis_destroy(basis);
  equiconv_group_destroy(group);
  return done;
}

static void *first_caller(void *c) { return run(*(call *)c) ? c : NULL; }

static bool every_kind_runs(void *unused) {
  (void)unused;
  bool done = true;
  for (int number = 0; number < 12; number++) done = run(kind(number)) && done;
  return done;
}

/* Forks at some moment of the first call. */
static bool forks_in_the_first_call(void *argument) {
  const int number = *(const int *)argument;
  call first = kind(number);
  void *done = NULL;
  pthread_t thread;
  if (pthread_create(&thread, NULL, first_caller, &first) != 0) return false;
  const struct timespec moment = {0, (long)(number * 7919 % 400) * 2000}; /* up to 0.8 ms */
  nanosleep(&moment, NULL);
  const bool holds = holds_in_child(every_kind_runs, NULL, 20);
  return pthread_join(thread, &done) == 0 && done != NULL && every_kind_runs(NULL) && holds;
}

static void a_fork_during_the_very_first_call_leaves_both_processes_working(void) {
  for (int number = 0; number < trials; number++) CHECK(holds_in_child(forks_in_the_first_call, &number, 60));
}

int main(int count, char **arguments) {
  if (count > 1) trials = atoi(arguments[1]);
  RUN(a_fork_during_the_very_first_call_leaves_both_processes_working);
  return test_result();
}
