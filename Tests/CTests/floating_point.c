/* SPDX-License-Identifier: Apache-2.0 */
/* The bits of results, and what is kept for later calls, depend on no floating-point environment of any caller's; and the
 * caller's environment, status flags included, is as before after every call. */
#define _GNU_SOURCE /* feenableexcept */
#include <fenv.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "test.h"

/* ---- Environments ---- */

typedef enum { ORDINARY, FLUSHING, DOWN, UP, TOWARD_ZERO, TRAPPING, RAISED, ENVIRONMENTS } environment;

static void enter(environment environment) {
  fesetenv(FE_DFL_ENV);
  if (environment == DOWN) fesetround(FE_DOWNWARD);
  if (environment == UP) fesetround(FE_UPWARD);
  if (environment == TOWARD_ZERO) fesetround(FE_TOWARDZERO);
  if (environment == RAISED) feraiseexcept(FE_INEXACT | FE_UNDERFLOW);
#if defined(__GLIBC__)
  if (environment == TRAPPING) feenableexcept(FE_ALL_EXCEPT);
#endif
#if defined(__x86_64__)
  if (environment == FLUSHING) _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
}

/* Control and status; elsewhere than on x86-64, what C says of them. */
static unsigned state(void) {
#if defined(__x86_64__)
  return _mm_getcsr();
#else
  return (unsigned)fegetround() << 16 | (unsigned)fetestexcept(FE_ALL_EXCEPT);
#endif
}

/* Calls in an environment, and looks whether it is the same afterwards. */
#define CALL(environment, call, status)    \
  do {                                     \
    enter(environment);                    \
    const unsigned before = state();       \
    const equiconv_status result = (call); \
    const unsigned after = state();        \
    fesetenv(FE_DFL_ENV);                  \
    CHECK(after == before);                \
    CHECK_STATUS(result, status);          \
  } while (0)

/* ---- All passes of a layer, each in the environment ---- */

enum { RESULTS = 5 };

typedef struct {
  equiconv_group *group;
  equiconv_basis *basis;
  equiconv_descriptor d;
  test_layer layer; /* arrays to compute from; its plan is not used */
  int64_t bank;
} subject;

/* Computes with `plan`, and writes copies of what came out. */
static void compute(const subject *s, const equiconv_plan *plan, environment e, void *results[RESULTS]) {
  const test_layer *l = &s->layer;
  const size_t size = dtype_size(l->dtype);
  const size_t counts[RESULTS] = {(size_t)l->outputs, (size_t)l->inputs, (size_t)l->weights, (size_t)l->biases,
                                  (size_t)s->bank};
  for (int i = 0; i < RESULTS; i++) results[i] = calloc(counts[i], size);
  CALL(e, equiconv_plan_forward(plan, l->batch, l->input, l->weight, l->bias, results[0]), EQUICONV_SUCCESS);
  CALL(e, equiconv_plan_input_gradient(plan, l->batch, l->output, l->weight, results[1]), EQUICONV_SUCCESS);
  if (s->d.algorithm != EQUICONV_ALGORITHM_WINOGRAD) { /* which has no weight gradient */
    CALL(e, equiconv_plan_weight_gradient(plan, l->batch, l->output, l->input, results[2]), EQUICONV_SUCCESS);
  }
  CALL(e, equiconv_plan_bias_gradient(plan, l->batch, l->output, results[3]), EQUICONV_SUCCESS);
  CALL(e, equiconv_plan_expand(plan, l->weight, results[4]), EQUICONV_SUCCESS);
  /* The last call fails, and leaves the environment alone as well. */
  CALL(e, equiconv_plan_forward(plan, -1, l->input, l->weight, l->bias, results[0]), EQUICONV_ERROR_INVALID_SIZE);
}

static bool agree(const subject *s, void *results[RESULTS], void *expected[RESULTS]) {
  const test_layer *l = &s->layer;
  const size_t size = dtype_size(l->dtype);
  const size_t counts[RESULTS] = {(size_t)l->outputs, (size_t)l->inputs, (size_t)l->weights, (size_t)l->biases,
                                  (size_t)s->bank};
  bool same = true;
  for (int i = 0; i < RESULTS; i++) same = same && memcmp(results[i], expected[i], counts[i] * size) == 0;
  return same;
}

static void release(void *results[RESULTS]) {
  for (int i = 0; i < RESULTS; i++) free(results[i]);
}

/* Numbers of all magnitudes, subnormal ones among them. */
static void scatter_magnitudes(const test_layer *l, void *array, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    const double factor = i % 5 == 0 ? 1e-39 : i % 7 == 0 ? 1e-20 : 1;
    if (l->dtype == EQUICONV_FLOAT32) ((float *)array)[i] *= (float)factor;
    if (l->dtype == EQUICONV_FLOAT64) ((double *)array)[i] *= i % 5 == 0 ? 1e-310 : factor;
  }
}

static subject make_subject(int group, int basis, equiconv_dtype dtype, equiconv_algorithm algorithm, environment e) {
  test_random random = {91};
  subject s = {0};
  enter(e); /* groups and bases are computed too */
  s.group = make_group(group);
  s.basis = make_basis(basis, 2, 3);
  fesetenv(FE_DFL_ENV);
  s.d = make_descriptor(s.group, EQUICONV_LAYER_GROUP, dtype, 3, 4, 34, 3);
  s.d.padding[0] = s.d.padding[1] = EQUICONV_PADDING_SAME;
  s.d.algorithm = algorithm;
  s.d.basis = s.basis;
  s.layer = layer_make(&s.d, 2, &random);
  scatter_magnitudes(&s.layer, s.layer.input, s.layer.inputs);
  scatter_magnitudes(&s.layer, s.layer.weight, s.layer.weights);
  layer_forward(&s.layer);
  int64_t shape[EQUICONV_MAX_RANK];
  int32_t rank;
  CHECK_SUCCESS(equiconv_plan_get_bank_shape(s.layer.plan, shape, &rank));
  s.bank = shape_count(shape);
  return s;
}

static void free_subject(subject *s) {
  layer_free(&s->layer);
  equiconv_basis_destroy(s->basis);
  equiconv_group_destroy(s->group);
}

/* In every environment: groups, bases and plans made there, then passes there, and again in the ordinary one, with what
 * the plan has kept. */
static void check_environments(int group, int basis, equiconv_dtype dtype, equiconv_algorithm algorithm) {
  void *expected[3][RESULTS] = {{0}}; /* by threads, which tiles may be chosen by */
  for (int e = ORDINARY; e < ENVIRONMENTS; e++) {
    subject s = make_subject(group, basis, dtype, algorithm, (environment)e);
    for (int32_t threads = 1; threads <= 2; threads++) {
      equiconv_plan *plan = NULL;
      void *results[RESULTS], *again[RESULTS];
      CHECK_SUCCESS(equiconv_set_num_threads(threads));
      CALL((environment)e, equiconv_plan_create(&s.d, &plan), EQUICONV_SUCCESS);
      compute(&s, plan, (environment)e, results);
      compute(&s, plan, ORDINARY, again);
      if (e == ORDINARY) {
        memcpy(expected[threads], results, sizeof results);
      } else {
        CHECK(agree(&s, results, expected[threads]));
        release(results);
      }
      CHECK(agree(&s, again, expected[threads]));
      release(again);
      equiconv_plan_destroy(plan);
    }
    free_subject(&s);
  }
  release(expected[1]);
  release(expected[2]);
}

static void direct_does_not_depend_on_the_callers_environment(void) {
  check_environments(GROUP_C4, 0, EQUICONV_FLOAT32, EQUICONV_ALGORITHM_DIRECT);
  check_environments(GROUP_C4, 0, EQUICONV_FLOAT64, EQUICONV_ALGORITHM_DIRECT);
}

static void tiles_do_not_depend_on_the_callers_environment(void) {
  check_environments(GROUP_C4, 0, EQUICONV_FLOAT32, EQUICONV_ALGORITHM_FOURIER);
  check_environments(GROUP_C4, 0, EQUICONV_FLOAT64, EQUICONV_ALGORITHM_FOURIER);
  check_environments(GROUP_C4, 0, EQUICONV_FLOAT32, EQUICONV_ALGORITHM_WINOGRAD);
}

/* Groups with rotations by any angle, and bases with tables of their own. */
static void groups_and_bases_do_not_depend_on_their_makers_environment(void) {
  for (int basis = 0; basis <= TEST_BASES; basis++) {
    check_environments(GROUP_C8, basis, EQUICONV_FLOAT32, EQUICONV_ALGORITHM_DIRECT);
  }
}

/* ---- Subnormal numbers ---- */

/* Zeros to every convolution, so that results differ neither with the machine's speed at them nor with the caller's mode. */
static void convolutions_take_subnormal_numbers_as_zeros(void) {
  equiconv_group *c4 = make_group(GROUP_C4);
  const equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 3, 3);
  float input[9], weight[9], output[4] = {1, 1, 1, 1};
  for (int i = 0; i < 9; i++) input[i] = 1e-39f;
  for (int i = 0; i < 9; i++) weight[i] = 1e20f;
  CHECK_SUCCESS(equiconv_lifting_conv(&d, 1, input, weight, NULL, output));
#if defined(__x86_64__) || defined(__aarch64__)
  for (int h = 0; h < 4; h++) CHECK(output[h] == 0);
#endif
  equiconv_group_destroy(c4);
}

static void pools_and_the_action_take_subnormal_numbers_as_they_are(void) {
  const float values[8] = {1e-40f, 3e-40f, 2e-40f, -1e-40f, -4e-40f, -3e-40f, -2e-40f, -5e-40f};
  float largest[2], mean[2], turned[8];
  equiconv_group *c4 = make_group(GROUP_C4);
  const int64_t spatial[2] = {1, 1};
  for (int e = ORDINARY; e < ENVIRONMENTS; e++) {
    CALL((environment)e, equiconv_group_pool(EQUICONV_FLOAT32, EQUICONV_POOL_MAX, 2, 4, 1, values, largest),
         EQUICONV_SUCCESS);
    CALL((environment)e, equiconv_group_pool(EQUICONV_FLOAT32, EQUICONV_POOL_MEAN, 2, 4, 1, values, mean),
         EQUICONV_SUCCESS);
    CALL((environment)e, equiconv_act(c4, 1, EQUICONV_FLOAT32, EQUICONV_SIGNAL_GROUP, 2, 1, spatial, values, turned),
         EQUICONV_SUCCESS);
    CHECK(largest[0] == values[1] && largest[1] == values[6]);
    const double sums[2] = {((double)values[3] + values[0] + values[2] + values[1]) / 4,
                            ((double)values[7] + values[4] + values[5] + values[6]) / 4};
    CHECK(mean[0] == (float)sums[0] && mean[1] == (float)sums[1]);
    CHECK(turned[1] == values[0] && turned[0] == values[3] && turned[4] == values[7]);
  }
  equiconv_group_destroy(c4);
}

static void layers_commute_with_rotations_of_subnormal_inputs(void) {
  test_random random = {92};
  equiconv_group *d4 = make_group(GROUP_D4);
  equiconv_descriptor d = make_descriptor(d4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 2, 3, 13, 3);
  d.padding[0] = d.padding[1] = EQUICONV_PADDING_SAME;
  test_layer l = layer_make(&d, 1, &random);
  scatter_magnitudes(&l, l.input, l.inputs);
  const int64_t spatial[2] = {13, 13};
  float *turned = malloc((size_t)l.inputs * sizeof(float)), *a = malloc((size_t)l.outputs * sizeof(float)),
        *b = malloc((size_t)l.outputs * sizeof(float));
  for (int64_t g = 0; g < 8; g++) {
    CHECK_SUCCESS(equiconv_act(d4, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, 2, spatial, l.input, turned));
    CHECK_SUCCESS(equiconv_plan_forward(l.plan, 1, turned, l.weight, l.bias, a));
    CHECK_SUCCESS(equiconv_plan_forward(l.plan, 1, l.input, l.weight, l.bias, l.output));
    CHECK_SUCCESS(equiconv_act(d4, g, EQUICONV_FLOAT32, EQUICONV_SIGNAL_GROUP, 1, 3, spatial, l.output, b));
    CHECK(memcmp(a, b, (size_t)l.outputs * sizeof(float)) == 0);
  }
  free(turned);
  free(a);
  free(b);
  layer_free(&l);
  equiconv_group_destroy(d4);
}

int main(void) {
  RUN(direct_does_not_depend_on_the_callers_environment);
  RUN(tiles_do_not_depend_on_the_callers_environment);
  RUN(groups_and_bases_do_not_depend_on_their_makers_environment);
  RUN(convolutions_take_subnormal_numbers_as_zeros);
  RUN(pools_and_the_action_take_subnormal_numbers_as_they_are);
  RUN(layers_commute_with_rotations_of_subnormal_inputs);
  return test_result();
}
