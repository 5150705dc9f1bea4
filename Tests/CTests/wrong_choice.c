/* SPDX-License-Identifier: Apache-2.0 */
#include "wrong.h"

static void wrong_explanations(const equiconv_plan *plan) {
  const int32_t forward = EQUICONV_PASS_FORWARD;
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL", equiconv_plan_explain(NULL, forward, 1, &out.explanation));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "explanation is NULL", equiconv_plan_explain(plan, forward, 1, NULL));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "explanation is 0x",
        equiconv_plan_explain(plan, forward, 1, (equiconv_explanation *)((uintptr_t)&out.explanation + 4)));
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "pass is 3", equiconv_plan_explain(plan, 3, 1, &out.explanation));
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "pass is -1", equiconv_plan_explain(plan, -1, 1, &out.explanation));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "batch is -1", equiconv_plan_explain(plan, forward, -1, &out.explanation));
  WRONG(EQUICONV_ERROR_SIZE_OVERFLOW, "batch is", equiconv_plan_explain(plan, forward, INT64_MAX, &out.explanation));
  equiconv_explanation other = EQUICONV_EXPLANATION_INIT;
  other.prepared = 2;
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "explanation.prepared is 2", equiconv_plan_explain(plan, forward, 1, &other));
  other.prepared = 1;
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "explanation.prepared is 1",
        equiconv_plan_explain(plan, EQUICONV_PASS_INPUT_GRADIENT, 1, &other));
  other.struct_size -= 8;
  WRONG(EQUICONV_ERROR_STRUCT_SIZE, "explanation.struct_size is", equiconv_plan_explain(plan, forward, 1, &other));
  other.struct_size = SIZE_MAX;
  WRONG(EQUICONV_ERROR_STRUCT_SIZE, "explanation.struct_size is 18446744073709551615",
        equiconv_plan_explain(plan, forward, 1, &other));
}

static void wrong_weights(const equiconv_plan *plan) {
  const int32_t f32 = EQUICONV_FLOAT32;
  const float *odd = (const float *)((uintptr_t)out.weight + 2);
  WRONG(EQUICONV_ERROR_INVALID_ENUM, "dtype is 2", equiconv_weight_create(2, 18, out.weight, &out.prepared));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "count is 0", equiconv_weight_create(f32, 0, out.weight, &out.prepared));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "count is -9223372036854775808",
        equiconv_weight_create(f32, INT64_MIN, out.weight, &out.prepared));
  WRONG(EQUICONV_ERROR_SIZE_OVERFLOW, "count is 9223372036854775807",
        equiconv_weight_create(f32, INT64_MAX, out.weight, &out.prepared));
  WRONG(EQUICONV_ERROR_OUT_OF_MEMORY, "", equiconv_weight_create(f32, INT64_C(1) << 50, out.weight, &out.prepared));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "numbers is NULL", equiconv_weight_create(f32, 18, NULL, &out.prepared));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "weight is NULL", equiconv_weight_create(f32, 18, out.weight, NULL));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "numbers is at address",
        equiconv_weight_create(f32, 18, odd, &out.prepared));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL", equiconv_plan_prepare(NULL, out.weight, &out.prepared));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "numbers is NULL", equiconv_plan_prepare(plan, NULL, &out.prepared));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "weight is NULL", equiconv_plan_prepare(plan, out.weight, NULL));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "numbers is at address", equiconv_plan_prepare(plan, odd, &out.prepared));
}

static void wrong_prepared_calls(const equiconv_descriptor *d, const equiconv_plan *plan) {
  equiconv_weight *good = NULL, *small = NULL, *wide = NULL;
  const double numbers[18] = {0};
  CHECK_SUCCESS(equiconv_plan_prepare(plan, out.weight, &good));
  CHECK_SUCCESS(equiconv_weight_create(EQUICONV_FLOAT32, 17, out.weight, &small));
  CHECK_SUCCESS(equiconv_weight_create(EQUICONV_FLOAT64, 18, numbers, &wide));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "weight is NULL", equiconv_weight_get_numbers(NULL, 18, out.numbers));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "numbers is NULL", equiconv_weight_get_numbers(good, 18, NULL));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "count is 17, expected 18", equiconv_weight_get_numbers(good, 17, out.numbers));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "count is -1, expected 18", equiconv_weight_get_numbers(good, -1, out.numbers));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "numbers is at address",
        equiconv_weight_get_numbers(good, 18, (char *)out.numbers + 2));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "weight is NULL",
        equiconv_plan_forward_prepared(plan, 1, out.input, NULL, NULL, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL",
        equiconv_plan_forward_prepared(NULL, 1, out.input, good, NULL, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "input is NULL",
        equiconv_plan_forward_prepared(plan, 1, NULL, good, NULL, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "output is NULL",
        equiconv_plan_forward_prepared(plan, 1, out.input, good, NULL, NULL));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "weight is 17 prepared numbers",
        equiconv_plan_forward_prepared(plan, 1, out.input, small, NULL, out.output));
  WRONG(EQUICONV_ERROR_DTYPE_MISMATCH, "weight is prepared from EQUICONV_FLOAT64",
        equiconv_plan_forward_prepared(plan, 1, out.input, wide, NULL, out.output));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "batch is -1",
        equiconv_plan_forward_prepared(plan, -1, out.input, good, NULL, out.output));
  WRONG(EQUICONV_ERROR_OVERLAP, "output is",
        equiconv_plan_forward_prepared(plan, 1, out.input, good, NULL, out.input + 15));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "descriptor is NULL",
        equiconv_forward_prepared(NULL, 1, out.input, good, NULL, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "weight is NULL",
        equiconv_forward_prepared(d, 1, out.input, NULL, NULL, out.output));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "weight is 17 prepared numbers",
        equiconv_forward_prepared(d, 1, out.input, small, NULL, out.output));
  equiconv_weight_destroy(good);
  equiconv_weight_destroy(small);
  equiconv_weight_destroy(wide);
}

static void wrong_limits(void) {
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "bytes is 0", equiconv_set_workspace_limit(0));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "bytes is -1", equiconv_set_workspace_limit(-1));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "bytes is 1048575", equiconv_set_workspace_limit((1 << 20) - 1));
  CHECK(equiconv_workspace_limit() == INT64_C(64) << 20);
}

/* An algorithm that cannot do one of the wanted gradients is found before the first is written. */
static void wrong_algorithms(const equiconv_descriptor *d) {
  equiconv_descriptor strided = *d;
  strided.algorithm = EQUICONV_ALGORITHM_FOURIER;
  strided.stride[0] = strided.stride[1] = 2;
  WRONG(EQUICONV_ERROR_UNSUPPORTED_ALGORITHM, "algorithm is fourier with stride",
        equiconv_lifting_conv(&strided, 1, out.input, out.weight, NULL, out.output));
  WRONG(EQUICONV_ERROR_UNSUPPORTED_ALGORITHM, "algorithm is fourier with stride",
        equiconv_lifting_conv_vjp(&strided, 1, out.output, out.input, out.weight, out.grad_input, out.grad_weight,
                                  out.grad_bias));
}

void wrong_choices(void) {
  equiconv_group *c4 = make_group(GROUP_C4);
  const equiconv_descriptor d = make_descriptor(c4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 2, 4, 3);
  equiconv_plan *plan = NULL;
  CHECK_SUCCESS(equiconv_plan_create(&d, &plan));
  wrong_explanations(plan);
  wrong_weights(plan);
  wrong_prepared_calls(&d, plan);
  wrong_limits();
  wrong_algorithms(&d);
  equiconv_plan_destroy(plan);
  equiconv_group_destroy(c4);
}
