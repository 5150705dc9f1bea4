/* SPDX-License-Identifier: Apache-2.0 */
#include "wrong.h"

static void wrong_shapes(const equiconv_plan *plan) {
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL", equiconv_plan_get_input_shape(NULL, 1, out.shape, &out.rank));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "shape is NULL", equiconv_plan_get_input_shape(plan, 1, NULL, &out.rank));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "rank is NULL", equiconv_plan_get_input_shape(plan, 1, out.shape, NULL));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "batch is -1", equiconv_plan_get_input_shape(plan, -1, out.shape, &out.rank));
  WRONG(EQUICONV_ERROR_SIZE_OVERFLOW, "batch is", equiconv_plan_get_input_shape(plan, INT64_MAX, out.shape, &out.rank));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL", equiconv_plan_get_output_shape(NULL, 1, out.shape, &out.rank));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "batch is -1", equiconv_plan_get_output_shape(plan, -1, out.shape, &out.rank));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "rank is NULL", equiconv_plan_get_weight_shape(plan, out.shape, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "shape is NULL", equiconv_plan_get_bank_shape(plan, NULL, &out.rank));
}

static void wrong_axes_and_threads(const equiconv_plan *plan) {
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL", equiconv_plan_get_sampled_kernel(NULL, out.shape));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "extents is NULL", equiconv_plan_get_sampled_kernel(plan, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL", equiconv_plan_get_stride_remainder(NULL, 0, &out.remainder));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "remainder is NULL", equiconv_plan_get_stride_remainder(plan, 0, NULL));
  WRONG(EQUICONV_ERROR_INDEX_OUT_OF_RANGE, "axis is 2", equiconv_plan_get_stride_remainder(plan, 2, &out.remainder));
  WRONG(EQUICONV_ERROR_INDEX_OUT_OF_RANGE, "axis is -1", equiconv_plan_get_stride_remainder(plan, -1, &out.remainder));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "count is 0", equiconv_set_num_threads(0));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "count is -3", equiconv_set_num_threads(-3));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "count is 1025", equiconv_set_num_threads(1025));
}

void wrong_queries(void) {
  equiconv_group *c4 = make_group(GROUP_C4);
  const equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 2, 4, 3);
  equiconv_plan *plan = NULL;
  CHECK_SUCCESS(equiconv_plan_create(&d, &plan));
  wrong_shapes(plan);
  wrong_axes_and_threads(plan);
  equiconv_plan_destroy(plan);
  equiconv_group_destroy(c4);
}

/* ---- Action and pooling ---- */

static equiconv_status act(const equiconv_group *group, int64_t element, int64_t batch, int64_t channels,
                           const int64_t *spatial) {
  return equiconv_act(group, element, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, batch, channels, spatial, out.input,
                      out.output);
}

static void wrong_actions(void) {
  static const int64_t sizes[2] = {3, 4}, empty[2] = {3, 0}, huge[2] = {INT64_MAX, INT64_MAX};
  static const int64_t product[2] = {INT64_C(1) << 47, INT64_C(1) << 47};
  equiconv_group *c4 = make_group(GROUP_C4), *c5 = NULL;
  CHECK_SUCCESS(equiconv_group_create_cyclic(5, &c5));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL", act(NULL, 0, 1, 1, sizes));
  WRONG(EQUICONV_ERROR_INDEX_OUT_OF_RANGE, "element is 4", act(c4, 4, 1, 1, sizes));
  WRONG(EQUICONV_ERROR_INDEX_OUT_OF_RANGE, "element is -9223372036854775808", act(c4, INT64_MIN, 1, 1, sizes));
  WRONG(EQUICONV_ERROR_UNSUPPORTED_GROUP, "element is 1 of C5", act(c5, 1, 1, 1, sizes));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "batch is -1", act(c4, 1, -1, 1, sizes));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "channels is -1", act(c4, 1, 1, -1, sizes));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "spatial is NULL", act(c4, 1, 1, 1, NULL));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "spatial[1] is 0", act(c4, 1, 1, 1, empty));
  WRONG(EQUICONV_ERROR_SIZE_OVERFLOW, "spatial[0] is 9223372036854775807", act(c4, 1, 1, 1, huge));
  WRONG(EQUICONV_ERROR_SIZE_OVERFLOW, "spatial", act(c4, 2, 1, 1, product));
  WRONG(EQUICONV_ERROR_SIZE_OVERFLOW, "batch", act(c4, 1, INT64_C(1) << 40, INT64_C(1) << 40, sizes));
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "dtype is 7",
        equiconv_act(c4, 1, 7, EQUICONV_SIGNAL_PLANE, 1, 1, sizes, out.input, out.output));
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "signal is 2",
        equiconv_act(c4, 1, EQUICONV_FLOAT32, 2, 1, 1, sizes, out.input, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "input is NULL",
        equiconv_act(c4, 1, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, 1, sizes, NULL, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "output is NULL",
        equiconv_act(c4, 1, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, 1, sizes, out.input, NULL));
  WRONG(EQUICONV_ERROR_OVERLAP, "output is",
        equiconv_act(c4, 1, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, 1, sizes, out.input, out.input + 11));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "input is",
        equiconv_act(c4, 1, EQUICONV_FLOAT32, EQUICONV_SIGNAL_PLANE, 1, 1, sizes, (char *)out.input + 1, out.output));
  equiconv_group_destroy(c5);
  equiconv_group_destroy(c4);
}

static void wrong_actions_on_quotients(void) {
  static const int64_t sizes[2] = {3, 4};
  static const int32_t elements[2] = {0, 2};
  const equiconv_dtype f32 = EQUICONV_FLOAT32;
  equiconv_group *c4 = make_group(GROUP_C4), *c8 = make_group(GROUP_C8);
  equiconv_subgroup *half_turn = make_subgroup(c4, 2, elements), *of_c8 = make_subgroup(c8, 1, elements);
  WRONG(EQUICONV_ERROR_NULL_POINTER, "group is NULL",
        equiconv_act_on(NULL, 0, f32, half_turn, 1, 1, sizes, out.input, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "stabilizer is NULL",
        equiconv_act_on(c4, 0, f32, NULL, 1, 1, sizes, out.input, out.output));
  WRONG(EQUICONV_ERROR_NOT_A_SUBGROUP, "stabilizer is a subgroup of C8, expected one of C4",
        equiconv_act_on(c4, 0, f32, of_c8, 1, 1, sizes, out.input, out.output));
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "dtype is 2",
        equiconv_act_on(c4, 0, (equiconv_dtype)2, half_turn, 1, 1, sizes, out.input, out.output));
  WRONG(EQUICONV_ERROR_INDEX_OUT_OF_RANGE, "element is 4",
        equiconv_act_on(c4, 4, f32, half_turn, 1, 1, sizes, out.input, out.output));
  WRONG(EQUICONV_ERROR_UNSUPPORTED_GROUP, "element is 1 of C8",
        equiconv_act_on(c8, 1, f32, of_c8, 1, 1, sizes, out.input, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "spatial is NULL",
        equiconv_act_on(c4, 1, f32, half_turn, 1, 1, NULL, out.input, out.output));
  WRONG(EQUICONV_ERROR_OVERLAP, "output is",
        equiconv_act_on(c4, 1, f32, half_turn, 1, 1, sizes, out.input, out.input + 23));
  equiconv_subgroup_destroy(of_c8);
  equiconv_subgroup_destroy(half_turn);
  equiconv_group_destroy(c8);
  equiconv_group_destroy(c4);
}

static equiconv_status pool(int32_t dtype, int32_t mode, int64_t outer, int64_t order, int64_t inner) {
  return equiconv_group_pool(dtype, mode, outer, order, inner, out.input, out.output);
}

static equiconv_status pool_vjp(int32_t mode, int64_t order, const void *gradient, const void *input, void *result) {
  return equiconv_group_pool_vjp(EQUICONV_FLOAT32, mode, 2, order, 3, gradient, input, result);
}

static void wrong_pools(void) {
  const int32_t max = EQUICONV_POOL_MAX, mean = EQUICONV_POOL_MEAN;
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "dtype is -1", pool(-1, max, 1, 4, 2));
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "mode is 2", pool(EQUICONV_FLOAT32, 2, 1, 4, 2));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "outer is -1", pool(EQUICONV_FLOAT32, max, -1, 4, 2));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "order is 0", pool(EQUICONV_FLOAT32, max, 1, 0, 2));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "inner is -2", pool(EQUICONV_FLOAT32, max, 1, 4, -2));
  WRONG(EQUICONV_ERROR_SIZE_OVERFLOW, "outer", pool(EQUICONV_FLOAT32, max, INT64_MAX, 4, 2));
  WRONG(EQUICONV_ERROR_SIZE_OVERFLOW, "outer", pool(EQUICONV_FLOAT64, max, INT64_C(1) << 40, 4, INT64_C(1) << 40));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "input is NULL",
        equiconv_group_pool(EQUICONV_FLOAT32, mean, 1, 4, 2, NULL, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "output is NULL",
        equiconv_group_pool(EQUICONV_FLOAT32, mean, 1, 4, 2, out.input, NULL));
  WRONG(EQUICONV_ERROR_OVERLAP, "output is",
        equiconv_group_pool(EQUICONV_FLOAT32, mean, 1, 4, 2, out.input, out.input + 7));
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "mode is -1", pool_vjp(-1, 4, out.output, out.input, out.grad_input));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "order is -4", pool_vjp(max, -4, out.output, out.input, out.grad_input));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "input is NULL", pool_vjp(max, 4, out.output, NULL, out.grad_input));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "grad_output is NULL", pool_vjp(mean, 4, NULL, out.input, out.grad_input));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "grad_input is NULL", pool_vjp(mean, 4, out.output, out.input, NULL));
  WRONG(EQUICONV_ERROR_OVERLAP, "grad_input is", pool_vjp(mean, 4, out.output, NULL, out.output + 5));
}

void wrong_actions_and_pools(void) {
  wrong_actions();
  wrong_actions_on_quotients();
  wrong_pools();
}
