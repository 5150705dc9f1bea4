/* SPDX-License-Identifier: Apache-2.0 */
/* A call that its caller cancels ends where it is, whatever it computes and on however many threads; the calls after it
 * give the right bits. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* ---- Who is asked ---- */

typedef struct {
  int asked, answer_at;
  bool elsewhere; /* asked on another thread */
  pthread_t caller;
} asker;

static int32_t ask(void *context) {
  asker *a = context;
  a->asked += 1;
  if (!pthread_equal(a->caller, pthread_self())) a->elsewhere = true;
  return a->answer_at > 0 && a->asked >= a->answer_at;
}

static equiconv_call begin(asker *a, int answer_at) {
  *a = (asker){.answer_at = answer_at, .caller = pthread_self()};
  return (equiconv_call){sizeof(equiconv_call), ask, a, EQUICONV_SUCCESS, {0}};
}

/* ---- Calls that would take seconds ---- */

typedef enum { FORWARD, INPUT_GRADIENT, WEIGHT_GRADIENT } pass;

static equiconv_status run(const test_layer *l, pass pass, int64_t batch, void *result, equiconv_call *call) {
  switch (pass) {
  case FORWARD: return equiconv_plan_forward_with_call(l->plan, batch, l->input, l->weight, l->bias, result, call);
  case INPUT_GRADIENT:
    return equiconv_plan_input_gradient_with_call(l->plan, batch, l->output, l->weight, result, call);
  default: return equiconv_plan_weight_gradient_with_call(l->plan, batch, l->output, l->input, result, call);
  }
}

static size_t result_bytes(const test_layer *l, pass pass, int64_t batch) {
  const int64_t count = pass == FORWARD          ? l->outputs / l->batch * batch
                        : pass == INPUT_GRADIENT ? l->inputs / l->batch * batch
                                                 : l->weights;
  return (size_t)count * sizeof(float);
}

/* A small batch by a plan that no cancelled call has used, and by the one that a cancelled call leaves behind. */
static void check_pass(const equiconv_descriptor *d, int64_t batch, pass pass, int32_t threads) {
  test_random random = {96};
  test_layer l = layer_make(d, batch, &random);
  if (l.plan == NULL) return;
  random_fill(&random, l.dtype, l.output, l.outputs);
  float *expected = malloc(result_bytes(&l, pass, 1)), *result = malloc(result_bytes(&l, pass, batch));
  CHECK_SUCCESS(equiconv_set_num_threads(threads));
  asker a;
  equiconv_call call = begin(&a, 1);
  CHECK_STATUS(run(&l, pass, batch, result, &call), EQUICONV_ERROR_CANCELLED);
  CHECK(a.asked == 1 && !a.elsewhere);
  CHECK(call.status == EQUICONV_ERROR_CANCELLED && strstr(call.message, "cancelled") != NULL);
  test_layer small = l;
  CHECK_SUCCESS(equiconv_plan_create(d, &small.plan));
  CHECK_SUCCESS(run(&small, pass, 1, expected, NULL));
  equiconv_plan_destroy(small.plan);
  CHECK_SUCCESS(run(&l, pass, 1, result, NULL));
  CHECK(memcmp(result, expected, result_bytes(&l, pass, 1)) == 0);
  free(expected);
  free(result);
  layer_free(&l);
}

static equiconv_descriptor large(const equiconv_group *group, equiconv_algorithm algorithm, int64_t channels,
                                 int64_t size, int64_t kernel) {
  equiconv_descriptor d =
      make_descriptor(group, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, channels, channels, size, kernel);
  d.padding[0] = d.padding[1] = EQUICONV_PADDING_SAME;
  d.algorithm = algorithm;
  return d;
}

static void every_pass_of_direct_ends(void) {
  equiconv_group *c4 = make_group(GROUP_C4);
  const equiconv_descriptor d = large(c4, EQUICONV_ALGORITHM_DIRECT, 48, 48, 21);
  for (int pass = FORWARD; pass <= WEIGHT_GRADIENT; pass++) check_pass(&d, 6, pass, 1 + pass % 2);
  equiconv_group_destroy(c4);
}

static void every_pass_of_fourier_ends(void) {
  equiconv_group *d4 = make_group(GROUP_D4);
  const equiconv_descriptor d = large(d4, EQUICONV_ALGORITHM_FOURIER, 64, 48, 9);
  for (int pass = FORWARD; pass <= WEIGHT_GRADIENT; pass++) check_pass(&d, 8, pass, 2 - pass % 2);
  equiconv_group_destroy(d4);
}

static void every_pass_of_winograd_ends(void) {
  equiconv_group *d4 = make_group(GROUP_D4);
  const equiconv_descriptor d = large(d4, EQUICONV_ALGORITHM_WINOGRAD, 96, 32, 3);
  for (int pass = FORWARD; pass <= INPUT_GRADIENT; pass++) check_pass(&d, 16, pass, 1 + pass);
  equiconv_group_destroy(d4);
}

/* Sums over orbits, banks of turned kernels, and weights that are sampled first. */
static void layers_of_other_kinds_end(void) {
  equiconv_group *c8 = make_group(GROUP_C8), *d4 = make_group(GROUP_D4);
  const equiconv_descriptor turned = large(c8, EQUICONV_ALGORITHM_DIRECT, 32, 48, 13);
  check_pass(&turned, 6, FORWARD, 1);
  check_pass(&turned, 6, WEIGHT_GRADIENT, 1);
  equiconv_descriptor orbits = large(d4, EQUICONV_ALGORITHM_DIRECT, 256, 64, 21);
  orbits.layer = EQUICONV_LAYER_ISOTROPIC;
  check_pass(&orbits, 24, FORWARD, 1);
  equiconv_group_destroy(c8);
  equiconv_group_destroy(d4);
}

static void a_pool_ends(void) {
  enum { OUTER = 2, ORDER = 4096, INNER = 8192 };
  float *input = calloc((size_t)OUTER * ORDER * INNER, sizeof(float)),
        *output = calloc((size_t)OUTER * INNER, sizeof(float));
  for (int32_t threads = 1; threads <= 2; threads++) {
    asker a;
    equiconv_call call = begin(&a, 1);
    CHECK_SUCCESS(equiconv_set_num_threads(threads));
    CHECK_STATUS(
        equiconv_group_pool_with_call(EQUICONV_FLOAT32, EQUICONV_POOL_MEAN, OUTER, ORDER, INNER, input, output, &call),
        EQUICONV_ERROR_CANCELLED);
    CHECK(a.asked == 1 && !a.elsewhere);
  }
  free(input);
  free(output);
}

/* Almost 2^22 terms, the most there may be, interpolated. */
static void making_a_plan_ends(void) {
  equiconv_group *group = NULL;
  equiconv_plan *plan = NULL;
  CHECK_SUCCESS(equiconv_group_create_cyclic(360, &group));
  equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 1, 1, 16, 3);
  asker a;
  equiconv_call call = begin(&a, 1);
  CHECK_STATUS(equiconv_plan_create_with_call(&d, &plan, &call), EQUICONV_ERROR_CANCELLED);
  CHECK(a.asked == 1 && plan == NULL);
  equiconv_group_destroy(group);
}

/* ---- Calls that go on ---- */

/* The caller may call the library when it is asked, and be asked there too. */
static int32_t call_meanwhile(void *context) {
  const test_layer *l = context;
  float output[4 * 4 * 36];
  return equiconv_plan_forward(l->plan, 1, l->input, l->weight, l->bias, output) != EQUICONV_SUCCESS;
}

static void a_caller_that_does_not_cancel_gets_the_same_bits(void) {
  test_random random = {97};
  equiconv_group *c4 = make_group(GROUP_C4);
  const equiconv_descriptor d = large(c4, EQUICONV_ALGORITHM_DIRECT, 32, 48, 13);
  const equiconv_descriptor tiny = make_descriptor(c4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 4, 8, 3);
  test_layer l = layer_make(&d, 8, &random), other = layer_make(&tiny, 1, &random);
  float *result = malloc(result_bytes(&l, FORWARD, l.batch));
  for (int32_t threads = 1; threads <= 2; threads++) {
    asker a;
    equiconv_call call = begin(&a, 0);
    CHECK_SUCCESS(equiconv_set_num_threads(threads));
    layer_forward(&l);
    CHECK_SUCCESS(run(&l, FORWARD, l.batch, result, &call));
    CHECK(memcmp(result, l.output, result_bytes(&l, FORWARD, l.batch)) == 0);
    call.is_cancelled = call_meanwhile;
    call.context = &other;
    CHECK_SUCCESS(run(&l, FORWARD, l.batch, result, &call));
    CHECK(memcmp(result, l.output, result_bytes(&l, FORWARD, l.batch)) == 0);
  }
  free(result);
  layer_free(&l);
  layer_free(&other);
  equiconv_group_destroy(c4);
}

static void a_short_call_does_not_ask(void) {
  test_random random = {98};
  equiconv_group *c4 = make_group(GROUP_C4);
  const equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 8, 3);
  test_layer l = layer_make(&d, 1, &random);
  int asked = 0;
  for (int i = 0; i < 100; i++) {
    asker a;
    equiconv_call call = begin(&a, 1);
    run(&l, FORWARD, 1, l.output, &call);
    asked += a.asked > 0;
  }
  CHECK(asked < 100); /* but for those that the system let wait for a tenth of a second */
  layer_free(&l);
  equiconv_group_destroy(c4);
}

int main(void) {
  RUN(every_pass_of_direct_ends);
  RUN(every_pass_of_fourier_ends);
  RUN(every_pass_of_winograd_ends);
  RUN(layers_of_other_kinds_end);
  RUN(a_pool_ends);
  RUN(making_a_plan_ends);
  RUN(a_caller_that_does_not_cancel_gets_the_same_bits);
  RUN(a_short_call_does_not_ask);
  return test_result();
}
