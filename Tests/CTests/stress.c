/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that create, run and end things at once, some of them shared: bits and statuses as when alone. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { THREADS = 6, STEPS = 60, SHARED = 4 };

static equiconv_group *d4;
/* One of each algorithm; of direct the output was computed alone. */
static test_layer shared[SHARED];
static equiconv_weight *prepared[SHARED];

/** A thread counts what went wrong, since checks are those of the main thread. */
typedef struct worker {
  pthread_t thread;
  test_random random;
  long broken;
} worker;

static bool runs_shared(test_random *random) {
  const int number = (int)random_between(random, 0, SHARED - 1);
  const test_layer *layer = &shared[number];
  const size_t bytes = (size_t)layer->outputs * sizeof(float);
  float *output = malloc(bytes);
  if (output == NULL) return false;
  const equiconv_status status =
      random_between(random, 0, 1) == 0
          ? equiconv_plan_forward(layer->plan, layer->batch, layer->input, layer->weight, layer->bias, output)
          : equiconv_plan_forward_prepared(layer->plan, layer->batch, layer->input, prepared[number], layer->bias,
                                           output);
  const bool same = number != EQUICONV_ALGORITHM_DIRECT || memcmp(output, layer->output, bytes) == 0;
  free(output);
  return status == EQUICONV_SUCCESS && same;
}

static bool runs_gradients_of_shared(test_random *random) {
  /* There is no weight gradient by Winograd tiles. */
  static const int with_gradients[] = {EQUICONV_ALGORITHM_AUTO, EQUICONV_ALGORITHM_DIRECT, EQUICONV_ALGORITHM_FOURIER};
  const test_layer *layer = &shared[with_gradients[random_between(random, 0, 2)]];
  float *input = malloc((size_t)layer->inputs * sizeof(float)),
        *weight = malloc((size_t)layer->weights * sizeof(float));
  const bool done =
      input != NULL && weight != NULL &&
      equiconv_plan_input_gradient(layer->plan, layer->batch, layer->output, layer->weight, input) ==
          EQUICONV_SUCCESS &&
      equiconv_plan_weight_gradient(layer->plan, layer->batch, layer->output, layer->input, weight) == EQUICONV_SUCCESS;
  free(input);
  free(weight);
  return done;
}

/** A simple call, whose plan comes from the cache that all threads share; more layers than it keeps. */
static bool calls_simply(test_random *random) {
  equiconv_group *group = NULL;
  if (equiconv_group_create_cyclic(random_between(random, 1, 4), &group) != EQUICONV_SUCCESS) return false;
  float input[2 * 12 * 12] = {1, 2, 3}, weight[2 * 2 * 3 * 3] = {4, 5, 6}, output[2 * 4 * 12 * 12];
  equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, random_between(random, 1, 2),
                                          random_between(random, 1, 2), random_between(random, 4, 12), 3);
  d.algorithm = EQUICONV_ALGORITHM_AUTO;
  const equiconv_status status = equiconv_lifting_conv(&d, 1, input, weight, NULL, output);
  equiconv_group_destroy(group);
  return status == EQUICONV_SUCCESS;
}

/** Each thread sees the message of its own error. */
static bool fails_with_its_own_message(test_random *random) {
  const int64_t n = random_between(random, 5000, 5000000);
  char expected[32];
  equiconv_group *group = NULL;
  const equiconv_status status = equiconv_group_create_cyclic(n, &group);
  snprintf(expected, sizeof expected, "%lld", (long long)n);
  return status == EQUICONV_ERROR_INVALID_ORDER && strstr(equiconv_last_error_message(), expected) != NULL;
}

static bool changes_settings(test_random *random) {
  return equiconv_set_num_threads((int32_t)random_between(random, 1, 4)) == EQUICONV_SUCCESS &&
         equiconv_set_workspace_limit(random_between(random, 1, 8) << 20) == EQUICONV_SUCCESS;
}

static void *work(void *argument) {
  static bool (*const steps[])(test_random *) = {runs_shared, runs_gradients_of_shared, calls_simply,
                                                 fails_with_its_own_message, changes_settings};
  worker *w = argument;
  for (int i = 0; i < STEPS; i++) {
    if (!steps[random_between(&w->random, 0, sizeof steps / sizeof *steps - 1)](&w->random)) w->broken += 1;
  }
  return NULL;
}

static void threads_at_once(void) {
  worker workers[THREADS];
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (worker){.random = {(uint64_t)i + 1}};
    CHECK(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(workers[i].thread, NULL);
    CHECK(workers[i].broken == 0);
  }
}

int main(void) {
  test_random random = {2};
  CHECK_SUCCESS(equiconv_group_create_dihedral(4, &d4));
  for (int i = 0; i < SHARED; i++) {
    equiconv_descriptor d = make_descriptor(d4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 2, 2, 24, 3);
    d.algorithm = (int32_t)i;
    shared[i] = layer_make(&d, 2, &random);
    layer_forward(&shared[i]);
    CHECK_SUCCESS(equiconv_plan_prepare(shared[i].plan, shared[i].weight, &prepared[i]));
  }
  RUN(threads_at_once);
  for (int i = 0; i < SHARED; i++) {
    equiconv_weight_destroy(prepared[i]);
    layer_free(&shared[i]);
  }
  equiconv_group_destroy(d4);
  return test_result();
}
