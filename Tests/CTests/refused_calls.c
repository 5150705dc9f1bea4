/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "network_example.h"
#include "refused_calls.h"
#include "test.h"

/* ---- Steps of a call: the first failure ends it ---- */

static equiconv_status first_failure;
static uint64_t digest;

static bool step(equiconv_status status) {
  if (first_failure == EQUICONV_SUCCESS) first_failure = status;
  return status == EQUICONV_SUCCESS;
}

/** What a handle is before it is made: a failure must leave it so. */
static char untouched;
#define MAKE(handle, call)                                                                    \
  ((handle) = (void *)&untouched, step(call)                                                  \
                                      ? (CHECK((void *)(handle) != (void *)&untouched), true) \
                                      : (CHECK((void *)(handle) == (void *)&untouched), (handle) = NULL, false))

static void take_in(const void *numbers, size_t bytes) {
  const unsigned char *byte = numbers;
  for (size_t i = 0; i < bytes; i++) digest = (digest ^ byte[i]) * 0x100000001b3u;
}

/* ---- Numbers: one array to read, one to write ---- */

enum { NUMBERS = 3 << 20 };
static double *source, *target;
static float *source32;

static void copy_of(const double *numbers, int64_t count) { take_in(numbers, (size_t)count * sizeof(double)); }

/* ---- Groups ---- */

static void use_group(equiconv_group *group) {
  const int64_t order = equiconv_group_order(group);
  int32_t *list = (int32_t *)target;
  if (order * 9 <= NUMBERS && step(equiconv_group_get_matrices(group, target))) copy_of(target, order);
  if (order * order <= NUMBERS && step(equiconv_group_get_cayley(group, list)))
    take_in(list, (size_t)(order * order) * 4);
  /* The subgroup of the identity: as many cosets as elements. */
  const int32_t identity = 0;
  equiconv_subgroup *subgroup;
  if (MAKE(subgroup, equiconv_subgroup_create(group, 1, &identity, &subgroup))) {
    if (step(equiconv_subgroup_get_left_cosets(subgroup, list))) take_in(list, (size_t)order * 4);
    equiconv_subgroup_destroy(subgroup);
  }
  equiconv_group_destroy(group);
}

static void largest_cyclic_group(void) {
  equiconv_group *group;
  if (MAKE(group, equiconv_group_create_cyclic(4096, &group))) use_group(group);
}

static void named_groups(void) {
  double factors[512];
  for (int i = 0; i < 512; i++) factors[i] = pow(1.01, i);
  equiconv_group *group;
  if (MAKE(group, equiconv_group_create_dihedral(256, &group))) use_group(group);
  if (MAKE(group, equiconv_group_create_axial_cyclic(1024, EQUICONV_AXIS_X, &group))) use_group(group);
  if (MAKE(group, equiconv_group_create_axial_dihedral(128, EQUICONV_AXIS_Y, &group))) use_group(group);
  if (MAKE(group, equiconv_group_create_scaling(3, 512, factors, &group))) use_group(group);
  if (MAKE(group, equiconv_group_create_similarity(16, 32, factors, &group))) use_group(group);
  if (MAKE(group, equiconv_group_create_full_icosahedral(&group))) use_group(group);
  if (MAKE(group, equiconv_group_create_full_octahedral(&group))) use_group(group);
}

/** D1024 as matrices, in an order of their own: a table of 16 MiB that is found, not known. */
static void group_of_matrices(void) {
  static double matrices[2048][4];
  for (int i = 0; i < 2048; i++) {
    const double angle = 2 * 3.14159265358979323846 * (i / 2) / 1024, c = cos(angle), s = sin(angle);
    const double flip = i % 2 == 0 ? 1 : -1;
    const double matrix[4] = {flip * c, -s, flip * s, c};
    memcpy(matrices[i], matrix, sizeof matrix);
  }
  equiconv_group *group;
  if (MAKE(group, equiconv_group_create_from_matrices(2, 2048, matrices[0], &group))) use_group(group);
}

/* ---- Bases ---- */

static void use_basis(equiconv_basis *basis) {
  const double points[4] = {0.25, -0.5, 1.5, 0.125};
  const int64_t count = equiconv_basis_count(basis);
  if (2 * count <= NUMBERS && step(equiconv_basis_sample(basis, 2, points, target))) copy_of(target, 2 * count);
  equiconv_basis_destroy(basis);
}

static void large_bases(void) {
  const int64_t all[2] = {1024, 1024}, some[2] = {128, 128};
  equiconv_basis *basis;
  if (MAKE(basis, equiconv_basis_create_bspline(2, all, 3, 1, &basis))) use_basis(basis);
  if (MAKE(basis, equiconv_basis_create_atrous_bspline(2, some, 2, 1.5, &basis))) use_basis(basis);
  if (MAKE(basis, equiconv_basis_create_round_bspline(2, some, 1, EQUICONV_RADIUS_DEFAULT, &basis))) use_basis(basis);
  if (MAKE(basis, equiconv_basis_create_bspline_at(2, some, 3, 1, 8192, source, &basis))) use_basis(basis);
  if (MAKE(basis, equiconv_basis_create_pixel(2, some, EQUICONV_INTERPOLATION_BSPLINE3, &basis))) use_basis(basis);
  if (MAKE(basis, equiconv_basis_create_circular_harmonics(128, INT32_MAX, &basis))) use_basis(basis);
}

/* ---- Layers ---- */

typedef enum passes {
  FORWARD = 1,
  INPUT_GRADIENT = 2,
  WEIGHT_GRADIENT = 4,
  EXPAND = 8,
  EXPLAIN = 16,
  PREPARE = 32,
  AGAIN = 64
} passes;

static int64_t count_of(equiconv_status (*shape_of)(const equiconv_plan *, int64_t, int64_t *, int32_t *),
                        const equiconv_plan *plan, int64_t batch) {
  int64_t shape[EQUICONV_MAX_RANK];
  int32_t rank;
  return step(shape_of(plan, batch, shape, &rank)) ? shape_count(shape) : 0;
}

static void explain(const equiconv_plan *plan, int64_t batch) {
  for (int32_t pass = 0; pass < 3; pass++) {
    equiconv_explanation explanation = EQUICONV_EXPLANATION_INIT;
    if (!step(equiconv_plan_explain(plan, pass, batch, &explanation))) return;
    take_in(&explanation.operations, sizeof explanation.operations);
  }
}

static void forward_prepared(const equiconv_plan *plan, int64_t batch, const void *read, int64_t outputs) {
  equiconv_weight *weight;
  if (!MAKE(weight, equiconv_plan_prepare(plan, read, &weight))) return;
  if (step(equiconv_plan_forward_prepared(plan, batch, read, weight, NULL, target))) copy_of(target, outputs);
  equiconv_weight_destroy(weight);
}

/** One layer from its descriptor to all that is asked of it. */
static void use_layer(equiconv_descriptor *d, int64_t batch, int wanted) {
  equiconv_plan *plan;
  if (!MAKE(plan, equiconv_plan_create(d, &plan))) return;
  const int64_t inputs = count_of(equiconv_plan_get_input_shape, plan, batch);
  const int64_t outputs = count_of(equiconv_plan_get_output_shape, plan, batch);
  int64_t shape[EQUICONV_MAX_RANK];
  int32_t rank;
  const int64_t weights = step(equiconv_plan_get_weight_shape(plan, shape, &rank)) ? shape_count(shape) : 0;
  const int64_t bank = step(equiconv_plan_get_bank_shape(plan, shape, &rank)) ? shape_count(shape) : 0;
  const void *read = d->dtype == EQUICONV_FLOAT32 ? (const void *)source32 : (const void *)source;
  const int64_t half = d->dtype == EQUICONV_FLOAT32 ? 2 : 1; /* numbers in a double */
  CHECK(inputs <= NUMBERS && outputs <= NUMBERS && weights <= NUMBERS);
  if (wanted & EXPLAIN) explain(plan, batch);
  for (int round = 0; round < (wanted & AGAIN ? 2 : 1); round++) {
    if (wanted & FORWARD && step(equiconv_plan_forward(plan, batch, read, read, NULL, target))) {
      copy_of(target, outputs / half);
    }
    if (wanted & INPUT_GRADIENT && step(equiconv_plan_input_gradient(plan, batch, read, read, target))) {
      copy_of(target, inputs / half);
    }
    if (wanted & WEIGHT_GRADIENT && step(equiconv_plan_weight_gradient(plan, batch, read, read, target))) {
      copy_of(target, weights / half);
    }
  }
  if (wanted & EXPAND && bank <= NUMBERS && step(equiconv_plan_expand(plan, read, target)))
    copy_of(target, bank / half);
  if (wanted & PREPARE) forward_prepared(plan, batch, read, outputs / half);
  equiconv_plan_destroy(plan);
}

enum { ALL_PASSES = FORWARD | INPUT_GRADIENT | WEIGHT_GRADIENT | EXPLAIN };

static equiconv_group *c4, *c8, *d4, *octahedral, *scalings, *c1024;

static void wide_layer(void) {
  equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 256, 256, 3, 3);
  use_layer(&d, 1, FORWARD | EXPLAIN);
}

static void largest_kernel(void) {
  equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT64, 1, 1, 255, 255);
  use_layer(&d, 1, FORWARD | EXPAND);
}

/** Taps that share coefficients, and a choice between algorithms. */
static void layer_of_orbits(void) {
  equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_ISOTROPIC, EQUICONV_FLOAT64, 1, 1, 63, 63);
  d.algorithm = EQUICONV_ALGORITHM_AUTO;
  use_layer(&d, 1, FORWARD | EXPLAIN);
}

static void strided_and_padded_layers(void) {
  equiconv_descriptor d = make_descriptor(d4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT64, 2, 2, 17, 9);
  d.stride[0] = d.stride[1] = 4;
  d.padding[0] = d.padding[1] = 4;
  use_layer(&d, 2, ALL_PASSES);
  d.stride[0] = d.stride[1] = 1;
  for (int mode = EQUICONV_PADDING_CIRCULAR; mode <= EQUICONV_PADDING_REPLICATE; mode++) {
    d.padding_mode = (equiconv_padding_mode)mode;
    use_layer(&d, 1, ALL_PASSES);
  }
}

static void layers_of_space(void) {
  equiconv_descriptor d = make_descriptor(octahedral, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT64, 1, 1, 4, 3);
  use_layer(&d, 1, ALL_PASSES | EXPAND);
  d.layer = EQUICONV_LAYER_PROJECTION;
  use_layer(&d, 1, ALL_PASSES);
}

/** As many banks of kernels as a quarter of the elements. */
static void layer_of_many_banks(void) {
  equiconv_descriptor d = make_descriptor(c1024, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT64, 1, 1, 5, 3);
  use_layer(&d, 1, ALL_PASSES | EXPAND);
}

static void layers_of_bases(void) {
  equiconv_descriptor d = make_descriptor(c8, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT64, 2, 2, 9, 7);
  for (int number = 0; number < 8; number += number == 0 ? 2 : 5) { /* pixels, splines, harmonics */
    equiconv_basis *basis = NULL;
    const int64_t extents[2] = {7, 7};
    const equiconv_status status = number == 0   ? EQUICONV_SUCCESS
                                   : number == 2 ? equiconv_basis_create_bspline(2, extents, 3, 1, &basis)
                                                 : equiconv_basis_create_circular_harmonics(7, INT32_MAX, &basis);
    if (!step(status)) return;
    d.basis = basis;
    use_layer(&d, 1, ALL_PASSES | EXPAND);
    equiconv_basis_destroy(basis);
  }
  d = make_descriptor(scalings, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT64, 2, 2, 15, 5);
  use_layer(&d, 1, ALL_PASSES);
}

static void fourier_layer(void) {
  equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT64, 6, 6, 12, 5);
  d.algorithm = EQUICONV_ALGORITHM_FOURIER;
  use_layer(&d, 2, ALL_PASSES | PREPARE | AGAIN);
}

static void winograd_layer(void) {
  equiconv_descriptor d = make_descriptor(d4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 8, 8, 12, 3);
  d.algorithm = EQUICONV_ALGORITHM_WINOGRAD;
  use_layer(&d, 2, FORWARD | INPUT_GRADIENT | PREPARE | AGAIN);
}

static void chosen_algorithms(void) {
  equiconv_descriptor d = make_descriptor(d4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 8, 8, 16, 5);
  d.algorithm = EQUICONV_ALGORITHM_AUTO;
  use_layer(&d, 2, ALL_PASSES);
}

/** The plan comes from the cache of plans, its weights from the plan's cache: changed ones are transformed anew. */
static void simple_calls(void) {
  equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 32, 64, 8, 5);
  d.algorithm = EQUICONV_ALGORITHM_FOURIER;
  static int changes;
  float *weight = source32 + NUMBERS / 2;
  weight[0] = (float)(changes++ % 64); /* more than a plan keeps */
  if (!step(equiconv_lifting_conv(&d, 1, source32, weight, NULL, target))) return;
  weight[0] = 1;
  if (step(equiconv_lifting_conv(&d, 1, source32, weight, NULL, target))) copy_of(target, 64 * 4 * 4 * 4 / 2);
}

/** Both gradients of a layer of two channels, and that of the bias: all of them or none. */
static void use_gradients(equiconv_descriptor *d) {
  equiconv_plan *plan;
  if (!MAKE(plan, equiconv_plan_create(d, &plan))) return;
  int64_t shape[EQUICONV_MAX_RANK];
  int32_t rank;
  const int64_t inputs = count_of(equiconv_plan_get_input_shape, plan, 2);
  const int64_t weights = step(equiconv_plan_get_weight_shape(plan, shape, &rank)) ? shape_count(shape) : 0;
  equiconv_plan_destroy(plan);
  if (first_failure != EQUICONV_SUCCESS) return;
  const size_t bytes = (size_t)(inputs + weights + d->out_channels) * sizeof(double);
  memset(target, 0x5a, bytes);
  if (step(equiconv_group_conv_vjp(d, 2, source, source, source, target, target + inputs, target + inputs + weights))) {
    take_in(target, bytes);
    return;
  }
  bool is_untouched = true;
  for (size_t i = 0; i < bytes; i++) is_untouched &= ((const unsigned char *)target)[i] == 0x5a;
  CHECK(is_untouched);
}

static void gradients_together(void) {
  equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT64, 2, 2, 96, 3);
  use_gradients(&d);
  d.algorithm = EQUICONV_ALGORITHM_FOURIER;
  use_gradients(&d);
  /* Kernels between the taps: the gradient of the weight is taken back from samples. */
  d = make_descriptor(c8, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT64, 2, 2, 48, 5);
  use_gradients(&d);
  d.algorithm = EQUICONV_ALGORITHM_FOURIER;
  use_gradients(&d);
}

static void pools(void) {
  if (step(equiconv_group_pool(EQUICONV_FLOAT64, EQUICONV_POOL_MEAN, 3, 512, 70, source, target))) copy_of(target, 210);
  if (step(equiconv_group_pool(EQUICONV_FLOAT64, EQUICONV_POOL_MAX, 3, 512, 70, source, target))) copy_of(target, 210);
}

/** A network from its document to its outputs. */
static void network(void) {
  enum { BATCH = 2, ROWS = 96, PLANES = BATCH * EXAMPLE_CHANNELS * ROWS * ROWS };
  const equiconv_shape shape = {4, {BATCH, 1, ROWS, ROWS}};
  float *const numbers = (float *)target;
  void *const outputs[EXAMPLE_OUTPUTS] = {numbers + PLANES, numbers};
  equiconv_network *made;
  if (!MAKE(made, example_create(EQUICONV_NETWORK_EXACT, &made))) return;
  if (step(equiconv_network_run(made, EQUICONV_FLOAT32, &shape, source32, outputs, EXAMPLE_OUTPUTS))) {
    copy_of(target, (PLANES + BATCH * EXAMPLE_CLASSES) / 2);
  }
  equiconv_network_close(made);
}

/* ---- The list ---- */

const refused_call refused_calls[] = {{"largest_cyclic_group", largest_cyclic_group},
                                      {"named_groups", named_groups},
                                      {"group_of_matrices", group_of_matrices},
                                      {"large_bases", large_bases},
                                      {"wide_layer", wide_layer},
                                      {"largest_kernel", largest_kernel},
                                      {"layer_of_orbits", layer_of_orbits},
                                      {"strided_and_padded_layers", strided_and_padded_layers},
                                      {"layers_of_space", layers_of_space},
                                      {"layer_of_many_banks", layer_of_many_banks},
                                      {"layers_of_bases", layers_of_bases},
                                      {"fourier_layer", fourier_layer},
                                      {"winograd_layer", winograd_layer},
                                      {"chosen_algorithms", chosen_algorithms},
                                      {"simple_calls", simple_calls},
                                      {"gradients_together", gradients_together},
                                      {"pools", pools},
                                      {"network", network},
                                      {NULL, NULL}};

bool make_calls_ready(void) {
  test_random random = {131};
  const double factors[3] = {1, 1.5, 2.25};
  source = malloc(NUMBERS * sizeof(double));
  target = malloc(NUMBERS * sizeof(double));
  source32 = malloc(NUMBERS * sizeof(float));
  if (source == NULL || target == NULL || source32 == NULL) return false;
  random_fill(&random, EQUICONV_FLOAT64, source, NUMBERS);
  random_fill(&random, EQUICONV_FLOAT32, source32, NUMBERS);
  c4 = make_group(GROUP_C4);
  c8 = make_group(GROUP_C8);
  d4 = make_group(GROUP_D4);
  octahedral = make_group(GROUP_OCTAHEDRAL);
  return equiconv_group_create_scaling(2, 3, factors, &scalings) == EQUICONV_SUCCESS &&
         equiconv_group_create_cyclic(1024, &c1024) == EQUICONV_SUCCESS;
}

outcome run_call(const refused_call *call) {
  first_failure = EQUICONV_SUCCESS;
  digest = 0xcbf29ce484222325u;
  call->run();
  return (outcome){first_failure, digest};
}
