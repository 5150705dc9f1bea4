/* SPDX-License-Identifier: Apache-2.0 */
/* 100,000 random descriptors: a status each, no crash, nothing written outside the arrays, no leak. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "process.h"
#include "test.h"
#include "wild.h"

enum { DESCRIPTORS = 100000, WARM_UP = 20000, SEED = 20240607 };

static equiconv_group *groups[ALL_GROUPS];
/* By number, dimension and extent; NULL for pixels. */
static equiconv_basis *bases[TEST_BASES + 1][4][4];
static equiconv_group_basis *group_bases[3];
/* By group: all of it, the identity, and a random subgroup. */
static equiconv_subgroup *subgroups[ALL_GROUPS][3];
static long successes, runs;

/* ---- Random descriptors ---- */

static int64_t wild(test_random *random) {
  const int64_t choice = random_between(random, 0, WILD_NUMBERS + 7);
  if (choice < WILD_NUMBERS) return wild_numbers[choice];
  return choice < WILD_NUMBERS + 4 ? random_between(random, -10, 10) : (int64_t)random_bits(random);
}

static void all_axes(int64_t *axes, int64_t value) {
  for (int axis = 0; axis < 3; axis++) axes[axis] = value;
}

/** A stabilizer of the group by this number, or seldom of another. */
static const equiconv_subgroup *choose_stabilizer(int64_t number, test_random *random) {
  if (random_between(random, 0, 19) == 0) number = random_between(random, 0, ALL_GROUPS - 1);
  return subgroups[number][random_between(random, 0, 2)];
}

static void choose_spaces(equiconv_descriptor *d, int64_t number, test_random *random) {
  if (random_between(random, 0, 9) == 0) return; /* NULL, which only the named layers take */
  d->input_stabilizer = choose_stabilizer(number, random);
  d->output_stabilizer = choose_stabilizer(number, random);
}

/** The subgroup that a random list is, after some tries, or else that of the identity. */
static equiconv_subgroup *random_subgroup(const equiconv_group *group, test_random *random) {
  int32_t elements[4] = {0};
  equiconv_subgroup *subgroup = NULL;
  for (int tries = 0; tries < 200 && subgroup == NULL; tries++) {
    const int64_t count = random_between(random, 2, 4);
    for (int i = 1; i < count; i++) elements[i] = (int32_t)random_between(random, -1, equiconv_group_order(group));
    const equiconv_status status = equiconv_subgroup_create(group, count, elements, &subgroup);
    CHECK((status == EQUICONV_SUCCESS) == (subgroup != NULL));
    CHECK(status == EQUICONV_SUCCESS || status == EQUICONV_ERROR_NOT_A_SUBGROUP);
  }
  return subgroup != NULL ? subgroup : make_subgroup(group, 1, (const int32_t[]){0});
}

static void make_subgroups(void) {
  int32_t ascending[120];
  test_random random = {SEED};
  for (int32_t i = 0; i < 120; i++) ascending[i] = i;
  for (int number = 0; number < ALL_GROUPS; number++) {
    const equiconv_group *group = groups[number];
    subgroups[number][0] = make_subgroup(group, equiconv_group_order(group), ascending);
    subgroups[number][1] = make_subgroup(group, 1, ascending);
    subgroups[number][2] = random_subgroup(group, &random);
  }
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
  for (int number = 1; number <= TEST_BASES; number++) {
    for (int32_t d = 1; d <= 3; d++) {
      for (int64_t k = 1; k <= 3; k++) bases[number][d][k] = make_basis(number, d, k);
    }
  }
  CHECK_SUCCESS(equiconv_group_basis_create_localized(1, elements, &group_bases[0]));
  CHECK_SUCCESS(equiconv_group_basis_create_localized(3, elements, &group_bases[1]));
  CHECK_SUCCESS(equiconv_group_basis_create_bspline(2, 2, centers, 1.5, &group_bases[2]));
}

static equiconv_descriptor sensible(test_random *random) {
  const int64_t choice = random_between(random, 0, 3 * ALL_GROUPS);
  /* Most often lattice groups, which are fast to plan, and seldom the icosahedral group. */
  const int64_t number = choice < ALL_GROUPS ? choice : choice % (TEST_GROUPS + 2);
  const equiconv_group *group = groups[number];
  const int64_t largest = equiconv_group_dimension(group) == 3 ? 4 : 9;
  equiconv_descriptor d =
      make_descriptor(group, (int32_t)random_between(random, 0, 4), (int32_t)random_between(random, 0, 1),
                      random_between(random, 1, 3), random_between(random, 1, 3), 1, random_between(random, 1, 3));
  for (int axis = 0; axis < 3; axis++) d.spatial[axis] = random_between(random, 1, largest);
  all_axes(d.stride, random_between(random, 1, 3));
  all_axes(d.padding, random_between(random, -1, 3));
  all_axes(d.dilation, random_between(random, 1, 2));
  d.padding_mode = (equiconv_padding_mode)random_between(random, 0, 3);
  const int64_t algorithm = random_between(random, 0, 11);
  d.algorithm = (equiconv_algorithm)(algorithm < 8 ? algorithm % 2 : algorithm - 6);
  d.interpolation = (equiconv_interpolation)random_between(random, 0, 2);
  d.quadrature = (int32_t)random_between(random, 0, 1);
  choose_spaces(&d, number, random);
  choose_bases(&d, random);
  return d;
}

/** Replaces one number of the descriptor, any but the pointer, by a wild one. */
static void spoil(equiconv_descriptor *d, test_random *random) {
  void *const narrow[] = {&d->layer,     &d->dtype,          &d->padding_mode,  &d->algorithm,
                          &d->dimension, &d->channel_groups, &d->interpolation, &d->quadrature};
  int64_t *const wide[] = {&d->in_channels, &d->out_channels, d->spatial, d->kernel,
                           d->stride,       d->padding,       d->dilation};
  const int64_t choice = random_between(random, 0, 19);
  if (choice == 0) {
    d->struct_size = (size_t)wild(random);
  } else if (choice == 1) {
    d->group = NULL;
  } else if (choice < 10) {
    const int32_t value = (int32_t)wild(random);
    memcpy(narrow[choice - 2], &value, sizeof value);
  } else if (choice < 12) {
    *wide[choice - 10] = wild(random);
  } else if (choice < 17) {
    wide[choice - 10][random_between(random, 0, 2)] = wild(random);
  } else if (choice == 17) {
    *(random_between(random, 0, 1) == 0 ? &d->input_stabilizer : &d->output_stabilizer) = NULL;
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
  CHECK_STATUS(equiconv_plan_forward_prepared(layer->plan, layer->batch, layer->input, weight, layer->bias, output),
               status);
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
  const equiconv_status explained =
      equiconv_plan_explain(plan, (int32_t)random_between(random, -1, 3), any, &explanation);
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

/** Other plans in the place of the 64 that are kept. */
static void replace_plans(equiconv_descriptor d) {
  float input[64] = {0}, output[64] = {0}, weight = 0;
  all_axes(d.padding, 0);
  all_axes(d.dilation, 1);
  all_axes(d.kernel, 1);
  d.spatial[1] = 1;
  for (d.spatial[0] = 1; d.spatial[0] <= 64; d.spatial[0]++) {
    CHECK_SUCCESS(equiconv_isotropic_conv(&d, 1, input, &weight, NULL, output));
  }
}

/** What is kept for next calls, plans and memory, becomes small: it is no leak, and its size follows from chance. */
static void release_what_is_kept(test_random *random) {
  int number = 0;
  while (equiconv_group_dimension(groups[number]) != 2) number++;
  equiconv_descriptor d = make_descriptor(groups[number], EQUICONV_LAYER_ISOTROPIC, EQUICONV_FLOAT32, 1, 1, 1, 2);
  replace_plans(d);
  d.algorithm = EQUICONV_ALGORITHM_DIRECT;
  d.padding_mode = EQUICONV_PADDING_REPLICATE;
  all_axes(d.padding, 4000);
  all_axes(d.dilation, 8000);
  equiconv_explanation explanation = EQUICONV_EXPLANATION_INIT;
  test_layer layer = layer_make(&d, 1, random);
  CHECK_SUCCESS(equiconv_plan_explain(layer.plan, EQUICONV_PASS_FORWARD, 1, &explanation));
  /* Blocks that were kept make room for one that is larger than all that is kept. */
  CHECK(explanation.workspace_bytes > (int64_t)200 << 20);
  layer_forward(&layer);
  layer_free(&layer);
}

static void random_descriptors(void) {
  test_random random = {SEED};
  int64_t allocated = 0, resident = 0;
  for (int i = 0; i < DESCRIPTORS; i++) {
    if (i == WARM_UP) {
      release_what_is_kept(&random);
      allocated = allocated_bytes();
      resident = resident_bytes();
    }
    try_descriptor(&random);
  }
  printf("     seed %d: %ld accepted, %ld run\n", SEED, successes, runs);
  CHECK(successes > DESCRIPTORS / 4 && successes < DESCRIPTORS * 3 / 4);
  CHECK(runs > DESCRIPTORS / 10);
  release_what_is_kept(&random);
  const int64_t more_allocated = allocated_bytes() - allocated, more_resident = resident_bytes() - resident;
  printf("     after the first %d: %+lld bytes allocated, %+lld bytes resident\n", WARM_UP, (long long)more_allocated,
         (long long)more_resident);
  /* Blocks of weights are kept for the next call; fifty bytes lost for each descriptor would be more than this. */
  CHECK(more_allocated < 4 << 20);
  CHECK(more_resident < 8 << 20);
}

int main(void) {
  for (int i = 0; i < ALL_GROUPS; i++) groups[i] = make_group(i);
  make_bases();
  make_subgroups();
  RUN(random_descriptors);
  for (int i = 0; i < ALL_GROUPS; i++) {
    for (int k = 0; k < 3; k++) equiconv_subgroup_destroy(subgroups[i][k]);
    equiconv_group_destroy(groups[i]);
  }
  for (int i = 0; i < 3; i++) equiconv_group_basis_destroy(group_bases[i]);
  for (size_t i = 0; i < sizeof bases / sizeof ***bases; i++) equiconv_basis_destroy((&bases[0][0][0])[i]);
  return test_result();
}
