/* SPDX-License-Identifier: Apache-2.0 */
/* Same bits from any number of threads, from concurrent callers, and on both sides of a fork. */
#define _GNU_SOURCE /* sched_setaffinity */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process.h"
#include "test.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_THREAD_SANITIZER
#endif
#endif

enum { CALLERS = 4, ROUNDS = 8 };

static equiconv_group *d4;
/* Threads before the first call: 1, and more under a sanitizer that has its own. */
static int threads_alone;
static test_layer large; /* its output was computed by one thread */

static bool forward_has_the_same_bits(void) {
  const size_t bytes = (size_t)large.outputs * sizeof(float);
  float *output = malloc(bytes);
  if (output == NULL) return false;
  const equiconv_status status =
      equiconv_plan_forward(large.plan, large.batch, large.input, large.weight, large.bias, output);
  const bool same = status == EQUICONV_SUCCESS && memcmp(output, large.output, bytes) == 0;
  free(output);
  return same;
}

/** All passes that share work between threads, one after the other in one array. */
static size_t all_gradients(float *result) {
  float *const gi = result, *const gw = gi + large.inputs, *const gb = gw + large.weights;
  CHECK_SUCCESS(equiconv_plan_input_gradient(large.plan, large.batch, large.output, large.weight, gi));
  CHECK_SUCCESS(equiconv_plan_weight_gradient(large.plan, large.batch, large.output, large.input, gw));
  CHECK_SUCCESS(equiconv_plan_bias_gradient(large.plan, large.batch, large.output, gb));
  return (size_t)(large.inputs + large.weights + large.biases) * sizeof(float);
}

/* ---- Tests, in this order ---- */

static void small_calls_start_no_thread(void) {
  test_random random = {81};
  const equiconv_descriptor d = make_descriptor(d4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 8, 3);
  CHECK_SUCCESS(equiconv_set_num_threads(3));
  test_layer layer = layer_make(&d, 1, &random);
  layer_forward(&layer);
  CHECK(thread_count() == threads_alone);
  layer_free(&layer);
}

static void one_thread_starts_no_other(void) {
  CHECK_SUCCESS(equiconv_set_num_threads(1));
  layer_forward(&large);
  CHECK(thread_count() == threads_alone);
}

static void results_do_not_depend_on_the_number_of_threads(void) {
  const size_t count = (size_t)(large.inputs + large.weights + large.biases);
  float *expected = malloc(count * sizeof(float)), *result = malloc(count * sizeof(float));
  CHECK_SUCCESS(equiconv_set_num_threads(1));
  const size_t bytes = all_gradients(expected);
  for (int32_t threads = 2; threads <= 3; threads++) {
    CHECK_SUCCESS(equiconv_set_num_threads(threads));
    CHECK(equiconv_get_num_threads() == threads);
    for (int round = 0; round < ROUNDS; round++) CHECK(forward_has_the_same_bits());
    all_gradients(result);
    CHECK(memcmp(result, expected, bytes) == 0);
  }
  CHECK(thread_count() > threads_alone); /* or nothing was shared, and nothing tested */
  free(expected);
  free(result);
}

static void *concurrent_caller(void *failures) {
  for (int round = 0; round < ROUNDS; round++) {
    if (!forward_has_the_same_bits()) atomic_fetch_add((atomic_int *)failures, 1);
  }
  return NULL;
}

static void concurrent_calls_agree(void) {
  atomic_int failures = 0;
  pthread_t callers[CALLERS];
  for (int32_t threads = 1; threads <= 3; threads++) {
    CHECK_SUCCESS(equiconv_set_num_threads(threads));
    for (int i = 0; i < CALLERS; i++) CHECK(pthread_create(&callers[i], NULL, concurrent_caller, &failures) == 0);
    for (int i = 0; i < CALLERS; i++) CHECK(pthread_join(callers[i], NULL) == 0);
  }
  CHECK(failures == 0);
}

static void *plan_maker(void *failures) {
  for (int64_t round = 0; round < 100; round++) {
    const equiconv_descriptor d = make_descriptor(d4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 4 + round % 7, 3);
    float input[100] = {0}, weight[9] = {0}, output[8 * 64];
    if (equiconv_lifting_conv(&d, 1, input, weight, NULL, output) != EQUICONV_SUCCESS) {
      atomic_fetch_add((atomic_int *)failures, 1);
    }
  }
  return NULL;
}

static void plans_are_cached_from_several_threads(void) {
  atomic_int failures = 0;
  pthread_t callers[CALLERS];
  for (int i = 0; i < CALLERS; i++) CHECK(pthread_create(&callers[i], NULL, plan_maker, &failures) == 0);
  for (int i = 0; i < CALLERS; i++) CHECK(pthread_join(callers[i], NULL) == 0);
  CHECK(failures == 0);
}

static void *failing_caller(void *named) {
  equiconv_group *group = NULL;
  equiconv_group_create_cyclic(-123, &group);
  *(bool *)named = strstr(equiconv_last_error_message(), "-123") != NULL;
  return NULL;
}

static void messages_belong_to_their_thread(void) {
  equiconv_group *group = NULL;
  bool named = false;
  pthread_t other;
  CHECK_STATUS(equiconv_group_create_cyclic(-456, &group), EQUICONV_ERROR_INVALID_ORDER);
  CHECK(pthread_create(&other, NULL, failing_caller, &named) == 0);
  CHECK(pthread_join(other, NULL) == 0);
  CHECK(named);
  CHECK(strstr(equiconv_last_error_message(), "-456") != NULL);
}

/* ---- Prepared weights ---- */

static test_layer tiles; /* a layer by Fourier tiles, with its output */
static equiconv_weight *prepared;
static float *prepared_output; /* that with a prepared weight, which may be of other tiles */

static bool tiles_have_the_same_bits(bool is_prepared) {
  const size_t bytes = (size_t)tiles.outputs * sizeof(float);
  float *output = malloc(bytes);
  if (output == NULL) return false;
  const equiconv_status status =
      is_prepared ? equiconv_plan_forward_prepared(tiles.plan, tiles.batch, tiles.input, prepared, tiles.bias, output)
                  : equiconv_plan_forward(tiles.plan, tiles.batch, tiles.input, tiles.weight, tiles.bias, output);
  const bool same =
      status == EQUICONV_SUCCESS && memcmp(output, is_prepared ? prepared_output : (float *)tiles.output, bytes) == 0;
  free(output);
  return same;
}

/** The plan and the prepared weight anew, with nothing transformed yet. */
static void renew(const equiconv_descriptor *d) {
  equiconv_weight_destroy(prepared);
  equiconv_plan_destroy(tiles.plan);
  CHECK_SUCCESS(equiconv_plan_create(d, &tiles.plan));
  CHECK_SUCCESS(equiconv_plan_prepare(tiles.plan, tiles.weight, &prepared));
}

static void *prepared_caller(void *failures) {
  for (int round = 0; round < ROUNDS; round++) {
    if (!tiles_have_the_same_bits(round % 2 == 0)) atomic_fetch_add((atomic_int *)failures, 1);
    if (equiconv_weight_bytes(prepared) <= 0) atomic_fetch_add((atomic_int *)failures, 1);
  }
  return NULL;
}

/* The first calls find neither the plan's tiles nor any transformed weights: all make them at once. */
static void threads_share_a_plan_and_a_prepared_weight(void) {
  for (int32_t threads = 1; threads <= 3; threads++) {
    test_random random = {83};
    atomic_int failures = 0;
    pthread_t callers[CALLERS];
    equiconv_descriptor d = make_descriptor(d4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 5, 6, 40, 5);
    d.algorithm = EQUICONV_ALGORITHM_FOURIER;
    CHECK_SUCCESS(equiconv_set_num_threads(threads));
    tiles = layer_make(&d, 2, &random);
    renew(&d);
    layer_forward(&tiles);
    prepared_output = guarded_alloc((size_t)tiles.outputs * sizeof(float));
    CHECK_SUCCESS(
        equiconv_plan_forward_prepared(tiles.plan, tiles.batch, tiles.input, prepared, tiles.bias, prepared_output));
    renew(&d);
    for (int i = 0; i < CALLERS; i++) CHECK(pthread_create(&callers[i], NULL, prepared_caller, &failures) == 0);
    for (int i = 0; i < CALLERS; i++) CHECK(pthread_join(callers[i], NULL) == 0);
    CHECK(failures == 0);
    equiconv_weight_destroy(prepared);
    prepared = NULL;
    guarded_free(prepared_output);
    layer_free(&tiles);
  }
}

/* ---- Forks ---- */

static bool child_computes(void *unused) {
  (void)unused;
  for (int round = 0; round < ROUNDS; round++) {
    if (!forward_has_the_same_bits()) return false;
  }
  return true;
}

static bool child_forks_again(void *unused) {
  return child_computes(unused) && holds_in_child(child_computes, NULL, 60) && child_computes(unused);
}

static void both_sides_of_a_fork_compute(void) {
  for (int32_t threads = 1; threads <= 3; threads++) {
    CHECK_SUCCESS(equiconv_set_num_threads(threads));
    CHECK(child_computes(NULL));
    CHECK(holds_in_child(child_computes, NULL, 60));
    CHECK(holds_in_child(child_forks_again, NULL, 60));
    CHECK(child_computes(NULL));
  }
}

static atomic_bool stop;

static void *busy_caller(void *failures) {
  while (!atomic_load(&stop)) {
    if (!forward_has_the_same_bits()) atomic_fetch_add((atomic_int *)failures, 1);
    plan_maker(failures);
  }
  return NULL;
}

/* The pool and the cache of plans may be in use by others at the moment of the fork. */
static void fork_while_another_thread_computes(void) {
  atomic_int failures = 0;
  pthread_t busy;
  CHECK_SUCCESS(equiconv_set_num_threads(2));
  atomic_store(&stop, false);
  CHECK(pthread_create(&busy, NULL, busy_caller, &failures) == 0);
  for (int i = 0; i < 20; i++) CHECK(holds_in_child(child_computes, NULL, 60));
  atomic_store(&stop, true);
  CHECK(pthread_join(busy, NULL) == 0);
  CHECK(failures == 0);
}

/* ---- Workers ---- */

/* A signal that the program blocks waits, though there are threads that never heard of it. */
static bool blocked_signals_wait(void *unused) {
  (void)unused;
  sigset_t blocked, before, after, pending;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_SETMASK, NULL, &before);
  bool holds = forward_has_the_same_bits() && thread_count() > 1;
  pthread_sigmask(SIG_BLOCK, &blocked, NULL);
  for (int round = 0; round < 20; round++) {
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGTERM);
    holds = holds && forward_has_the_same_bits();
  }
  sigpending(&pending);
  pthread_sigmask(SIG_SETMASK, NULL, &after);
  return holds && sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGTERM) && !sigismember(&before, SIGUSR1) &&
         sigismember(&after, SIGUSR1) && !sigismember(&after, SIGINT);
}

static void workers_take_no_signals(void) {
  CHECK_SUCCESS(equiconv_set_num_threads(3));
  CHECK(holds_in_child(blocked_signals_wait, NULL, 60));
}

static cpu_set_t processors; /* of this process, as it began */

/* The calling thread is bound to one processor, as OpenMP does it. Workers run where the process might as it began. */
static bool workers_run_on_all_processors(void *unused) {
  (void)unused;
  cpu_set_t one, of_thread;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (CPU_ISSET(cpu, &processors) && CPU_COUNT(&one) == 0) CPU_SET(cpu, &one);
  }
  bool holds = sched_setaffinity(0, sizeof one, &one) == 0 && forward_has_the_same_bits() && thread_count() > 1;
  DIR *tasks = opendir("/proc/self/task");
  for (struct dirent *entry; tasks != NULL && (entry = readdir(tasks)) != NULL;) {
    const pid_t task = (pid_t)atoi(entry->d_name);
    if (task == 0) continue;
    holds = holds && sched_getaffinity(task, sizeof of_thread, &of_thread) == 0 &&
            CPU_EQUAL(&of_thread, task == getpid() ? &one : &processors);
  }
  if (tasks != NULL) closedir(tasks);
  return holds;
}

static void workers_are_not_bound_as_their_caller_is(void) {
  CHECK_SUCCESS(equiconv_set_num_threads(3));
  CHECK(holds_in_child(workers_run_on_all_processors, NULL, 60));
}

static void the_number_of_threads_is_that_of_processors_at_first(void) {
  CHECK(equiconv_get_num_threads() == CPU_COUNT(&processors));
}

int main(void) {
  threads_alone = thread_count();
  sched_getaffinity(0, sizeof processors, &processors);
  test_random random = {82};
  d4 = make_group(GROUP_D4);
  equiconv_descriptor d = make_descriptor(d4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 9, 10, 40, 3);
  d.padding[0] = d.padding[1] = EQUICONV_PADDING_SAME;
  large = layer_make(&d, 3, &random);
  RUN(the_number_of_threads_is_that_of_processors_at_first);
  RUN(small_calls_start_no_thread);
  RUN(one_thread_starts_no_other);
  RUN(results_do_not_depend_on_the_number_of_threads);
  RUN(concurrent_calls_agree);
  RUN(plans_are_cached_from_several_threads);
  RUN(messages_belong_to_their_thread);
  RUN(threads_share_a_plan_and_a_prepared_weight);
  RUN(both_sides_of_a_fork_compute);
#ifdef HAS_THREAD_SANITIZER /* whose own locks are not ready for a fork while other threads run */
  (void)fork_while_another_thread_computes;
#else
  RUN(fork_while_another_thread_computes);
#endif
  RUN(workers_take_no_signals);
  RUN(workers_are_not_bound_as_their_caller_is);
  layer_free(&large);
  equiconv_group_destroy(d4);
  return test_result();
}
