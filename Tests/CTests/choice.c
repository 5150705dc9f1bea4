/* SPDX-License-Identifier: Apache-2.0 */
/* What explains a call agrees with what runs; transformed and prepared weights are those of the numbers given. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

enum { PASSES = 3 };

static equiconv_descriptor same_padded(const equiconv_group *group, int32_t layer, int64_t channels, int64_t spatial,
                                       int64_t kernel) {
  equiconv_descriptor d = make_descriptor(group, layer, EQUICONV_FLOAT32, channels, channels + 1, spatial, kernel);
  d.spatial[1] = spatial + 3;
  for (int axis = 0; axis < 3; axis++) d.padding[axis] = EQUICONV_PADDING_SAME;
  return d;
}

/** Numbers that a pass writes. */
static int64_t result_count(const test_layer *layer, int32_t pass) {
  return pass == EQUICONV_PASS_FORWARD          ? layer->outputs
         : pass == EQUICONV_PASS_INPUT_GRADIENT ? layer->inputs
                                                : layer->weights;
}

/** A pass of `plan` on the arrays of `layer`, whose output serves as the gradient. */
static equiconv_status run_pass(const equiconv_plan *plan, const test_layer *layer, int32_t pass, void *result) {
  switch (pass) {
  case EQUICONV_PASS_FORWARD:
    return equiconv_plan_forward(plan, layer->batch, layer->input, layer->weight, layer->bias, result);
  case EQUICONV_PASS_INPUT_GRADIENT:
    return equiconv_plan_input_gradient(plan, layer->batch, layer->output, layer->weight, result);
  default: return equiconv_plan_weight_gradient(plan, layer->batch, layer->output, layer->input, result);
  }
}

/** max |a - b| / max |b|. */
static double relative_error(const void *a, const void *b, int32_t dtype, int64_t count) {
  double error = 0, size = 0;
  for (int64_t i = 0; i < count; i++) {
    error = fmax(error, fabs(element(a, dtype, i) - element(b, dtype, i)));
    size = fmax(size, fabs(element(b, dtype, i)));
  }
  return error / size;
}

/* ---- Explanations ---- */

static void check_sensible(const equiconv_explanation *e, const test_layer *layer, int32_t pass) {
  const double flops = equiconv_plan_flops(layer->plan, layer->batch);
  CHECK(e->struct_size == sizeof *e && (int32_t)e->pass == pass);
  CHECK(e->algorithm >= EQUICONV_ALGORITHM_DIRECT && e->algorithm <= EQUICONV_ALGORITHM_GROUP_FOURIER);
  CHECK(e->definition_operations == flops && e->operations > 0);
  CHECK(e->tile >= 0 && e->workspace_bytes >= 0 && e->weight_bytes >= 0 && e->seconds >= 0);
  CHECK(e->threads >= 1 && e->threads <= equiconv_get_num_threads());
  CHECK(e->is_exact == 0 || e->is_exact == 1);
  CHECK(memchr(e->reason, 0, sizeof e->reason) != NULL);
  if (e->algorithm == EQUICONV_ALGORITHM_DIRECT) CHECK(e->tile == 0 && e->weight_bytes == 0);
}

/** Whether another algorithm gives the same bits for a pass. */
static bool has_bits_of(const test_layer *layer, equiconv_descriptor named, int32_t algorithm, int32_t pass,
                        const void *expected) {
  named.algorithm = algorithm;
  equiconv_plan *plan = NULL;
  CHECK_SUCCESS(equiconv_plan_create(&named, &plan));
  const size_t bytes = (size_t)result_count(layer, pass) * dtype_size(named.dtype);
  void *result = guarded_alloc(bytes);
  CHECK_SUCCESS(run_pass(plan, layer, pass, result));
  const bool same = memcmp(result, expected, bytes) == 0 && guards_intact(result);
  guarded_free(result);
  equiconv_plan_destroy(plan);
  return same;
}

/**
 * The pass by the descriptor's algorithm has the bits of the pass by the algorithm that its explanation names, or of
 * exact, whose tiles differ from those of an algorithm that is asked for.
 */
static void check_explained(const equiconv_descriptor *d, int32_t pass) {
  test_random random = {21};
  test_layer layer = layer_make(d, 2, &random);
  equiconv_explanation e = EQUICONV_EXPLANATION_INIT;
  CHECK_SUCCESS(equiconv_plan_explain(layer.plan, pass, layer.batch, &e));
  check_sensible(&e, &layer, pass);
  void *result = guarded_alloc((size_t)result_count(&layer, pass) * dtype_size(d->dtype));
  CHECK_SUCCESS(run_pass(layer.plan, &layer, pass, result));
  CHECK(has_bits_of(&layer, *d, e.algorithm, pass, result) ||
        (e.is_exact == 1 && has_bits_of(&layer, *d, EQUICONV_ALGORITHM_EXACT, pass, result)));
  CHECK(guards_intact(result));
  guarded_free(result);
  layer_free(&layer);
}

static void explanations_name_what_runs(void) {
  static const int groups[] = {GROUP_TRIVIAL2, GROUP_C4, GROUP_D4, GROUP_C8, GROUP_OCTAHEDRAL, GROUP_REFLECTION};
  static const int64_t sizes[][3] = {{2, 7, 3}, {9, 33, 3}, {9, 30, 7}};
  for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
    equiconv_group *group = make_group(groups[i]);
    for (int32_t layer = 0; layer < 4; layer++) {
      for (int size = 0; size < (equiconv_group_dimension(group) == 2 ? 3 : 1); size++) {
        equiconv_descriptor d = same_padded(group, layer, sizes[size][0], sizes[size][1], sizes[size][2]);
        d.dtype = size == 0 ? EQUICONV_FLOAT64 : EQUICONV_FLOAT32;
        d.algorithm = EQUICONV_ALGORITHM_AUTO;
        for (int32_t pass = 0; pass < PASSES; pass++) check_explained(&d, pass);
      }
    }
    equiconv_group_destroy(group);
  }
}

static void direct_makes_the_operations_of_the_definition(void) {
  equiconv_group *group = make_group(GROUP_C4);
  const equiconv_descriptor d = same_padded(group, EQUICONV_LAYER_GROUP, 3, 9, 5);
  equiconv_plan *plan = NULL;
  CHECK_SUCCESS(equiconv_plan_create(&d, &plan));
  for (int32_t pass = 0; pass < PASSES; pass++) {
    equiconv_explanation e = EQUICONV_EXPLANATION_INIT;
    CHECK_SUCCESS(equiconv_plan_explain(plan, pass, 2, &e));
    CHECK(e.algorithm == EQUICONV_ALGORITHM_DIRECT);
    CHECK(e.operations == e.definition_operations && e.operations == equiconv_plan_flops(plan, 2));
  }
  equiconv_plan_destroy(plan);
  equiconv_group_destroy(group);
}

/** An algorithm that cannot do a pass says so, in the plan's creation or alike in its explanation and its run. */
static void check_refused(const equiconv_descriptor *d, int32_t pass, const char *why) {
  test_random random = {22};
  equiconv_descriptor direct = *d;
  direct.algorithm = EQUICONV_ALGORITHM_DIRECT;
  test_layer layer = layer_make(&direct, 1, &random);
  void *result = guarded_alloc((size_t)result_count(&layer, pass) * sizeof(float));
  equiconv_plan *plan = NULL;
  equiconv_status status = equiconv_plan_create(d, &plan);
  if (status == EQUICONV_SUCCESS) {
    equiconv_explanation e = EQUICONV_EXPLANATION_INIT;
    CHECK_STATUS(equiconv_plan_explain(plan, pass, 1, &e), EQUICONV_ERROR_UNSUPPORTED_ALGORITHM);
    CHECK(strstr(equiconv_last_error_message(), why) != NULL);
    status = run_pass(plan, &layer, pass, result);
  }
  CHECK_STATUS(status, EQUICONV_ERROR_UNSUPPORTED_ALGORITHM);
  CHECK(strstr(equiconv_last_error_message(), why) != NULL);
  CHECK(strstr(equiconv_last_error_message(), "expected") != NULL);
  equiconv_plan_destroy(plan);
  guarded_free(result);
  layer_free(&layer);
}

static void impossible_algorithms_say_why(void) {
  equiconv_group *c4 = make_group(GROUP_C4), *line = make_group(GROUP_REFLECTION), *cube = make_group(GROUP_OCTAHEDRAL);
  equiconv_descriptor d = same_padded(c4, EQUICONV_LAYER_GROUP, 2, 9, 3);
  d.spatial[1] = 9;
  d.algorithm = EQUICONV_ALGORITHM_FOURIER;
  equiconv_descriptor other = d;
  other.stride[0] = other.stride[1] = 2;
  check_refused(&other, EQUICONV_PASS_FORWARD, "stride");
  check_refused(&other, EQUICONV_PASS_INPUT_GRADIENT, "stride");
  other = d;
  other.in_channels = other.out_channels = other.channel_groups = 2;
  check_refused(&other, EQUICONV_PASS_FORWARD, "2 groups of channels");
  other = d;
  other.padding_mode = EQUICONV_PADDING_CIRCULAR;
  other.padding[0] = other.padding[1] = 0;
  check_refused(&other, EQUICONV_PASS_INPUT_GRADIENT, "circular");
  other = d;
  other.kernel[0] = other.kernel[1] = 33;
  check_refused(&other, EQUICONV_PASS_FORWARD, "reach");
  other = make_descriptor(line, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 1, 1, 9, 3);
  other.algorithm = EQUICONV_ALGORITHM_FOURIER;
  check_refused(&other, EQUICONV_PASS_FORWARD, "dimension");
  other = make_descriptor(cube, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 4, 3);
  other.algorithm = EQUICONV_ALGORITHM_FOURIER;
  check_refused(&other, EQUICONV_PASS_FORWARD, "dimension");
  equiconv_group_destroy(c4);
  equiconv_group_destroy(line);
  equiconv_group_destroy(cube);
}

/* ---- Weights ---- */

/** A layer by Fourier tiles, with its plan and arrays. */
static test_layer fourier_layer(const equiconv_group *group, int64_t spatial, int32_t dtype) {
  test_random random = {23};
  equiconv_descriptor d = same_padded(group, EQUICONV_LAYER_GROUP, 3, spatial, 5);
  d.dtype = dtype;
  d.algorithm = EQUICONV_ALGORITHM_FOURIER;
  return layer_make(&d, 2, &random);
}

/** Fourier tiles give the numbers of the direct algorithm to a few times its rounding, with other bits. */
static void fourier_is_direct_up_to_rounding(void) {
  equiconv_group *group = make_group(GROUP_D4);
  for (int32_t dtype = 0; dtype < 2; dtype++) {
    test_layer layer = fourier_layer(group, 21, dtype);
    layer_forward(&layer);
    equiconv_descriptor d = same_padded(group, EQUICONV_LAYER_GROUP, 3, 21, 5);
    d.dtype = dtype;
    equiconv_plan *direct = NULL;
    CHECK_SUCCESS(equiconv_plan_create(&d, &direct));
    void *expected = guarded_alloc((size_t)layer.outputs * dtype_size(dtype));
    CHECK_SUCCESS(run_pass(direct, &layer, EQUICONV_PASS_FORWARD, expected));
    const double error = relative_error(layer.output, expected, dtype, layer.outputs);
    CHECK(error > 0 && error < (dtype == EQUICONV_FLOAT32 ? 1e-5 : 1e-14));
    guarded_free(expected);
    equiconv_plan_destroy(direct);
    layer_free(&layer);
  }
  equiconv_group_destroy(group);
}

/** What a plan that has never seen another weight makes of these arrays. */
static void fresh_result(const test_layer *like, const equiconv_group *group, int32_t pass, void *result) {
  test_layer fresh = fourier_layer(group, 21, like->dtype);
  CHECK_SUCCESS(run_pass(fresh.plan, like, pass, result));
  layer_free(&fresh);
}

/* One number of the same array is changed between calls: at the start, in the middle, at the end; then changed back. */
static void a_changed_weight_is_never_served_stale(void) {
  equiconv_group *group = make_group(GROUP_C4);
  test_layer layer = fourier_layer(group, 21, EQUICONV_FLOAT32);
  for (int32_t pass = 0; pass <= EQUICONV_PASS_INPUT_GRADIENT; pass++) {
    const size_t bytes = (size_t)result_count(&layer, pass) * sizeof(float);
    void *first = guarded_alloc(bytes), *result = guarded_alloc(bytes), *expected = guarded_alloc(bytes);
    CHECK_SUCCESS(run_pass(layer.plan, &layer, pass, first));
    const int64_t places[] = {0, layer.weights / 2, layer.weights - 1};
    for (int i = 0; i < 3; i++) {
      float *number = (float *)layer.weight + places[i];
      const float old = *number;
      *number += 1;
      CHECK_SUCCESS(run_pass(layer.plan, &layer, pass, result));
      fresh_result(&layer, group, pass, expected);
      CHECK(memcmp(result, expected, bytes) == 0 && memcmp(result, first, bytes) != 0);
      *number = old;
      CHECK_SUCCESS(run_pass(layer.plan, &layer, pass, result));
      CHECK(memcmp(result, first, bytes) == 0);
    }
    guarded_free(first);
    guarded_free(result);
    guarded_free(expected);
  }
  layer_free(&layer);
  equiconv_group_destroy(group);
}

/** Whether calls with the array and with a prepared weight take one algorithm and tile. */
static bool are_explained_alike(const equiconv_plan *plan, int64_t batch) {
  equiconv_explanation array = EQUICONV_EXPLANATION_INIT, prepared = array;
  prepared.prepared = 1;
  CHECK_SUCCESS(equiconv_plan_explain(plan, EQUICONV_PASS_FORWARD, batch, &array));
  CHECK_SUCCESS(equiconv_plan_explain(plan, EQUICONV_PASS_FORWARD, batch, &prepared));
  return array.algorithm == prepared.algorithm && array.tile == prepared.tile && array.is_exact == prepared.is_exact;
}

static void check_prepared(const test_layer *layer, const equiconv_weight *weight, const void *expected, bool same) {
  const size_t bytes = (size_t)layer->outputs * dtype_size(layer->dtype);
  void *result = guarded_alloc(bytes);
  CHECK_SUCCESS(equiconv_plan_forward_prepared(layer->plan, layer->batch, layer->input, weight, layer->bias, result));
  if (!same || are_explained_alike(layer->plan, layer->batch)) CHECK((memcmp(result, expected, bytes) == 0) == same);
  CHECK(guards_intact(result));
  guarded_free(result);
}

/* In plans of two sizes, of both types; what is changed in the array afterwards does not show. */
static void prepared_weights_have_the_bits_of_the_array(void) {
  equiconv_group *group = make_group(GROUP_D4);
  for (int32_t dtype = 0; dtype < 2; dtype++) {
    test_layer layers[2] = {fourier_layer(group, 21, dtype), fourier_layer(group, 13, dtype)};
    equiconv_weight *weight = NULL, *same = NULL;
    CHECK_SUCCESS(equiconv_plan_prepare(layers[0].plan, layers[0].weight, &weight));
    CHECK_SUCCESS(equiconv_weight_create(dtype, layers[0].weights, layers[0].weight, &same));
    const int64_t copied = layers[0].weights * (int64_t)dtype_size(dtype);
    CHECK(equiconv_weight_bytes(weight) >= copied && equiconv_weight_bytes(weight) < copied + 4096);
    memcpy(layers[1].weight, layers[0].weight, (size_t)copied);
    void *numbers = guarded_alloc((size_t)copied);
    CHECK_SUCCESS(equiconv_weight_get_numbers(weight, layers[0].weights, numbers));
    CHECK(memcmp(numbers, layers[0].weight, (size_t)copied) == 0 && guards_intact(numbers));
    guarded_free(numbers);
    for (int i = 0; i < 2; i++) {
      layer_forward(&layers[i]);
      memset(layers[i].weight, 0x3f, (size_t)copied);
      check_prepared(&layers[i], weight, layers[i].output, true);
      check_prepared(&layers[i], same, layers[i].output, true);
    }
    CHECK(equiconv_weight_bytes(weight) > 2 * copied);
    layer_forward(&layers[0]);
    check_prepared(&layers[0], weight, layers[0].output, false);
    equiconv_weight_destroy(weight);
    equiconv_weight_destroy(same);
    for (int i = 0; i < 2; i++) layer_free(&layers[i]);
  }
  equiconv_group_destroy(group);
}

/* Each layer, each algorithm: the simple call with a prepared weight, and that with the array. */
static void simple_calls_take_prepared_weights(void) {
  static const int32_t algorithms[] = {EQUICONV_ALGORITHM_WINOGRAD, EQUICONV_ALGORITHM_DIRECT,
                                       EQUICONV_ALGORITHM_FOURIER};
  equiconv_group *group = make_group(GROUP_C8);
  for (int32_t layer = 0; layer < 4; layer++) {
    for (int i = 0; i < 3; i++) {
      test_random random = {24};
      equiconv_descriptor d = same_padded(group, layer, 2, 10, 3);
      d.algorithm = algorithms[i];
      test_layer run = layer_make(&d, 2, &random);
      layer_forward(&run);
      equiconv_weight *weight = NULL;
      CHECK_SUCCESS(equiconv_plan_prepare(run.plan, run.weight, &weight));
      float *output = guarded_alloc((size_t)run.outputs * sizeof(float));
      CHECK_SUCCESS(equiconv_forward_prepared(&d, 2, run.input, weight, run.bias, output));
      const size_t bytes = (size_t)run.outputs * sizeof(float);
      CHECK(!are_explained_alike(run.plan, 2) || memcmp(output, run.output, bytes) == 0);
      CHECK(relative_error(output, run.output, EQUICONV_FLOAT32, run.outputs) < 1e-4);
      equiconv_weight_destroy(weight);
      guarded_free(output);
      layer_free(&run);
    }
  }
  equiconv_group_destroy(group);
}

/* Where weights are free auto may choose another algorithm: the one that is explained for prepared weights. */
static void auto_with_prepared_weights_is_explained(void) {
  equiconv_group *group = make_group(GROUP_D4);
  for (int64_t kernel = 3; kernel <= 7; kernel += 2) {
    test_random random = {26};
    equiconv_descriptor d = same_padded(group, EQUICONV_LAYER_LIFTING, 16, 24, kernel);
    d.algorithm = EQUICONV_ALGORITHM_AUTO;
    test_layer layer = layer_make(&d, 1, &random);
    equiconv_weight *weight = NULL;
    equiconv_explanation e = EQUICONV_EXPLANATION_INIT;
    e.prepared = 1;
    CHECK_SUCCESS(equiconv_plan_prepare(layer.plan, layer.weight, &weight));
    CHECK_SUCCESS(equiconv_plan_explain(layer.plan, EQUICONV_PASS_FORWARD, 1, &e));
    CHECK(e.prepared == 1);
    /* The tiles of an exact method differ from those of the same algorithm where it is asked for. */
    d.algorithm = e.is_exact == 1 ? EQUICONV_ALGORITHM_EXACT : e.algorithm;
    CHECK_SUCCESS(equiconv_forward_prepared(&d, 1, layer.input, weight, layer.bias, layer.output));
    check_prepared(&layer, weight, layer.output, true);
    equiconv_weight_destroy(weight);
    layer_free(&layer);
  }
  equiconv_group_destroy(group);
}

static void null_weights(void) {
  equiconv_weight_destroy(NULL);
  CHECK(equiconv_weight_bytes(NULL) == 0);
}

/* ---- Workspace ---- */

/* A layer whose spectra need far more is done in parts, to the same numbers up to rounding. */
static void the_workspace_limit_is_held_by_blocking(void) {
  enum { LIMIT = 1 << 20 };
  equiconv_group *group = make_group(GROUP_D4);
  test_random random = {25};
  equiconv_descriptor d = same_padded(group, EQUICONV_LAYER_GROUP, 24, 24, 5);
  d.algorithm = EQUICONV_ALGORITHM_FOURIER;
  test_layer layer = layer_make(&d, 1, &random);
  CHECK(equiconv_workspace_limit() == INT64_C(64) << 20);
  layer_forward(&layer);
  equiconv_explanation before = EQUICONV_EXPLANATION_INIT, after = before;
  CHECK_SUCCESS(equiconv_plan_explain(layer.plan, EQUICONV_PASS_FORWARD, 1, &before));
  CHECK_SUCCESS(equiconv_set_workspace_limit(LIMIT));
  CHECK(equiconv_workspace_limit() == LIMIT);
  CHECK_SUCCESS(equiconv_plan_explain(layer.plan, EQUICONV_PASS_FORWARD, 1, &after));
  CHECK(after.workspace_bytes <= before.workspace_bytes);
  float *output = guarded_alloc((size_t)layer.outputs * sizeof(float));
  CHECK_SUCCESS(run_pass(layer.plan, &layer, EQUICONV_PASS_FORWARD, output));
  CHECK(relative_error(output, layer.output, EQUICONV_FLOAT32, layer.outputs) < 1e-5);
  CHECK(guards_intact(output));
  CHECK_SUCCESS(equiconv_set_workspace_limit(INT64_C(64) << 20));
  CHECK_SUCCESS(run_pass(layer.plan, &layer, EQUICONV_PASS_FORWARD, output));
  CHECK(memcmp(output, layer.output, (size_t)layer.outputs * sizeof(float)) == 0);
  guarded_free(output);
  layer_free(&layer);
  equiconv_group_destroy(group);
}

int main(void) {
  RUN(explanations_name_what_runs);
  RUN(direct_makes_the_operations_of_the_definition);
  RUN(impossible_algorithms_say_why);
  RUN(fourier_is_direct_up_to_rounding);
  RUN(a_changed_weight_is_never_served_stale);
  RUN(prepared_weights_have_the_bits_of_the_array);
  RUN(simple_calls_take_prepared_weights);
  RUN(auto_with_prepared_weights_is_explained);
  RUN(null_weights);
  RUN(the_workspace_limit_is_held_by_blocking);
  return test_result();
}
