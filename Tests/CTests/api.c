/* SPDX-License-Identifier: Apache-2.0 */
/* Every function of the header is called once, as documented, and does what its line says. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

static void version_and_statuses(void) {
  CHECK(equiconv_version() == EQUICONV_VERSION);
  CHECK(strcmp(equiconv_status_name(EQUICONV_SUCCESS), "EQUICONV_SUCCESS") == 0);
  CHECK(strcmp(equiconv_status_name(EQUICONV_ERROR_OVERLAP), "EQUICONV_ERROR_OVERLAP") == 0);
  CHECK(strcmp(equiconv_status_name(EQUICONV_ERROR_NOT_A_SUBGROUP), "EQUICONV_ERROR_NOT_A_SUBGROUP") == 0);
  CHECK(strcmp(equiconv_status_name(EQUICONV_ERROR_INVALID_FACTOR), "EQUICONV_ERROR_INVALID_FACTOR") == 0);
  CHECK(strcmp(equiconv_status_name(-1), "unknown status") == 0);
  CHECK(strcmp(equiconv_last_error_message(), "") == 0);
}

static void threads(void) {
  CHECK(equiconv_get_num_threads() >= 1);
  CHECK_SUCCESS(equiconv_set_num_threads(2));
  CHECK(equiconv_get_num_threads() == 2);
}

/** The place of an instruction set in the order of their age on one architecture, or -1. */
static int isa_level(const char *name) {
#if defined(__aarch64__)
  static const char *const names[] = {"baseline", "neon"};
#else
  static const char *const names[] = {"baseline", "avx2", "avx512"};
#endif
  for (size_t level = 0; level < sizeof names / sizeof *names; level++) {
    if (strcmp(name, names[level]) == 0) return (int)level;
  }
  return -1;
}

/* EQUICONV_ISA is an upper bound: what the processor lacks is not used. Names of other architectures say nothing. */
static void instruction_set(void) {
  const char *wanted = getenv("EQUICONV_ISA");
  const int level = isa_level(equiconv_instruction_set());
  CHECK(level >= 0);
  CHECK(wanted == NULL || isa_level(wanted) < 0 || level <= isa_level(wanted));
  CHECK(wanted == NULL || strcmp(wanted, "baseline") != 0 || level == 0);
}

static void named_groups(void) {
  static const char *const names[TEST_GROUPS] = {
      "trivial1", "trivial2",   "trivial3",        "reflection",  "C2",           "C4",         "D1",        "D2",
      "D4",       "octahedral", "full octahedral", "tetrahedral", "pyritohedral", "C4 about x", "D2 about y"};
  static const int64_t orders[TEST_GROUPS] = {1, 1, 1, 2, 2, 4, 2, 4, 8, 24, 48, 12, 24, 4, 4};
  static const int32_t dimensions[TEST_GROUPS] = {1, 2, 3, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3};
  for (int number = 0; number < TEST_GROUPS; number++) {
    equiconv_group *group = make_group(number);
    CHECK(strcmp(equiconv_group_name(group), names[number]) == 0);
    CHECK(equiconv_group_order(group) == orders[number]);
    CHECK(equiconv_group_dimension(group) == dimensions[number]);
    CHECK(equiconv_group_is_lattice(group) == 1);
    CHECK(equiconv_group_is_closed(group) == 1);
    equiconv_group_destroy(group);
  }
  equiconv_group *hexagon = NULL;
  CHECK_SUCCESS(equiconv_group_create_cyclic(6, &hexagon));
  CHECK(equiconv_group_is_lattice(hexagon) == 0);
  equiconv_group_destroy(hexagon);
}

static void icosahedral_groups(void) {
  equiconv_group *group = NULL, *full = NULL;
  CHECK_SUCCESS(equiconv_group_create_icosahedral(&group));
  CHECK_SUCCESS(equiconv_group_create_full_icosahedral(&full));
  CHECK(equiconv_group_order(group) == 60 && equiconv_group_order(full) == 120);
  CHECK(equiconv_group_is_lattice(group) == 0 && equiconv_group_is_closed(group) == 1);
  double weights[60];
  CHECK_SUCCESS(equiconv_group_get_quadrature_weights(group, weights));
  CHECK(weights[0] == 1.0 / 60 && weights[59] == 1.0 / 60);
  equiconv_group_destroy(group);
  equiconv_group_destroy(full);
}

/* Element i multiplies by factors[i]; what is not in the set is -1. */
static void truncated_sets(void) {
  static const double factors[3] = {1, 2, 4}, third[3] = {0.25, 0.5, 0.25};
  static const int32_t products[9] = {0, 1, 2, 1, 2, -1, 2, -1, -1};
  equiconv_group *scaling = NULL, *similarity = NULL;
  double matrices[27], determinants[6], weights[6];
  int32_t cayley[36], inverses[3];
  CHECK_SUCCESS(equiconv_group_create_scaling(3, 3, factors, &scaling));
  CHECK(equiconv_group_order(scaling) == 3 && equiconv_group_dimension(scaling) == 3);
  CHECK(equiconv_group_is_closed(scaling) == 0 && equiconv_group_is_lattice(scaling) == 0);
  CHECK_SUCCESS(equiconv_group_get_matrices(scaling, matrices));
  CHECK(matrices[9] == 2 && matrices[10] == 0 && matrices[26] == 4);
  CHECK_SUCCESS(equiconv_group_get_determinants(scaling, determinants));
  CHECK(determinants[0] == 1 && determinants[1] == 8 && determinants[2] == 64);
  CHECK_SUCCESS(equiconv_group_get_cayley(scaling, cayley));
  CHECK(memcmp(cayley, products, sizeof products) == 0);
  CHECK_SUCCESS(equiconv_group_get_inverses(scaling, inverses));
  CHECK(inverses[0] == 0 && inverses[1] == -1 && inverses[2] == -1);
  CHECK_SUCCESS(equiconv_group_get_quadrature_weights(scaling, weights));
  for (int i = 0; i < 3; i++) CHECK(fabs(weights[i] - third[i]) < 1e-15);
  CHECK_SUCCESS(equiconv_group_create_similarity(3, 2, factors, &similarity));
  CHECK(equiconv_group_order(similarity) == 6 && equiconv_group_dimension(similarity) == 2);
  CHECK_SUCCESS(equiconv_group_get_cayley(similarity, cayley));
  CHECK(cayley[2 * 6 + 2] == 1 && cayley[4 * 6 + 2] == 3 && cayley[3 * 6 + 3] == -1);
  equiconv_group_destroy(scaling);
  equiconv_group_destroy(similarity);
}

static void group_tables(void) {
  static const double matrices[8] = {1, 0, 0, 1, -1, 0, 0, -1};
  equiconv_group *group = NULL;
  CHECK_SUCCESS(equiconv_group_create_from_matrices(2, 2, matrices, &group));
  double copied[8], determinants[2];
  int32_t cayley[4], inverses[2];
  CHECK_SUCCESS(equiconv_group_get_matrices(group, copied));
  CHECK(memcmp(copied, matrices, sizeof matrices) == 0);
  CHECK_SUCCESS(equiconv_group_get_determinants(group, determinants));
  CHECK(determinants[0] == 1 && determinants[1] == 1);
  CHECK_SUCCESS(equiconv_group_get_cayley(group, cayley));
  CHECK(cayley[0] == 0 && cayley[1] == 1 && cayley[2] == 1 && cayley[3] == 0);
  CHECK_SUCCESS(equiconv_group_get_inverses(group, inverses));
  CHECK(inverses[0] == 0 && inverses[1] == 1);
  equiconv_group_destroy(group);
}

/* The quarter turns of 8 rotations turn (row, column) as numpy.rot90 does; the others do not map the grid to itself. */
static void array_axes(void) {
  static const int32_t axes[16] = {0, 1, -1, -1, 1, 0, -1, -1, 0, 1, -1, -1, 1, 0, -1, -1};
  static const int32_t signs[16] = {1, 1, 0, 0, -1, 1, 0, 0, -1, -1, 0, 0, 1, -1, 0, 0};
  static const double quarter[4] = {0, -1, 1, 0}, scaled[9] = {2, 3, 0, 0, 5, 0, 0, 0, 7};
  static const double on_axes[9] = {7, 0, 0, 0, 5, 0, 0, -3, 2};
  equiconv_group *group = NULL;
  int32_t copied_axes[16], copied_signs[16], moved[3];
  CHECK_SUCCESS(equiconv_group_create_cyclic(8, &group));
  CHECK_SUCCESS(equiconv_group_get_axis_actions(group, copied_axes, copied_signs));
  CHECK(memcmp(copied_axes, axes, sizeof axes) == 0 && memcmp(copied_signs, signs, sizeof signs) == 0);
  equiconv_group_destroy(group);
  CHECK_SUCCESS(equiconv_group_create_axial_cyclic(3, EQUICONV_AXIS_X, &group));
  CHECK_SUCCESS(equiconv_group_get_moved_axes(group, moved));
  CHECK(moved[0] == 1 && moved[1] == 1 && moved[2] == 0);
  equiconv_group_destroy(group);
  double matrix[9];
  CHECK_SUCCESS(equiconv_array_matrix(2, quarter, matrix));
  CHECK(matrix[0] == 0 && matrix[1] == -1 && matrix[2] == 1 && matrix[3] == 0);
  memcpy(matrix, scaled, sizeof scaled);
  CHECK_SUCCESS(equiconv_array_matrix(3, matrix, matrix));
  CHECK(memcmp(matrix, on_axes, sizeof on_axes) == 0);
}

/* Elements come back ascending, and a handle outlives its group. */
static void subgroups(void) {
  static const int32_t elements[3] = {2, 1, 0}, reflections[2] = {4, 0}, of_reflections[8] = {0, 1, 2, 3, 0, 1, 2, 3};
  static const double factors[3] = {1, 2, 4};
  equiconv_group *d4 = make_group(GROUP_D4), *scaling = NULL;
  equiconv_subgroup *subgroup = make_subgroup(d4, 2, reflections);
  equiconv_group_destroy(d4);
  int32_t copied[3], coset[8];
  CHECK(equiconv_subgroup_order(subgroup) == 2);
  CHECK_SUCCESS(equiconv_subgroup_get_elements(subgroup, copied));
  CHECK(copied[0] == 0 && copied[1] == 4);
  CHECK_SUCCESS(equiconv_subgroup_get_left_cosets(subgroup, coset));
  CHECK(memcmp(coset, of_reflections, sizeof coset) == 0);
  equiconv_subgroup_destroy(subgroup);
  /* The whole of a truncated set stands for a group. */
  CHECK_SUCCESS(equiconv_group_create_scaling(2, 3, factors, &scaling));
  subgroup = make_subgroup(scaling, 3, elements);
  CHECK_SUCCESS(equiconv_subgroup_get_left_cosets(subgroup, coset));
  CHECK(coset[0] == 0 && coset[1] == 0 && coset[2] == 0);
  equiconv_subgroup_destroy(subgroup);
  equiconv_group_destroy(scaling);
}

/* What the macros set, for languages that do not see them. */
static void initializers_do_what_their_macros_do(void) {
  const equiconv_descriptor descriptor = EQUICONV_DESCRIPTOR_INIT;
  const equiconv_explanation explanation = EQUICONV_EXPLANATION_INIT;
  equiconv_descriptor d;
  equiconv_explanation e;
  memset(&d, 0x5a, sizeof d);
  memset(&e, 0x5a, sizeof e);
  equiconv_descriptor_init(&d);
  equiconv_explanation_init(&e);
  equiconv_descriptor_init(NULL);
  equiconv_explanation_init(NULL);
  CHECK(memcmp(&d, &descriptor, sizeof d) == 0);
  CHECK(memcmp(&e, &explanation, sizeof e) == 0);
  CHECK(d.struct_size == sizeof d && d.stride[2] == 1 && d.dilation[0] == 1 && d.padding[0] == 0);
}

static void null_handles(void) {
  equiconv_group_destroy(NULL);
  equiconv_plan_destroy(NULL);
  CHECK(equiconv_group_order(NULL) == 0);
  CHECK(equiconv_group_dimension(NULL) == 0);
  CHECK(equiconv_group_is_lattice(NULL) == 0);
  CHECK(equiconv_group_is_closed(NULL) == 0);
  CHECK(strcmp(equiconv_group_name(NULL), "") == 0);
  CHECK(equiconv_plan_flops(NULL, 1) == 0);
  equiconv_subgroup_destroy(NULL);
  CHECK(equiconv_subgroup_order(NULL) == 0);
}

static void check_shape(const int64_t *shape, int32_t rank, const int64_t *expected, int32_t expected_rank) {
  CHECK(rank == expected_rank);
  for (int axis = 0; axis < EQUICONV_MAX_RANK; axis++) {
    CHECK(shape[axis] == (axis < expected_rank ? expected[axis] : 1));
  }
}

static void plan_queries(void) {
  equiconv_group *group = make_group(GROUP_C4);
  equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 3, 5, 8, 3);
  d.spatial[1] = 10;
  d.stride[0] = d.stride[1] = 2;
  equiconv_plan *plan = NULL;
  CHECK_SUCCESS(equiconv_plan_create(&d, &plan));
  equiconv_group_destroy(group); /* a plan keeps what it needs of its group */
  int64_t shape[EQUICONV_MAX_RANK], remainder = -1;
  int32_t rank;
  CHECK_SUCCESS(equiconv_plan_get_input_shape(plan, 7, shape, &rank));
  check_shape(shape, rank, (const int64_t[]){7, 3, 4, 8, 10}, 5);
  CHECK_SUCCESS(equiconv_plan_get_output_shape(plan, 7, shape, &rank));
  check_shape(shape, rank, (const int64_t[]){7, 5, 4, 3, 4}, 5);
  CHECK_SUCCESS(equiconv_plan_get_weight_shape(plan, shape, &rank));
  check_shape(shape, rank, (const int64_t[]){5, 3, 4, 3, 3}, 5);
  CHECK_SUCCESS(equiconv_plan_get_bank_shape(plan, shape, &rank));
  check_shape(shape, rank, (const int64_t[]){20, 12, 3, 3}, 4);
  CHECK_SUCCESS(equiconv_plan_get_stride_remainder(plan, 1, &remainder));
  CHECK(remainder == (10 - 3) % 2);
  CHECK(equiconv_plan_flops(plan, 7) == 2.0 * 7 * (5 * 4 * 3 * 4) * (3 * 4 * 3 * 3));
  equiconv_plan_destroy(plan);
}

typedef equiconv_status forward_function(const equiconv_descriptor *, int64_t, const void *, const void *, const void *,
                                         void *);
typedef equiconv_status gradient_function(const equiconv_descriptor *, int64_t, const void *, const void *,
                                          const void *, void *, void *, void *);
static forward_function *const forwards[4] = {equiconv_isotropic_conv, equiconv_lifting_conv, equiconv_group_conv,
                                              equiconv_projection_conv};
static gradient_function *const gradients[4] = {equiconv_isotropic_conv_vjp, equiconv_lifting_conv_vjp,
                                                equiconv_group_conv_vjp, equiconv_projection_conv_vjp};

/* The simple call of a layer gives the bits of the plan, whatever layer the descriptor says. */
static void simple_calls_agree_with_plans(void) {
  test_random random = {11};
  equiconv_group *group = make_group(GROUP_D4);
  for (int32_t layer = 0; layer < 4; layer++) {
    equiconv_descriptor d = make_descriptor(group, layer, EQUICONV_FLOAT32, 2, 3, 9, 3);
    d.padding[0] = d.padding[1] = EQUICONV_PADDING_SAME;
    test_layer run = layer_make(&d, 2, &random);
    layer_forward(&run);
    d.layer = (layer + 1) % 4;
    float *output = guarded_alloc((size_t)run.outputs * sizeof(float));
    CHECK_SUCCESS(forwards[layer](&d, 2, run.input, run.weight, run.bias, output));
    CHECK(memcmp(output, run.output, (size_t)run.outputs * sizeof(float)) == 0);

    const size_t inputs = (size_t)run.inputs * sizeof(float), weights = (size_t)run.weights * sizeof(float);
    float *gi[2] = {guarded_alloc(inputs), guarded_alloc(inputs)};
    float *gw[2] = {guarded_alloc(weights), guarded_alloc(weights)};
    float gb[2][3];
    CHECK_SUCCESS(gradients[layer](&d, 2, output, run.input, run.weight, gi[0], gw[0], gb[0]));
    CHECK_SUCCESS(equiconv_plan_input_gradient(run.plan, 2, output, run.weight, gi[1]));
    CHECK_SUCCESS(equiconv_plan_weight_gradient(run.plan, 2, output, run.input, gw[1]));
    CHECK_SUCCESS(equiconv_plan_bias_gradient(run.plan, 2, output, gb[1]));
    CHECK(memcmp(gi[0], gi[1], inputs) == 0);
    CHECK(memcmp(gw[0], gw[1], weights) == 0);
    CHECK(memcmp(gb[0], gb[1], sizeof gb[0]) == 0);
    for (int i = 0; i < 2; i++) {
      guarded_free(gi[i]);
      guarded_free(gw[i]);
    }
    guarded_free(output);
    layer_free(&run);
  }
  equiconv_group_destroy(group);
}

/* Each gradient may be left out, and then what only it reads may be left out too. */
static void unwanted_gradients_need_no_arrays(void) {
  equiconv_group *group = make_group(GROUP_C4);
  equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT64, 1, 1, 1, 1);
  const double go[4] = {1, 2, 3, 4}, input[1] = {5}, weight[1] = {7};
  double gi[1], gw[1], gb[1];
  CHECK_SUCCESS(equiconv_lifting_conv_vjp(&d, 1, go, NULL, weight, gi, NULL, NULL));
  CHECK(gi[0] == 70);
  CHECK_SUCCESS(equiconv_lifting_conv_vjp(&d, 1, go, input, NULL, NULL, gw, NULL));
  CHECK(gw[0] == 50);
  CHECK_SUCCESS(equiconv_lifting_conv_vjp(&d, 1, go, NULL, NULL, NULL, NULL, gb));
  CHECK(gb[0] == 10);
  CHECK_SUCCESS(equiconv_lifting_conv_vjp(&d, 1, go, NULL, NULL, NULL, NULL, NULL));
  equiconv_group_destroy(group);
}

/* An empty batch writes nothing but zero gradients of the parameters. */
static void empty_batch(void) {
  equiconv_group *group = make_group(GROUP_C4);
  equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 2, 5, 3);
  float nothing[1] = {1}, weight[18] = {0}, output[1] = {2}, gi[1] = {3}, gw[18], gb[2];
  memset(gw, 0x55, sizeof gw);
  memset(gb, 0x55, sizeof gb);
  CHECK_SUCCESS(equiconv_lifting_conv(&d, 0, nothing, weight, NULL, output));
  CHECK(output[0] == 2);
  CHECK_SUCCESS(equiconv_lifting_conv_vjp(&d, 0, nothing, nothing, weight, gi, gw, gb));
  CHECK(gi[0] == 3);
  for (int i = 0; i < 18; i++) CHECK(gw[i] == 0);
  CHECK(gb[0] == 0 && gb[1] == 0);
  equiconv_group_destroy(group);
}

static void expansion_of_the_trivial_group_is_the_weight(void) {
  test_random random = {12};
  equiconv_group *group = make_group(GROUP_TRIVIAL2);
  for (int32_t layer = 0; layer < 4; layer++) {
    equiconv_descriptor d = make_descriptor(group, layer, EQUICONV_FLOAT64, 2, 3, 4, 2);
    test_layer run = layer_make(&d, 1, &random);
    double bank[24];
    CHECK_SUCCESS(equiconv_plan_expand(run.plan, run.weight, bank));
    CHECK(run.weights == 24 && memcmp(bank, run.weight, sizeof bank) == 0);
    layer_free(&run);
  }
  equiconv_group_destroy(group);
}

static void action_turns_as_rot90(void) {
  equiconv_group *group = make_group(GROUP_C4);
  const float input[6] = {1, 2, 3, 4, 5, 6}, turned[6] = {3, 6, 2, 5, 1, 4};
  const int64_t spatial[2] = {2, 3};
  float output[6];
  CHECK_SUCCESS(equiconv_act(group, 1, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, 1, spatial, input, output));
  CHECK(memcmp(output, turned, sizeof output) == 0);
  equiconv_group_destroy(group);
}

static void pooling(void) {
  const float input[8] = {1, 5, 3, 5, 2, 0, 6, 4}; /* (1, 4, 2) */
  const float gradient[2] = {4, 8};
  float output[2], spread[8];
  CHECK_SUCCESS(equiconv_group_pool(EQUICONV_FLOAT32, EQUICONV_POOL_MEAN, 1, 4, 2, input, output));
  CHECK(output[0] == 3 && output[1] == 3.5f);
  CHECK_SUCCESS(equiconv_group_pool(EQUICONV_FLOAT32, EQUICONV_POOL_MAX, 1, 4, 2, input, output));
  CHECK(output[0] == 6 && output[1] == 5);
  CHECK_SUCCESS(equiconv_group_pool_vjp(EQUICONV_FLOAT32, EQUICONV_POOL_MEAN, 1, 4, 2, gradient, NULL, spread));
  for (int i = 0; i < 8; i++) CHECK(spread[i] == (i % 2 == 0 ? 1 : 2));
  CHECK_SUCCESS(equiconv_group_pool_vjp(EQUICONV_FLOAT32, EQUICONV_POOL_MAX, 1, 4, 2, gradient, input, spread));
  const float shares[8] = {0, 4, 0, 4, 0, 0, 4, 0};
  CHECK(memcmp(spread, shares, sizeof shares) == 0);
  const double with_nan[2] = {NAN, 1};
  double largest = 0;
  CHECK_SUCCESS(equiconv_group_pool(EQUICONV_FLOAT64, EQUICONV_POOL_MAX, 1, 2, 1, with_nan, &largest));
  CHECK(isnan(largest));
}

int main(void) {
  RUN(version_and_statuses);
  RUN(threads);
  RUN(instruction_set);
  RUN(named_groups);
  RUN(icosahedral_groups);
  RUN(truncated_sets);
  RUN(group_tables);
  RUN(array_axes);
  RUN(subgroups);
  RUN(initializers_do_what_their_macros_do);
  RUN(null_handles);
  RUN(plan_queries);
  RUN(simple_calls_agree_with_plans);
  RUN(unwanted_gradients_need_no_arrays);
  RUN(empty_batch);
  RUN(expansion_of_the_trivial_group_is_the_weight);
  RUN(action_turns_as_rot90);
  RUN(pooling);
  return test_result();
}
