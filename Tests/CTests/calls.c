/* SPDX-License-Identifier: Apache-2.0 */
/* f_with_call is f, with the status and message of that very call. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "network_example.h"
#include "test.h"

/* ---- One function beside its variant ---- */

static equiconv_call call = EQUICONV_CALL_INIT;
static equiconv_status plain_status;
static char plain_message[EQUICONV_MESSAGE_SIZE];
static _Alignas(8) char results[2][1024]; /* what the function and its variant write, where they succeed */

static void remember(equiconv_status status) {
  plain_status = status;
  strcpy(plain_message, status == EQUICONV_SUCCESS ? "" : equiconv_last_error_message());
}

static void compare(equiconv_status status, const char *function, int line) {
  test_status((int32_t)status, (int32_t)plain_status, function, __FILE__, line);
  test_check(call.status == plain_status, function, __FILE__, line);
  test_check(strcmp(call.message, plain_message) == 0, function, __FILE__, line);
}

/** Both with these arguments. run.sh reads the names of functions that this file tests from here. */
#define SAME(f, ...)                                          \
  do {                                                        \
    remember(f(__VA_ARGS__));                                 \
    memset(call.message, 'x', sizeof call.message);           \
    compare(f##_with_call(__VA_ARGS__, &call), #f, __LINE__); \
    CHECK(f##_with_call(__VA_ARGS__, NULL) == plain_status);  \
  } while (0)

/** The same for calls that succeed, whose outputs are parts of `result`. */
#define SAME_RESULT(f, ...)                                         \
  do {                                                              \
    char *result = results[0];                                      \
    memset(results, 0, sizeof results);                             \
    CHECK_SUCCESS(f(__VA_ARGS__));                                  \
    result = results[1];                                            \
    CHECK_SUCCESS(f##_with_call(__VA_ARGS__, &call));               \
    CHECK(memcmp(results[0], results[1], sizeof results[0]) == 0);  \
    CHECK(call.status == EQUICONV_SUCCESS && call.message[0] == 0); \
  } while (0)

/* ---- Every function ---- */

static void groups_fail_alike(void) {
  static const double number[1] = {2};
  equiconv_group *group = NULL;
  equiconv_subgroup *subgroup = NULL;
  SAME(equiconv_group_create_trivial, 4, &group);
  SAME(equiconv_group_create_cyclic, 0, &group);
  SAME(equiconv_group_create_dihedral, -1, &group);
  SAME(equiconv_group_create_reflection, NULL);
  SAME(equiconv_group_create_octahedral, NULL);
  SAME(equiconv_group_create_full_octahedral, NULL);
  SAME(equiconv_group_create_tetrahedral, NULL);
  SAME(equiconv_group_create_pyritohedral, NULL);
  SAME(equiconv_group_create_icosahedral, NULL);
  SAME(equiconv_group_create_full_icosahedral, NULL);
  SAME(equiconv_group_create_axial_cyclic, 4, 7, &group);
  SAME(equiconv_group_create_axial_dihedral, 5000, EQUICONV_AXIS_X, &group);
  SAME(equiconv_group_create_scaling, 2, 1, number, &group);
  SAME(equiconv_group_create_similarity, 4, 1, number, &group);
  SAME(equiconv_group_create_from_matrices, 1, 1, number, &group);
  SAME(equiconv_group_get_matrices, NULL, NULL);
  SAME(equiconv_group_get_cayley, NULL, NULL);
  SAME(equiconv_group_get_inverses, NULL, NULL);
  SAME(equiconv_group_get_determinants, NULL, NULL);
  SAME(equiconv_group_get_quadrature_weights, NULL, NULL);
  SAME(equiconv_group_get_axis_actions, NULL, NULL, NULL);
  SAME(equiconv_group_get_moved_axes, NULL, NULL);
  SAME(equiconv_array_matrix, 4, number, NULL);
  SAME(equiconv_subgroup_create, NULL, 1, NULL, &subgroup);
  SAME(equiconv_subgroup_get_elements, NULL, NULL);
  SAME(equiconv_subgroup_get_left_cosets, NULL, NULL);
  CHECK(subgroup == NULL);
  CHECK(group == NULL);
}

static void bases_fail_alike(void) {
  const int64_t extents[2] = {3, 3};
  const int32_t twice[2] = {1, 1};
  equiconv_basis *basis = NULL;
  equiconv_group_basis *group_basis = NULL;
  SAME(equiconv_basis_create_pixel, 2, extents, 9, &basis);
  SAME(equiconv_basis_create_bspline, 2, extents, 6, 1, &basis);
  SAME(equiconv_basis_create_atrous_bspline, 2, extents, 2, -1, &basis);
  SAME(equiconv_basis_create_round_bspline, 2, extents, 2, -3, &basis);
  SAME(equiconv_basis_create_bspline_at, 2, extents, 2, 1, 0, NULL, &basis);
  SAME(equiconv_basis_create_circular_harmonics, 0, 4, &basis);
  SAME(equiconv_basis_create_harmonic_rings, 5, 0, NULL, NULL, 1, &basis);
  SAME(equiconv_basis_create_gaussian_derivatives, 2, extents, 11, 1, &basis);
  SAME(equiconv_basis_get_extents, NULL, NULL);
  SAME(equiconv_basis_sample, NULL, 1, NULL, NULL);
  SAME(equiconv_group_basis_create_localized, 2, twice, &group_basis);
  SAME(equiconv_group_basis_create_bspline, 2, 0, NULL, 1, &group_basis);
  SAME(equiconv_group_basis_get_matrix, NULL, NULL, NULL);
  CHECK(basis == NULL && group_basis == NULL);
}

static void layers_fail_alike(void) {
  equiconv_descriptor d = EQUICONV_DESCRIPTOR_INIT;
  SAME(equiconv_isotropic_conv, NULL, 1, NULL, NULL, NULL, NULL);
  SAME(equiconv_lifting_conv, &d, 1, NULL, NULL, NULL, NULL);
  SAME(equiconv_group_conv, &d, 1, NULL, NULL, NULL, NULL);
  SAME(equiconv_projection_conv, &d, 1, NULL, NULL, NULL, NULL);
  SAME(equiconv_conv, &d, 1, NULL, NULL, NULL, NULL);
  SAME(equiconv_isotropic_conv_vjp, &d, 1, NULL, NULL, NULL, NULL, NULL, NULL);
  SAME(equiconv_lifting_conv_vjp, &d, 1, NULL, NULL, NULL, NULL, NULL, NULL);
  SAME(equiconv_group_conv_vjp, &d, 1, NULL, NULL, NULL, NULL, NULL, NULL);
  SAME(equiconv_projection_conv_vjp, &d, 1, NULL, NULL, NULL, NULL, NULL, NULL);
  SAME(equiconv_conv_vjp, &d, 1, NULL, NULL, NULL, NULL, NULL, NULL);
}

static void plans_fail_alike(void) {
  SAME(equiconv_plan_create, NULL, NULL);
  SAME(equiconv_plan_forward, NULL, 1, NULL, NULL, NULL, NULL);
  SAME(equiconv_plan_input_gradient, NULL, 1, NULL, NULL, NULL);
  SAME(equiconv_plan_weight_gradient, NULL, 1, NULL, NULL, NULL);
  SAME(equiconv_plan_bias_gradient, NULL, 1, NULL, NULL);
  SAME(equiconv_plan_expand, NULL, NULL, NULL);
  SAME(equiconv_plan_explain, NULL, EQUICONV_PASS_FORWARD, 1, NULL);
  SAME(equiconv_weight_create, EQUICONV_FLOAT32, 0, NULL, NULL);
  SAME(equiconv_weight_get_numbers, NULL, 1, NULL);
  SAME(equiconv_plan_prepare, NULL, NULL, NULL);
  SAME(equiconv_plan_forward_prepared, NULL, 1, NULL, NULL, NULL, NULL);
  SAME(equiconv_forward_prepared, NULL, 1, NULL, NULL, NULL, NULL);
  SAME(equiconv_plan_get_input_shape, NULL, 1, NULL, NULL);
  SAME(equiconv_plan_get_output_shape, NULL, 1, NULL, NULL);
  SAME(equiconv_plan_get_weight_shape, NULL, NULL, NULL);
  SAME(equiconv_plan_get_bank_shape, NULL, NULL, NULL);
  SAME(equiconv_plan_get_sampled_kernel, NULL, NULL);
  SAME(equiconv_plan_get_stride_remainder, NULL, 0, NULL);
}

static void layer_objects_fail_alike(void) {
  equiconv_layer *layer = NULL;
  SAME(equiconv_layer_create, NULL, &layer);
  SAME(equiconv_layer_get_weight_shape, NULL, 1, 1, NULL, NULL);
  SAME(equiconv_layer_get_output_shape, NULL, NULL, NULL, NULL);
  SAME(equiconv_layer_get_stride_remainders, NULL, NULL, NULL, NULL);
  SAME(equiconv_layer_get_bank_shape, NULL, NULL, NULL);
  SAME(equiconv_layer_create_plan, NULL, EQUICONV_FLOAT32, NULL, NULL, NULL);
  SAME(equiconv_layer_forward, NULL, EQUICONV_FLOAT32, NULL, NULL, NULL, NULL, NULL, NULL);
  SAME(equiconv_layer_forward_prepared, NULL, EQUICONV_FLOAT32, NULL, NULL, NULL, NULL, NULL, NULL);
  SAME(equiconv_layer_vjp, NULL, EQUICONV_FLOAT32, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
  SAME(equiconv_layer_expand, NULL, EQUICONV_FLOAT32, NULL, NULL, NULL);
  SAME(equiconv_layer_explain, NULL, EQUICONV_FLOAT32, EQUICONV_PASS_FORWARD, NULL, NULL, NULL);
  CHECK(layer == NULL);
}

static void texts_fail_alike(void) {
  equiconv_layer *layer = NULL;
  equiconv_group *group = NULL;
  equiconv_basis *basis = NULL;
  equiconv_group_basis *group_basis = NULL;
  size_t length;
  SAME(equiconv_layer_serialize, NULL, 0, NULL, &length);
  SAME(equiconv_group_serialize, NULL, 0, NULL, &length);
  SAME(equiconv_basis_serialize, NULL, 0, NULL, &length);
  SAME(equiconv_group_basis_serialize, NULL, 0, NULL, &length);
  SAME(equiconv_layer_deserialize, "layer", 5, &layer);
  SAME(equiconv_group_deserialize, "group", 5, &group);
  SAME(equiconv_basis_deserialize, "basis", 5, &basis);
  SAME(equiconv_group_basis_deserialize, "basis", 5, &group_basis);
  CHECK(layer == NULL && group == NULL && basis == NULL && group_basis == NULL);
}

static void networks_fail_alike(void) {
  equiconv_network *network = NULL;
  size_t length;
  SAME(equiconv_network_open, "/nowhere/at all", NULL, &network);
  SAME(equiconv_network_open_memory, "bytes", 5, NULL, &network);
  SAME(equiconv_network_create, "{}", 2, NULL, 0, NULL, &network);
  SAME(equiconv_network_save, NULL, "path");
  SAME(equiconv_network_describe, NULL, 0, NULL, &length);
  SAME(equiconv_network_get_dtype, NULL, NULL);
  SAME(equiconv_network_get_input_shape, NULL, NULL);
  SAME(equiconv_network_get_output_shape, NULL, 0, NULL, NULL);
  SAME(equiconv_network_get_tensor, NULL, 0, NULL);
  SAME(equiconv_network_reserve, NULL, NULL);
  SAME(equiconv_network_run, NULL, EQUICONV_FLOAT32, NULL, NULL, NULL, 1);
  SAME(equiconv_network_explain, NULL, NULL, 0, NULL, &length);
  SAME(equiconv_network_check, NULL);
  CHECK(network == NULL);
}

static void signals_and_settings_fail_alike(void) {
  const int64_t spatial[2] = {2, 2};
  SAME(equiconv_act, NULL, 0, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, 1, spatial, NULL, NULL);
  SAME(equiconv_act_on, NULL, 0, EQUICONV_FLOAT32, NULL, 1, 1, spatial, NULL, NULL);
  SAME(equiconv_group_pool, EQUICONV_FLOAT32, 9, 1, 1, 1, NULL, NULL);
  SAME(equiconv_group_pool_vjp, EQUICONV_FLOAT32, EQUICONV_POOL_MEAN, 1, 1, 1, NULL, NULL, NULL);
  SAME(equiconv_set_num_threads, 0);
  SAME(equiconv_set_workspace_limit, 1);
}

/* ---- Every argument arrives in its place, where several are alike ---- */

static const float input[17] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6, 5, 4, 3, 2, 1};
static const float gradient[16] = {2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4, 5, 9, 0, 4, 5};
static const float weight[4] = {3, 5, 7, 11}, bias[1] = {13};

static const int32_t elements[1] = {0};

/** A layer of C4 on 2 x 2 pixels with kernels of one; general: on the group. */
static equiconv_descriptor small_layer(const equiconv_group *group, const equiconv_subgroup *identity) {
  equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GENERAL, EQUICONV_FLOAT32, 1, 1, 2, 1);
  d.input_stabilizer = d.output_stabilizer = identity;
  return d;
}

static void layers_succeed_alike(void) {
  equiconv_group *group = make_group(GROUP_C4);
  equiconv_subgroup *identity = make_subgroup(group, 1, elements);
  const equiconv_descriptor d = small_layer(group, identity);
  SAME_RESULT(equiconv_isotropic_conv, &d, 1, input, weight, bias, result);
  SAME_RESULT(equiconv_lifting_conv, &d, 1, input, weight, bias, result);
  SAME_RESULT(equiconv_group_conv, &d, 1, input, weight, bias, result);
  SAME_RESULT(equiconv_projection_conv, &d, 1, input, weight, bias, result);
  SAME_RESULT(equiconv_conv, &d, 1, input, weight, bias, result);
#define GRADIENT_ARRAYS gradient, input, weight, result, result + 256, result + 512
  SAME_RESULT(equiconv_isotropic_conv_vjp, &d, 1, GRADIENT_ARRAYS);
  SAME_RESULT(equiconv_lifting_conv_vjp, &d, 1, GRADIENT_ARRAYS);
  SAME_RESULT(equiconv_group_conv_vjp, &d, 1, GRADIENT_ARRAYS);
  SAME_RESULT(equiconv_projection_conv_vjp, &d, 1, GRADIENT_ARRAYS);
  SAME_RESULT(equiconv_conv_vjp, &d, 1, GRADIENT_ARRAYS);
  equiconv_subgroup_destroy(identity);
  equiconv_group_destroy(group);
}

static void plans_succeed_alike(void) {
  equiconv_group *group = make_group(GROUP_C4);
  equiconv_subgroup *identity = make_subgroup(group, 1, elements);
  const equiconv_descriptor d = small_layer(group, identity);
  equiconv_plan *plan = NULL;
  equiconv_weight *prepared = NULL;
  CHECK_SUCCESS(equiconv_plan_create_with_call(&d, &plan, &call));
  CHECK_SUCCESS(equiconv_weight_create_with_call(EQUICONV_FLOAT32, 4, weight, &prepared, &call));
  SAME_RESULT(equiconv_plan_forward, plan, 1, input, weight, bias, result);
  SAME_RESULT(equiconv_plan_forward_prepared, plan, 1, input, prepared, bias, result);
  SAME_RESULT(equiconv_forward_prepared, &d, 1, input, prepared, bias, result);
  SAME_RESULT(equiconv_plan_input_gradient, plan, 1, gradient, weight, result);
  SAME_RESULT(equiconv_plan_weight_gradient, plan, 1, gradient, input, result);
  SAME_RESULT(equiconv_plan_bias_gradient, plan, 1, gradient, result);
  SAME_RESULT(equiconv_plan_expand, plan, weight, result);
  SAME_RESULT(equiconv_plan_get_input_shape, plan, 2, (int64_t *)(void *)result, (int32_t *)(void *)(result + 512));
  equiconv_weight_destroy(prepared);
  equiconv_plan_destroy(plan);
  equiconv_subgroup_destroy(identity);
  equiconv_group_destroy(group);
}

static void layer_objects_succeed_alike(void) {
  equiconv_group *group = make_group(GROUP_C4);
  const equiconv_shape shape = {5, {1, 1, 4, 2, 2}}, kernel = {5, {1, 1, 4, 1, 1}};
  const int64_t extents[2] = {1, 1};
  const equiconv_descriptor d = make_descriptor(group, EQUICONV_LAYER_GROUP, EQUICONV_FLOAT32, 1, 1, 2, 1);
  equiconv_layer *layer = NULL;
  equiconv_weight *prepared = NULL;
  CHECK_SUCCESS(equiconv_layer_create_with_call(&d, &layer, &call));
  CHECK_SUCCESS(equiconv_weight_create_with_call(EQUICONV_FLOAT32, 4, weight, &prepared, &call));
  SAME_RESULT(equiconv_layer_forward, layer, EQUICONV_FLOAT32, &shape, input, &kernel, weight, bias, result);
  SAME_RESULT(equiconv_layer_forward_prepared, layer, EQUICONV_FLOAT32, &shape, input, &kernel, prepared, bias, result);
  SAME_RESULT(equiconv_layer_vjp, layer, EQUICONV_FLOAT32, &shape, &kernel, GRADIENT_ARRAYS);
  SAME_RESULT(equiconv_layer_expand, layer, EQUICONV_FLOAT32, &kernel, weight, result);
  SAME_RESULT(equiconv_layer_get_weight_shape, layer, 3, 2, extents, (equiconv_shape *)(void *)result);
  SAME_RESULT(equiconv_layer_get_output_shape, layer, &shape, &kernel, (equiconv_shape *)(void *)result);
  SAME_RESULT(equiconv_layer_serialize, layer, 512, result, (size_t *)(void *)(result + 512));
  equiconv_weight_destroy(prepared);
  equiconv_layer_destroy(layer);
  equiconv_group_destroy(group);
}

static void networks_succeed_alike(void) {
  const equiconv_shape shape = {4, {1, 1, 3, 4}};
  equiconv_network *network = NULL;
  CHECK_SUCCESS(example_create(EQUICONV_NETWORK_FAST, &network));
#define OUTPUTS ((void *[]){result, result + 256})
  SAME_RESULT(equiconv_network_run, network, EQUICONV_FLOAT32, &shape, input, OUTPUTS, EXAMPLE_OUTPUTS);
  SAME_RESULT(equiconv_network_get_input_shape, network, (equiconv_shape *)(void *)result);
  SAME_RESULT(equiconv_network_get_output_shape, network, 1, &shape, (equiconv_shape *)(void *)result);
  SAME_RESULT(equiconv_network_get_tensor, network, 1, (equiconv_tensor *)(void *)result);
  SAME_RESULT(equiconv_network_describe, network, 0, NULL, (size_t *)(void *)result);
  equiconv_network_close(network);
}

static void signals_succeed_alike(void) {
  static const int64_t spatial[2] = {1, 2};
  static const double factors[2] = {1, 2};
  equiconv_group *group = make_group(GROUP_C4), *scaling = NULL;
  equiconv_subgroup *identity = NULL;
  CHECK_SUCCESS(equiconv_subgroup_create_with_call(group, 1, elements, &identity, &call));
  SAME_RESULT(equiconv_act, group, 1, EQUICONV_FLOAT32, EQUICONV_SIGNAL_GROUP, 1, 2, spatial, input, result);
  SAME_RESULT(equiconv_act_on, group, 1, EQUICONV_FLOAT32, identity, 1, 2, spatial, input, result);
  SAME_RESULT(equiconv_group_pool, EQUICONV_FLOAT32, EQUICONV_POOL_MAX, 1, 2, 4, input, result);
  SAME_RESULT(equiconv_group_pool_vjp, EQUICONV_FLOAT32, EQUICONV_POOL_MAX, 1, 2, 4, gradient, input, result);
  SAME_RESULT(equiconv_subgroup_get_left_cosets, identity, (int32_t *)(void *)result);
  SAME_RESULT(equiconv_group_get_moved_axes, group, (int32_t *)(void *)result);
  SAME_RESULT(equiconv_group_get_axis_actions, group, (int32_t *)(void *)result, (int32_t *)(void *)(result + 512));
  equiconv_subgroup_destroy(identity);
  CHECK_SUCCESS(equiconv_group_create_similarity_with_call(4, 2, factors, &scaling, &call));
  CHECK(equiconv_group_order(scaling) == 8);
  equiconv_group_destroy(scaling);
  equiconv_group_destroy(group);
}

/* ---- The struct ---- */

static void initializers_agree(void) {
  const equiconv_call initial = EQUICONV_CALL_INIT;
  equiconv_call other;
  memset(&other, 'x', sizeof other);
  equiconv_call_init(&other);
  equiconv_call_init(NULL);
  CHECK(other.struct_size == initial.struct_size && other.is_cancelled == NULL && other.context == NULL);
  CHECK(other.status == EQUICONV_SUCCESS);
  CHECK(memcmp(other.message, initial.message, sizeof other.message) == 0);
}

static bool refused(equiconv_call *wrong, int32_t expected, const char *text) {
  equiconv_group *group = NULL;
  const equiconv_status status = equiconv_group_create_cyclic_with_call(4, &group, wrong);
  return (int32_t)status == expected && group == NULL && strstr(equiconv_last_error_message(), text) != NULL;
}

static void other_structs_are_refused_and_left_alone(void) {
  static char bytes[sizeof(equiconv_call) + sizeof(void *)];
  equiconv_call wrong = EQUICONV_CALL_INIT;
  wrong.struct_size -= 8;
  wrong.message[0] = 'x';
  CHECK(refused(&wrong, EQUICONV_ERROR_STRUCT_SIZE, "call.struct_size"));
  CHECK(wrong.status == EQUICONV_SUCCESS && wrong.message[0] == 'x');
  CHECK(refused((equiconv_call *)(void *)(bytes + 1), EQUICONV_ERROR_MISALIGNED_POINTER, "call is 0x"));
}

/* A message that is longer than the struct's is cut, and says the same as far as it goes. */
static void long_messages_are_cut(void) {
  int32_t zeros[EQUICONV_MESSAGE_SIZE] = {0};
  equiconv_group_basis *basis = NULL;
  CHECK_STATUS(equiconv_group_basis_create_localized_with_call(EQUICONV_MESSAGE_SIZE, zeros, &basis, &call),
               EQUICONV_ERROR_INVALID_BASIS);
  CHECK(strlen(equiconv_last_error_message()) >= EQUICONV_MESSAGE_SIZE);
  CHECK(strlen(call.message) == EQUICONV_MESSAGE_SIZE - 1);
  CHECK(strncmp(call.message, equiconv_last_error_message(), EQUICONV_MESSAGE_SIZE - 1) == 0);
}

/* ---- Threads: one struct a call, whatever other calls of the thread have failed since ---- */

enum { CALLERS = 4, CALLS = 200 };

static void *fail_often(void *misses) {
  for (int i = 0; i < CALLS; i++) {
    const int64_t order = -1 - random_between(&(test_random){(uint64_t)i}, 0, 1000000);
    char number[32];
    equiconv_call own = EQUICONV_CALL_INIT;
    equiconv_group *group = NULL;
    snprintf(number, sizeof number, "%lld", (long long)order);
    const equiconv_status status = equiconv_group_create_cyclic_with_call(order, &group, &own);
    equiconv_group_create_trivial(4, &group);
    if (own.status != status || status != EQUICONV_ERROR_INVALID_ORDER || strstr(own.message, number) == NULL) {
      *(int *)misses += 1;
    }
  }
  return NULL;
}

static void messages_belong_to_their_call(void) {
  pthread_t callers[CALLERS];
  int misses[CALLERS] = {0};
  for (int i = 0; i < CALLERS; i++) CHECK(pthread_create(&callers[i], NULL, fail_often, &misses[i]) == 0);
  for (int i = 0; i < CALLERS; i++) {
    CHECK(pthread_join(callers[i], NULL) == 0);
    CHECK(misses[i] == 0);
  }
}

int main(void) {
  RUN(groups_fail_alike);
  RUN(bases_fail_alike);
  RUN(layers_fail_alike);
  RUN(plans_fail_alike);
  RUN(layer_objects_fail_alike);
  RUN(texts_fail_alike);
  RUN(networks_fail_alike);
  RUN(signals_and_settings_fail_alike);
  RUN(layers_succeed_alike);
  RUN(plans_succeed_alike);
  RUN(layer_objects_succeed_alike);
  RUN(networks_succeed_alike);
  RUN(signals_succeed_alike);
  RUN(initializers_agree);
  RUN(other_structs_are_refused_and_left_alone);
  RUN(long_messages_are_cut);
  RUN(messages_belong_to_their_call);
  return test_result();
}
