/* SPDX-License-Identifier: Apache-2.0 */
/* Bases of kernels and on H, quotients, and the descriptor as it was before them: each function as documented. */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static void counts_and_extents_of_bases(void) {
  static const int64_t counts[TEST_BASES + 1] = {0, 25, 9, 16, 5, 3, 6, 6};
  for (int number = 1; number <= TEST_BASES; number++) {
    equiconv_basis *basis = make_basis(number, 2, 5);
    int64_t extents[3] = {0, 0, 0};
    CHECK(equiconv_basis_count(basis) == counts[number]);
    CHECK(equiconv_basis_dimension(basis) == 2);
    CHECK_SUCCESS(equiconv_basis_get_extents(basis, extents));
    CHECK(extents[0] == 5 && extents[1] == 5 && extents[2] == 1);
    equiconv_basis_destroy(basis);
  }
  CHECK(equiconv_basis_count(NULL) == 0 && equiconv_basis_dimension(NULL) == 0);
  equiconv_basis_destroy(NULL);
}

/* Pixels at the taps are the unit vectors; B-splines of degree 1 one tap wide are bilinear interpolation. */
static void samples_of_pixels_and_splines(void) {
  static const int64_t extents[2] = {2, 3};
  static const double points[8] = {-1, 0.5, 1, -0.5, 0.25, 0.5, NAN, 0};
  equiconv_basis *pixels = NULL, *splines = NULL;
  double values[24], others[24];
  CHECK_SUCCESS(equiconv_basis_create_pixel(2, extents, EQUICONV_INTERPOLATION_BILINEAR, &pixels));
  CHECK_SUCCESS(equiconv_basis_create_bspline(2, extents, 1, 1, &splines));
  CHECK_SUCCESS(equiconv_basis_sample(pixels, 4, points, values));
  CHECK_SUCCESS(equiconv_basis_sample(splines, 4, points, others));
  for (int j = 0; j < 6; j++) {
    CHECK(values[j] == (j == 0) && values[6 + j] == (j == 5));
    CHECK(values[12 + j] == (j == 1 ? 0.75 : j == 2 ? 0.25 : 0));
    CHECK(values[18 + j] == 0);
  }
  for (int i = 0; i < 24; i++) CHECK(fabs(values[i] - others[i]) <= 1e-15);
  equiconv_basis_destroy(pixels);
  equiconv_basis_destroy(splines);
}

/* A harmonic on one ring is 1 in its direction on the ring. */
static void samples_of_a_ring(void) {
  static const double radii[1] = {2}, points[4] = {2, 0, 0, 2};
  static const int32_t frequencies[1] = {1};
  equiconv_basis *ring = NULL;
  double values[6];
  CHECK_SUCCESS(equiconv_basis_create_harmonic_rings(7, 1, radii, frequencies, 0.6, &ring));
  CHECK(equiconv_basis_count(ring) == 3);
  CHECK_SUCCESS(equiconv_basis_sample(ring, 2, points, values));
  static const double expected[6] = {1, 1, 0, 1, 0, 1};
  for (int i = 0; i < 6; i++) CHECK(fabs(values[i] - expected[i]) <= 1e-12);
  equiconv_basis_destroy(ring);
}

static void matrices_of_group_bases(void) {
  static const int32_t elements[2] = {3, 0};
  static const double localized[8] = {0, 1, 0, 0, 0, 0, 1, 0}, centers[2] = {0, 3.14159265358979323846};
  equiconv_group *c4 = make_group(GROUP_C4);
  equiconv_group_basis *basis = NULL;
  double matrix[8];
  CHECK_SUCCESS(equiconv_group_basis_create_localized(2, elements, &basis));
  CHECK(equiconv_group_basis_count(basis) == 2);
  CHECK_SUCCESS(equiconv_group_basis_get_matrix(basis, c4, matrix));
  CHECK(memcmp(matrix, localized, sizeof matrix) == 0);
  equiconv_group_basis_destroy(basis);
  CHECK_SUCCESS(equiconv_group_basis_create_bspline(1, 2, centers, centers[1], &basis));
  CHECK(equiconv_group_basis_count(basis) == 2);
  CHECK_SUCCESS(equiconv_group_basis_get_matrix(basis, c4, matrix));
  for (int r = 0; r < 4; r++) CHECK(fabs(matrix[2 * r] + matrix[2 * r + 1] - 1) <= 1e-15);
  equiconv_group_basis_destroy(basis);
  CHECK(equiconv_group_basis_count(NULL) == 0);
  equiconv_group_basis_destroy(NULL);
  equiconv_group_destroy(c4);
}

/* Handles may end before the plan that was made with them. */
static void shapes_of_plans_with_bases(void) {
  static const int32_t elements[3] = {0, 1, 7}, turns[2] = {4, 0};
  equiconv_group *group = make_group(GROUP_C8);
  equiconv_basis *basis = make_basis(6, 2, 5);
  equiconv_group_basis *group_basis = NULL;
  equiconv_plan *plan = NULL, *quotient = NULL;
  CHECK_SUCCESS(equiconv_group_basis_create_localized(3, elements, &group_basis));
  equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 2, 4, 9, 5);
  d.basis = basis;
  d.group_basis = group_basis;
  CHECK_SUCCESS(equiconv_plan_create(&d, &plan));
  d.group_basis = NULL;
  d.layer = EQUICONV_LAYER_GENERAL;
  equiconv_subgroup *half_turn = make_subgroup(group, 2, turns), *identity = make_subgroup(group, 1, elements);
  d.input_stabilizer = half_turn;
  d.output_stabilizer = identity;
  CHECK_SUCCESS(equiconv_plan_create(&d, &quotient));
  equiconv_subgroup_destroy(half_turn);
  equiconv_subgroup_destroy(identity);
  equiconv_group_destroy(group);
  equiconv_basis_destroy(basis);
  equiconv_group_basis_destroy(group_basis);
  int64_t shape[EQUICONV_MAX_RANK];
  int32_t rank = 0;
  CHECK_SUCCESS(equiconv_plan_get_weight_shape(plan, shape, &rank));
  CHECK(rank == 4 && shape[0] == 4 && shape[1] == 2 && shape[2] == 3 && shape[3] == 6);
  CHECK_SUCCESS(equiconv_plan_get_weight_shape(quotient, shape, &rank));
  CHECK(rank == 4 && shape[0] == 4 && shape[1] == 2 && shape[2] == 4 && shape[3] == 6);
  CHECK_SUCCESS(equiconv_plan_get_input_shape(quotient, 1, shape, &rank));
  CHECK(rank == 5 && shape[2] == 4);
  CHECK_SUCCESS(equiconv_plan_get_output_shape(quotient, 1, shape, &rank));
  CHECK(rank == 5 && shape[2] == 8);
  equiconv_plan_destroy(plan);
  equiconv_plan_destroy(quotient);
}

/* The scale 2 samples 2 ceil(2 (3 - 1) / 2) + 1 taps, and the output has the size that the kernel of 3 gives. */
static void scalings_sample_larger_kernels(void) {
  equiconv_group *group = make_group(GROUP_SCALING1);
  const equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 9, 3);
  equiconv_plan *plan = NULL;
  int64_t extents[3] = {0, 0, 0}, shape[EQUICONV_MAX_RANK];
  int32_t rank = 0;
  CHECK_SUCCESS(equiconv_plan_create(&d, &plan));
  CHECK_SUCCESS(equiconv_plan_get_sampled_kernel(plan, extents));
  CHECK(extents[0] == 5 && extents[1] == 1 && extents[2] == 1);
  CHECK_SUCCESS(equiconv_plan_get_output_shape(plan, 1, shape, &rank));
  CHECK(rank == 4 && shape[2] == 2 && shape[3] == 7);
  equiconv_plan_destroy(plan);
  equiconv_group_destroy(group);
}

/* 1/|det h|: lifted by the scale 2, the tap of the middle counts half, and the linear kernel spreads over 3 taps. */
static void scaled_kernels_have_the_factor_of_the_theorem(void) {
  static const float input[3] = {0, 1, 0}, weight[1] = {1};
  static const float expected[6] = {0, 1, 0, 0, 0.5f, 0};
  equiconv_group *group = make_group(GROUP_SCALING1);
  equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, 3, 1);
  float output[6];
  CHECK_SUCCESS(equiconv_lifting_conv(&d, 1, input, weight, NULL, output));
  CHECK(memcmp(output, expected, sizeof output) == 0);
  equiconv_group_destroy(group);
}

/* Stabilizers H and {e} give the bits of the four named layers, in conv, conv_vjp and act_on. */
static void general_layer_has_the_named_ones(void) {
  static const int32_t elements[8] = {7, 0, 1, 2, 3, 4, 5, 6};
  test_random random = {61};
  equiconv_group *group = make_group(GROUP_C8);
  equiconv_subgroup *all = make_subgroup(group, 8, elements), *identity = make_subgroup(group, 1, elements + 1);
  for (int32_t layer = 0; layer < 4; layer++) {
    equiconv_descriptor d = make_descriptor(group, layer, EQUICONV_FLOAT32, 2, 3, 7, 3);
    test_layer named = layer_make(&d, 2, &random);
    layer_forward(&named);
    const bool reads = layer == EQUICONV_LAYER_GROUP || layer == EQUICONV_LAYER_PROJECTION;
    const bool writes = layer == EQUICONV_LAYER_GROUP || layer == EQUICONV_LAYER_LIFTING;
    d.input_stabilizer = reads ? identity : all;
    d.output_stabilizer = writes ? identity : all;
    const size_t outputs = (size_t)named.outputs * sizeof(float), weights = (size_t)named.weights * sizeof(float);
    float *output = guarded_alloc(outputs), *gw[2] = {guarded_alloc(weights), guarded_alloc(weights)};
    CHECK_SUCCESS(equiconv_conv(&d, 2, named.input, named.weight, named.bias, output));
    CHECK(memcmp(output, named.output, outputs) == 0);
    CHECK_SUCCESS(equiconv_conv_vjp(&d, 2, output, named.input, NULL, NULL, gw[0], NULL));
    CHECK_SUCCESS(equiconv_plan_weight_gradient(named.plan, 2, output, named.input, gw[1]));
    CHECK(memcmp(gw[0], gw[1], weights) == 0);
    guarded_free(output);
    guarded_free(gw[0]);
    guarded_free(gw[1]);
    layer_free(&named);
  }
  equiconv_subgroup_destroy(all);
  equiconv_subgroup_destroy(identity);
  equiconv_group_destroy(group);
}

/* A quarter turn of a signal on C4 / {0, 2} exchanges its two planes. */
static void action_on_a_quotient(void) {
  static const int32_t elements[2] = {0, 2};
  static const int64_t spatial[2] = {1, 2};
  static const float input[4] = {1, 2, 3, 4}, expected[4] = {4, 3, 2, 1};
  equiconv_group *c4 = make_group(GROUP_C4);
  equiconv_subgroup *half_turn = make_subgroup(c4, 2, elements);
  float output[4];
  CHECK_SUCCESS(equiconv_act_on(c4, 1, EQUICONV_FLOAT32, half_turn, 1, 1, spatial, input, output));
  CHECK(memcmp(output, expected, sizeof output) == 0);
  equiconv_subgroup_destroy(half_turn);
  equiconv_group_destroy(c4);
}

int main(void) {
  RUN(counts_and_extents_of_bases);
  RUN(samples_of_pixels_and_splines);
  RUN(samples_of_a_ring);
  RUN(matrices_of_group_bases);
  RUN(shapes_of_plans_with_bases);
  RUN(scalings_sample_larger_kernels);
  RUN(scaled_kernels_have_the_factor_of_the_theorem);
  RUN(general_layer_has_the_named_ones);
  RUN(action_on_a_quotient);
  return test_result();
}
