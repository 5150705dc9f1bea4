/* SPDX-License-Identifier: Apache-2.0 */
/* 100,000 random descriptors: a status each, no crash, nothing written outside the arrays, no leak. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "test.h"

enum { DESCRIPTORS = 100000, WARM_UP = 20000, SEED = 20240607 };

static equiconv_group *groups[ALL_GROUPS];
/* By number, dimension and extent; NULL for pixels. */
static equiconv_basis *bases[TEST_BASES + 1][4][4];
static equiconv_group_basis *group_bases[3];
static int32_t lists[8][8];
static long successes, runs;

/* ---- Random descriptors ---- */

static int64_t wild(test_random *random) {
  static const int64_t values[] = {0, -1, -2, 1, 7, 64, 1000, 100000, INT32_MAX, INT64_C(1) << 32, INT64_C(1) << 40,
                                   INT64_C(1) << 48, INT64_C(1) << 62, INT64_MAX, INT64_MIN, INT64_MIN + 1};
  const int64_t choice = random_between(random, 0, 23);
  if (choice < 16) return values[choice];
  return choice < 20 ? random_between(random, -10, 10) : (int64_t)random_bits(random);
}

static void all_axes(int64_t *axes, int64_t value) {
  for (int axis = 0; axis < 3; axis++) axes[axis] = value;
}

/** Stabilizers: the whole of a small group, the identity, or a list that may be a subgroup. */
static void choose_stabilizer(const equiconv_group *group, const int32_t **elements, int64_t *count,
                              test_random *random) {
  static const int32_t ascending[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  const int64_t order = equiconv_group_order(group), choice = random_between(random, 0, 7);
  *elements = choice < 6 ? ascending : lists[random_between(random, 0, 7)];
  *count = choice < 3 && order <= 8 ? order : choice < 6 ? 1 : random_between(random, 1, 4);
}

static void choose_spaces(equiconv_descriptor *d, test_random *random) {
  if (random_between(random, 0, 9) == 0) return; /* NULL and 0, which only the named layers take */
  choose_stabilizer(d->group, &d->input_stabilizer, &d->input_stabilizer_count, random);
  choose_stabilizer(d->group, &d->output_stabilizer, &d->output_stabilizer_count, random);
}

static void choose_bases(equiconv_descriptor *d, test_random *random) {
  const int64_t number = random_between(random, -12, TEST_BASES);
  if (number > 0) d->basis = bases[number][d->dimension][d->kernel[0] < 4 ? d->kernel[0] : 3];
  const int64_t on_group = random_between(random, -20, 2);
  if (on_group >= 0) d->group_basis = group_bases[on_group];
}

static void make_bases(void) {
  static const int32_t elements[3] = {0, 2, 1};
  static const double centers[2] = {0, 3};
  test_random random = {SEED};
  for (int number = 1; number <= TEST_BASES; number++) {
    for (int32_t d = 1; d <= 3; d++) {
      for (int64_t k = 1; k <= 3; k++) bases[number][d][k] = make_basis(number, d, k);
    }
  }
  CHECK_SUCCESS(equiconv_group_basis_create_localised(1, elements, &group_bases[0]));
  CHECK_SUCCESS(equiconv_group_basis_create_localised(3, elements, &group_bases[1]));
  CHECK_SUCCESS(equiconv_group_basis_create_bspline(2, 2, centers, 1.5, &group_bases[2]));
  for (int list = 1; list < 8; list++) {
    for (int i = list % 2; i < 8; i++) lists[list][i] = (int32_t)random_between(&random, -1, 8);
  }
}

static equiconv_descriptor sensible(test_random *random) {
  const int64_t number = random_between(random, 0, 3 * ALL_GROUPS);
  /* Most often lattice groups, which are fast to plan, and seldom the icosahedral group. */
  const equiconv_group *group = groups[number < ALL_GROUPS ? number : number % (TEST_GROUPS + 2)];
  const int64_t largest = equiconv_group_dimension(group) == 3 ? 4 : 9;
  equiconv_descriptor d =
      make_descriptor(group, (int32_t)random_between(random, 0, 4), (int32_t)random_between(random, 0, 1),
                      random_between(random, 1, 3), random_between(random, 1, 3), 1, random_between(random, 1, 3));
  for (int axis = 0; axis < 3; axis++) d.spatial[axis] = random_between(random, 1, largest);
  all_axes(d.stride, random_between(random, 1, 3));
  all_axes(d.padding, random_between(random, -1, 3));
  all_axes(d.dilation, random_between(random, 1, 2));
  d.padding_mode = (int32_t)random_between(random, 0, 1);
  const int64_t algorithm = random_between(random, 0, 9);
  d.algorithm = (int32_t)(algorithm < 8 ? algorithm % 2 : algorithm - 6);
  d.interpolation = (int32_t)random_between(random, 0, 2);
  d.quadrature = (int32_t)random_between(random, 0, 1);
  choose_spaces(&d, random);
  choose_bases(&d, random);
  return d;
}

/** Replaces one number of the descriptor, any but the pointer, by a wild one. */
static void spoil(equiconv_descriptor *d, test_random *random) {
  int32_t *const narrow[] = {&d->layer,     &d->dtype,    &d->padding_mode,  &d->algorithm,
                             &d->dimension, &d->depthwise, &d->interpolation, &d->quadrature};
  int64_t *const wide[] = {&d->in_channels, &d->out_channels, d->spatial, d->kernel,
                           d->stride,       d->padding,       d->dilation};
  const int64_t choice = random_between(random, 0, 21);
  if (choice == 0) {
    d->struct_size = (size_t)wild(random);
  } else if (choice == 1) {
    d->group = NULL;
  } else if (choice < 10) {
    *narrow[choice - 2] = (int32_t)wild(random);
  } else if (choice < 12) {
    *wide[choice - 10] = wild(random);
  } else if (choice < 17) {
    wide[choice - 10][random_between(random, 0, 2)] = wild(random);
  } else if (choice == 17) {
    /* Counts in the range of a group are counts of readable elements: others must not be read. */
    const int64_t count = wild(random);
    *(random_between(random, 0, 1) == 0 ? &d->input_stabilizer_count : &d->output_stabilizer_count) =
        count > 8 && count <= 4096 ? 4097 : count;
  } else if (choice == 18) {
    *(random_between(random, 0, 1) == 0 ? &d->input_stabilizer : &d->output_stabilizer) = NULL;
  } else if (choice == 19) {
    d->struct_size = offsetof(equiconv_descriptor, basis);
  } else {
    all_axes(wide[random_between(random, 2, 6)], wild(random));
  }
}

/* ---- Runs of those that are accepted ---- */

/** A copy of a guarded array, to see that what is only read stays as it was. */
static void *copy_of(const void *array, int64_t count, int32_t dtype) {
  const size_t bytes = (size_t)count * dtype_size(dtype);
  void *copy = malloc(bytes + 1);
  if (copy == NULL) abort();
  return memcpy(copy, array, bytes);
}

static void check_same(const void *array, void *copy, int64_t count, int32_t dtype) {
  CHECK(memcmp(array, copy, (size_t)count * dtype_size(dtype)) == 0);
  free(copy);
}

/** A pass runs if and only if it can be explained, and asking for an algorithm may be the one thing wrong. */
static void check_pass(const test_layer *layer, const equiconv_descriptor *d, int32_t pass, equiconv_status status) {
  equiconv_explanation explanation = EQUICONV_EXPLANATION_INIT;
  const equiconv_status explained = equiconv_plan_explain(layer->plan, pass, layer->batch, &explanation);
  CHECK_STATUS(status, layer->batch == 0 ? status : explained);
  CHECK(status == EQUICONV_SUCCESS ||
        (status == EQUICONV_ERROR_UNSUPPORTED_ALGORITHM && d->algorithm >= EQUICONV_ALGORITHM_WINOGRAD));
}

/** The forward pass, with the array and with a prepared weight. */
static void run_forward(const test_layer *layer, const equiconv_descriptor *d) {
  const equiconv_status status =
      equiconv_plan_forward(layer->plan, layer->batch, layer->input, layer->weight, layer->bias, layer->output);
  check_pass(layer, d, EQUICONV_PASS_FORWARD, status);
  equiconv_weight *weight = NULL;
  CHECK_SUCCESS(equiconv_plan_prepare(layer->plan, layer->weight, &weight));
  const size_t bytes = (size_t)layer->outputs * dtype_size(layer->dtype);
  void *output = guarded_alloc(bytes);
  memcpy(output, layer->output, bytes);
  CHECK_STATUS(
      equiconv_plan_forward_prepared(layer->plan, layer->batch, layer->input, weight, layer->bias, output), status);
  CHECK(guards_intact(output));
  if (d->algorithm == EQUICONV_ALGORITHM_DIRECT) CHECK(memcmp(output, layer->output, bytes) == 0);
  guarded_free(output);
  equiconv_weight_destroy(weight);
}

static void run_all_passes(const equiconv_descriptor *d, int64_t batch, test_random *random) {
  test_layer layer = layer_make(d, batch, random);
  void *copies[3] = {copy_of(layer.input, layer.inputs, d->dtype), copy_of(layer.weight, layer.weights, d->dtype),
                     copy_of(layer.bias, layer.biases, d->dtype)};
  run_forward(&layer, d);
  const size_t size = dtype_size(d->dtype);
  void *gradients[3] = {guarded_alloc((size_t)layer.inputs * size), guarded_alloc((size_t)layer.weights * size),
                        guarded_alloc((size_t)layer.biases * size)};
  void *output = copy_of(layer.output, layer.outputs, d->dtype);
  check_pass(&layer, d, EQUICONV_PASS_INPUT_GRADIENT,
             equiconv_plan_input_gradient(layer.plan, batch, layer.output, layer.weight, gradients[0]));
  check_pass(&layer, d, EQUICONV_PASS_WEIGHT_GRADIENT,
             equiconv_plan_weight_gradient(layer.plan, batch, layer.output, layer.input, gradients[1]));
  CHECK_SUCCESS(equiconv_plan_bias_gradient(layer.plan, batch, layer.output, gradients[2]));
  for (int i = 0; i < 3; i++) {
    CHECK(guards_intact(gradients[i]));
    guarded_free(gradients[i]);
  }
  check_same(layer.input, copies[0], layer.inputs, d->dtype);
  check_same(layer.weight, copies[1], layer.weights, d->dtype);
  check_same(layer.bias, copies[2], layer.biases, d->dtype);
  check_same(layer.output, output, layer.outputs, d->dtype);
  layer_free(&layer);
  runs += 1;
}

/** Whether the padded plane is small: small arrays may still have an enormous padding, or phases of a stride, inside. */
static bool is_padding_small(const equiconv_descriptor *d) {
  double volume = 1;
  for (int32_t axis = 0; axis < d->dimension; axis++) {
    if (d->padding[axis] > 1000 || d->dilation[axis] > 1000 || d->kernel[axis] > 1000 || d->stride[axis] > 1000) {
      return false;
    }
    /* "same" pads by half the reach. */
    const int64_t padding = d->padding[axis] < 0 ? d->dilation[axis] * d->kernel[axis] / 2 : d->padding[axis];
    volume *= (double)d->spatial[axis] + 2 * (double)padding;
  }
  return volume < 1e7;
}

static bool is_small(const equiconv_plan *plan, int64_t batch) {
  int64_t in[EQUICONV_MAX_RANK], out[EQUICONV_MAX_RANK], weight[EQUICONV_MAX_RANK];
  int32_t rank;
  if (equiconv_plan_get_input_shape(plan, batch, in, &rank) != EQUICONV_SUCCESS ||
      equiconv_plan_get_output_shape(plan, batch, out, &rank) != EQUICONV_SUCCESS ||
      equiconv_plan_get_weight_shape(plan, weight, &rank) != EQUICONV_SUCCESS) {
    return false;
  }
  return shape_count(in) < 20000 && shape_count(out) < 20000 && shape_count(weight) < 20000 &&
         equiconv_plan_flops(plan, batch) < 5e5;
}

static void check_accepted(const equiconv_descriptor *d, const equiconv_plan *plan, test_random *random) {
  int64_t shape[EQUICONV_MAX_RANK] = {0};
  int32_t rank = 0;
  /* Any batch gets a status too. */
  const int64_t any = wild(random);
  const equiconv_status status = equiconv_plan_get_output_shape(plan, any, shape, &rank);
  CHECK(status == EQUICONV_SUCCESS ? shape[0] == any
                                   : status == EQUICONV_ERROR_INVALID_SIZE || status == EQUICONV_ERROR_SIZE_OVERFLOW);
  equiconv_explanation explanation = EQUICONV_EXPLANATION_INIT;
  const equiconv_status explained = equiconv_plan_explain(plan, (int32_t)random_between(random, -1, 3), any, &explanation);
  CHECK(strcmp(equiconv_status_name(explained), "unknown status") != 0);
  const int64_t batch = random_between(random, 0, 2);
  if (is_padding_small(d) && is_small(plan, batch)) run_all_passes(d, batch, random);
}

static void try_descriptor(test_random *random) {
  equiconv_descriptor d = sensible(random);
  for (int64_t spoils = random_between(random, -3, 3); spoils > 0; spoils--) spoil(&d, random);
  equiconv_plan *plan = NULL;
  const equiconv_status status = equiconv_plan_create(&d, &plan);
  if (status == EQUICONV_SUCCESS) {
    successes += 1;
    CHECK(plan != NULL);
    check_accepted(&d, plan, random);
    equiconv_plan_destroy(plan);
  } else {
    CHECK(plan == NULL);
    CHECK(strcmp(equiconv_status_name(status), "unknown status") != 0);
    CHECK(strstr(equiconv_last_error_message(), " is ") != NULL);
  }
}

static void random_descriptors(void) {
  test_random random = {SEED};
  int64_t allocated = 0, resident = 0;
  for (int i = 0; i < DESCRIPTORS; i++) {
    if (i == WARM_UP) {
      allocated = allocated_bytes();
      resident = resident_bytes();
    }
    try_descriptor(&random);
  }
  printf("     seed %d: %ld accepted, %ld run\n", SEED, successes, runs);
  CHECK(successes > DESCRIPTORS / 4 && successes < DESCRIPTORS * 3 / 4);
  CHECK(runs > DESCRIPTORS / 10);
  const int64_t more_allocated = allocated_bytes() - allocated, more_resident = resident_bytes() - resident;
  printf("     after the first %d: %+lld bytes allocated, %+lld bytes resident\n", WARM_UP, (long long)more_allocated,
         (long long)more_resident);
  /* A few workspaces are kept for the next call; a hundred bytes lost for each descriptor would be more than this. */
  CHECK(more_allocated < 8 << 20);
  CHECK(more_resident < 8 << 20);
}

int main(void) {
  for (int i = 0; i < ALL_GROUPS; i++) groups[i] = make_group(i);
  make_bases();
  RUN(random_descriptors);
  for (int i = 0; i < ALL_GROUPS; i++) equiconv_group_destroy(groups[i]);
  for (int i = 0; i < 3; i++) equiconv_group_basis_destroy(group_bases[i]);
  for (size_t i = 0; i < sizeof bases / sizeof ***bases; i++) equiconv_basis_destroy((&bases[0][0][0])[i]);
  return test_result();
}
