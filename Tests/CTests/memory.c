/* SPDX-License-Identifier: Apache-2.0 */
/* A million calls do not grow the process, and a forward call needs little more than a padded copy of its input. */
#include <stdio.h>
#include <string.h>

#include "process.h"
#include "test.h"

enum { MEBIBYTE = 1 << 20 };

/* ---- Growth ---- */

/** Calls `once` `warm_up` and then `count` times; checks that the second part does not grow the process. */
static void check_growth(void (*once)(void), int warm_up, int count) {
  for (int i = 0; i < warm_up; i++) once();
  const int64_t resident = resident_bytes(), allocated = allocated_bytes();
  for (int i = 0; i < count; i++) once();
  const int64_t more_resident = resident_bytes() - resident, more_allocated = allocated_bytes() - allocated;
  printf("     %d calls: %+lld bytes resident, %+lld bytes allocated\n", count, (long long)more_resident,
         (long long)more_allocated);
  CHECK(more_resident < MEBIBYTE);
  CHECK(more_allocated < MEBIBYTE / 16);
}

static equiconv_group *c4;
static equiconv_descriptor small;
static equiconv_plan *explained;
static float input[64], weight[9], output[4 * 64];

static void small_call(void) {
  if (equiconv_lifting_conv(&small, 1, input, weight, NULL, output) != EQUICONV_SUCCESS) CHECK(false);
}

static void small_gradient(void) {
  float gi[64], gw[9], gb[1];
  if (equiconv_lifting_conv_vjp(&small, 1, output, input, weight, gi, gw, gb) != EQUICONV_SUCCESS) CHECK(false);
}

static void failing_call(void) {
  if (equiconv_lifting_conv(&small, -1, input, weight, NULL, output) != EQUICONV_ERROR_INVALID_SIZE) CHECK(false);
}

static void life_of_handles(void) {
  equiconv_group *group = make_group(GROUP_FULL);
  equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 3, 2);
  equiconv_plan *plan = NULL;
  if (equiconv_plan_create(&d, &plan) != EQUICONV_SUCCESS) CHECK(false);
  equiconv_plan_destroy(plan);
  equiconv_group_destroy(group);
}

static void a_million_small_calls_do_not_grow_the_process(void) { check_growth(small_call, 10000, 1000000); }
static void small_gradients_do_not_grow_the_process(void) { check_growth(small_gradient, 10000, 100000); }
static void failing_calls_do_not_grow_the_process(void) { check_growth(failing_call, 10000, 100000); }
/* Transformed weights of a plan and of a handle end with them. */
static void life_of_transformed_weights(void) {
  equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 8, 3);
  d.algorithm = EQUICONV_ALGORITHM_FOURIER;
  equiconv_plan *plan = NULL;
  equiconv_weight *prepared = NULL;
  if (equiconv_plan_create(&d, &plan) != EQUICONV_SUCCESS ||
      equiconv_plan_prepare(plan, weight, &prepared) != EQUICONV_SUCCESS ||
      equiconv_plan_forward_prepared(plan, 1, input, prepared, NULL, output) != EQUICONV_SUCCESS ||
      equiconv_plan_forward(plan, 1, input, weight, NULL, output) != EQUICONV_SUCCESS ||
      equiconv_plan_input_gradient(plan, 1, output, weight, input) != EQUICONV_SUCCESS) {
    CHECK(false);
  }
  equiconv_plan_destroy(plan);
  equiconv_weight_destroy(prepared);
  memset(input, 0, sizeof input); /* or the numbers would grow without bound */
}

/* One plan, a new weight at each call: what was made of the last one is let go. */
static void changing_weight(void) {
  static float numbers[9];
  equiconv_descriptor d = small;
  d.algorithm = EQUICONV_ALGORITHM_FOURIER;
  numbers[0] += 1;
  if (equiconv_lifting_conv(&d, 1, input, numbers, NULL, output) != EQUICONV_SUCCESS) CHECK(false);
}

static void explained_call(void) {
  equiconv_explanation explanation = EQUICONV_EXPLANATION_INIT;
  if (equiconv_plan_explain(explained, EQUICONV_PASS_FORWARD, 1, &explanation) != EQUICONV_SUCCESS) CHECK(false);
}

static void transformed_weights_do_not_grow_the_process(void) {
  check_growth(life_of_transformed_weights, 1000, 10000);
}
static void changing_weights_do_not_grow_the_process(void) { check_growth(changing_weight, 1000, 20000); }
static void explanations_do_not_grow_the_process(void) { check_growth(explained_call, 1000, 100000); }
static void handles_do_not_grow_the_process(void) { check_growth(life_of_handles, 1000, 10000); }

/* ---- Peak ---- */

typedef struct peak_case {
  int32_t layer;
  int64_t batch, channels, size, kernel, stride;
} peak_case;

static bool peak_is_bounded(void *argument) {
  const peak_case *c = argument;
  test_random random = {71};
  equiconv_descriptor d = make_descriptor(c4, c->layer, EQUICONV_FLOAT32, c->channels, c->channels, c->size, c->kernel);
  for (int axis = 0; axis < 2; axis++) {
    d.padding[axis] = EQUICONV_PADDING_SAME;
    d.stride[axis] = c->stride;
  }
  test_layer layer = layer_make(&d, c->batch, &random); /* all pages of all arrays are touched */
  const int64_t padded_side = c->size + c->kernel - 1;
  const double padded =
      (double)layer.inputs * sizeof(float) * (double)(padded_side * padded_side) / (double)(c->size * c->size);
  reset_peak();
  const int64_t before = resident_bytes();
  layer_forward(&layer);
  const int64_t used = peak_bytes() - before;
  const double allowed = 1.2 * padded + 8 * MEBIBYTE;
  printf("     layer %d, %lld x %lld x %lld^2, k = %lld, stride %lld: %.1f MiB, allowed %.1f MiB\n", (int)c->layer,
         (long long)c->batch, (long long)c->channels, (long long)c->size, (long long)c->kernel, (long long)c->stride,
         (double)used / MEBIBYTE, allowed / MEBIBYTE);
  layer_free(&layer);
  return used >= 0 && (double)used <= allowed;
}

static void peak_of_a_forward_call(void) {
  static peak_case cases[] = {
      {EQUICONV_LAYER_GROUP, 8, 16, 128, 3, 1},     {EQUICONV_LAYER_GROUP, 8, 32, 64, 7, 1},
      {EQUICONV_LAYER_LIFTING, 2, 3, 512, 5, 1},    {EQUICONV_LAYER_PROJECTION, 8, 16, 64, 3, 2},
      {EQUICONV_LAYER_ISOTROPIC, 4, 16, 256, 5, 2}, {EQUICONV_LAYER_GROUP, 1, 8, 9, 3, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK(holds_in_child(peak_is_bounded, &cases[i], 120));
  }
}

/* All channels at once need about 33 MiB a thread. Transformed weights are counted beside the limit. */
static bool fourier_peak_is_bounded(void *limit) {
  const int64_t bytes = *(const int64_t *)limit;
  test_random random = {72};
  equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 192, 128, 64, 5);
  d.algorithm = EQUICONV_ALGORITHM_FOURIER;
  if (equiconv_set_num_threads(2) != EQUICONV_SUCCESS || equiconv_set_workspace_limit(bytes) != EQUICONV_SUCCESS) {
    return false;
  }
  test_layer layer = layer_make(&d, 4, &random);
  equiconv_weight *weight = NULL;
  if (equiconv_plan_prepare(layer.plan, layer.weight, &weight) != EQUICONV_SUCCESS) return false;
  reset_peak();
  const int64_t before = resident_bytes(), held = equiconv_weight_bytes(weight);
  CHECK_SUCCESS(equiconv_plan_forward_prepared(layer.plan, layer.batch, layer.input, weight, layer.bias, layer.output));
  const int64_t transformed = equiconv_weight_bytes(weight) - held;
  const int64_t used = peak_bytes() - before - transformed, allowed = 2 * bytes + 6 * MEBIBYTE;
  printf("     limit %lld MiB a thread: %.1f MiB on two, and %.1f MiB of weights\n", (long long)(bytes / MEBIBYTE),
         (double)used / MEBIBYTE, (double)transformed / MEBIBYTE);
  equiconv_weight_destroy(weight);
  layer_free(&layer);
  return transformed > 0 && used <= allowed;
}

static void the_workspace_limit_bounds_the_peak(void) {
  static int64_t limits[] = {INT64_C(64) << 20, INT64_C(16) << 20, INT64_C(4) << 20};
  for (int i = 0; i < 3; i++) CHECK(holds_in_child(fourier_peak_is_bounded, &limits[i], 300));
}

/* Padded planes of 4 GiB and more of which hardly anything is read, and a kernel as wide as the plane. */
typedef struct far_case {
  int64_t size, kernel, padding, dilation;
  equiconv_padding_mode mode;
} far_case;

static bool far_reach_takes_little(void *argument) {
  const far_case *c = argument;
  test_random random = {73};
  equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 2, 2, c->size, c->kernel);
  d.padding_mode = c->mode;
  for (int axis = 0; axis < 2; axis++) {
    d.padding[axis] = c->padding;
    d.dilation[axis] = c->dilation;
  }
  test_layer layer = layer_make(&d, 1, &random);
  if (layer.plan == NULL) return false;
  void *grad_input = guarded_alloc((size_t)layer.inputs * sizeof(float));
  void *grad_weight = guarded_alloc((size_t)layer.weights * sizeof(float));
  reset_peak();
  const int64_t before = resident_bytes();
  layer_forward(&layer);
  CHECK_SUCCESS(equiconv_plan_input_gradient(layer.plan, 1, layer.output, layer.weight, grad_input));
  CHECK_SUCCESS(equiconv_plan_weight_gradient(layer.plan, 1, layer.output, layer.input, grad_weight));
  const int64_t used = peak_bytes() - before;
  printf("     %lld^2, k = %lld, padding %lld, dilation %lld: %.1f MiB\n", (long long)c->size, (long long)c->kernel,
         (long long)c->padding, (long long)c->dilation, (double)used / MEBIBYTE);
  guarded_free(grad_input);
  guarded_free(grad_weight);
  layer_free(&layer);
  return used <= 16 * MEBIBYTE;
}

static void memory_follows_what_is_read(void) {
  static far_case cases[] = {
      {2, 3, 1 << 15, 1 << 15, EQUICONV_PADDING_ZEROS},
      {2, 3, 1 << 15, 1 << 15, EQUICONV_PADDING_CIRCULAR},
      {1, 2, 1 << 14, 1 << 15, EQUICONV_PADDING_ZEROS},
      {31, 31, 0, 1, EQUICONV_PADDING_ZEROS},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK(holds_in_child(far_reach_takes_little, &cases[i], 60));
  }
}

int main(void) {
  c4 = make_group(GROUP_C4);
  small = make_descriptor(c4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 8, 3);
  small.padding[0] = small.padding[1] = EQUICONV_PADDING_SAME;
  RUN(peak_of_a_forward_call); /* first: its children inherit no used memory */
  RUN(the_workspace_limit_bounds_the_peak);
  RUN(memory_follows_what_is_read);
  RUN(a_million_small_calls_do_not_grow_the_process);
  RUN(small_gradients_do_not_grow_the_process);
  RUN(failing_calls_do_not_grow_the_process);
  RUN(handles_do_not_grow_the_process);
  RUN(transformed_weights_do_not_grow_the_process);
  RUN(changing_weights_do_not_grow_the_process);
  if (equiconv_plan_create(&small, &explained) != EQUICONV_SUCCESS) return 1;
  RUN(explanations_do_not_grow_the_process);
  equiconv_plan_destroy(explained);
  equiconv_group_destroy(c4);
  return test_result();
}
