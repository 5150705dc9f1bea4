/* SPDX-License-Identifier: Apache-2.0 */
#include "wrong.h"

/* A lifting layer of C4: input 16, weight 18, output 2 * 4 * 4 = 32 numbers an image. */
enum { INPUTS = 16, OUTPUTS = 32, WEIGHTS = 18 };

static equiconv_descriptor small_lifting(const equiconv_group *c4) {
  return make_descriptor(c4, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 2, 4, 3);
}

static float *odd(float *array) { return (float *)((uintptr_t)array + 2); }

static void wrong_forward_arrays(const equiconv_descriptor *d) {
  WRONG(EQUICONV_ERROR_NULL_POINTER, "input is NULL", equiconv_lifting_conv(d, 1, NULL, out.weight, NULL, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "weight is NULL", equiconv_lifting_conv(d, 1, out.input, NULL, NULL, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "output is NULL", equiconv_lifting_conv(d, 1, out.input, out.weight, NULL, NULL));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "batch is -1",
        equiconv_lifting_conv(d, -1, out.input, out.weight, NULL, out.output));
  WRONG(EQUICONV_ERROR_SIZE_OVERFLOW, "batch is 9223372036854775807",
        equiconv_lifting_conv(d, INT64_MAX, out.input, out.weight, NULL, out.output));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "input is",
        equiconv_lifting_conv(d, 1, odd(out.input), out.weight, NULL, out.output));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "weight is",
        equiconv_lifting_conv(d, 1, out.input, odd(out.weight), NULL, out.output));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "bias is",
        equiconv_lifting_conv(d, 1, out.input, out.weight, odd(out.bias), out.output));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "output is",
        equiconv_lifting_conv(d, 1, out.input, out.weight, NULL, odd(out.output)));
  WRONG(EQUICONV_ERROR_OVERLAP, "output is", equiconv_lifting_conv(d, 1, out.input, out.weight, NULL, out.input));
  WRONG(EQUICONV_ERROR_OVERLAP, "output is",
        equiconv_lifting_conv(d, 1, out.input, out.weight, NULL, out.input + INPUTS - 1));
  WRONG(EQUICONV_ERROR_OVERLAP, "output is", equiconv_lifting_conv(d, 1, out.input, out.weight, NULL, out.weight + 3));
  WRONG(EQUICONV_ERROR_OVERLAP, "output is",
        equiconv_lifting_conv(d, 1, out.input, out.weight, out.output + OUTPUTS - 1, out.output));
}

static void wrong_gradient_arrays(const equiconv_descriptor *d) {
  WRONG(EQUICONV_ERROR_NULL_POINTER, "grad_output is NULL",
        equiconv_lifting_conv_vjp(d, 1, NULL, out.input, out.weight, out.grad_input, NULL, NULL));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "weight is NULL",
        equiconv_lifting_conv_vjp(d, 1, out.output, out.input, NULL, out.grad_input, out.grad_weight, out.grad_bias));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "input is NULL",
        equiconv_lifting_conv_vjp(d, 1, out.output, NULL, out.weight, out.grad_input, out.grad_weight, out.grad_bias));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "batch is -5",
        equiconv_lifting_conv_vjp(d, -5, out.output, out.input, out.weight, out.grad_input, out.grad_weight, NULL));
  WRONG(EQUICONV_ERROR_SIZE_OVERFLOW, "batch is",
        equiconv_lifting_conv_vjp(d, INT64_MAX, out.output, out.input, out.weight, out.grad_input, NULL, NULL));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "grad_output is at address",
        equiconv_lifting_conv_vjp(d, 1, odd(out.output), out.input, out.weight, out.grad_input, NULL, NULL));
  /* The last of three outputs is wrong: the first two are not written either. */
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "grad_bias is at address",
        equiconv_lifting_conv_vjp(d, 1, out.output, out.input, out.weight, out.grad_input, out.grad_weight,
                                  odd(out.grad_bias)));
  WRONG(EQUICONV_ERROR_OVERLAP, "grad_bias is 8 bytes at address",
        equiconv_lifting_conv_vjp(d, 1, out.output, out.input, out.weight, out.grad_input, out.grad_weight,
                                  out.output + OUTPUTS - 1));
  WRONG(EQUICONV_ERROR_OVERLAP, "grad_weight is 72 bytes at address",
        equiconv_lifting_conv_vjp(d, 1, out.output, out.input, out.weight, out.grad_input, out.input, out.grad_bias));
  /* Two outputs must not overlap each other. */
  WRONG(EQUICONV_ERROR_OVERLAP, "grad_weight is 72 bytes at address",
        equiconv_lifting_conv_vjp(d, 1, out.output, out.input, out.weight, out.grad_input, out.grad_input + INPUTS - 1,
                                  out.grad_bias));
}

static void wrong_plan_arrays(const equiconv_plan *plan) {
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL",
        equiconv_plan_forward(NULL, 1, out.input, out.weight, NULL, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "input is NULL",
        equiconv_plan_forward(plan, 1, NULL, out.weight, NULL, out.output));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "batch is -9223372036854775808",
        equiconv_plan_forward(plan, INT64_MIN, out.input, out.weight, NULL, out.output));
  WRONG(EQUICONV_ERROR_OVERLAP, "output is",
        equiconv_plan_forward(plan, 1, out.input, out.weight, NULL, out.input + 1));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL",
        equiconv_plan_input_gradient(NULL, 1, out.output, out.weight, out.grad_input));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "grad_input is NULL",
        equiconv_plan_input_gradient(plan, 1, out.output, out.weight, NULL));
  WRONG(EQUICONV_ERROR_OVERLAP, "grad_input is",
        equiconv_plan_input_gradient(plan, 1, out.output, out.weight, out.weight + WEIGHTS - 1));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL",
        equiconv_plan_weight_gradient(NULL, 1, out.output, out.input, out.grad_weight));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "grad_output is NULL",
        equiconv_plan_weight_gradient(plan, 1, NULL, out.input, out.grad_weight));
  WRONG(EQUICONV_ERROR_MISALIGNED_POINTER, "grad_weight is",
        equiconv_plan_weight_gradient(plan, 1, out.output, out.input, odd(out.grad_weight)));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL", equiconv_plan_bias_gradient(NULL, 1, out.output, out.grad_bias));
  WRONG(EQUICONV_ERROR_INVALID_SIZE, "batch is -2", equiconv_plan_bias_gradient(plan, -2, out.output, out.grad_bias));
  WRONG(EQUICONV_ERROR_OVERLAP, "grad_bias is", equiconv_plan_bias_gradient(plan, 1, out.output, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "plan is NULL", equiconv_plan_expand(NULL, out.weight, out.output));
  WRONG(EQUICONV_ERROR_NULL_POINTER, "bank is NULL", equiconv_plan_expand(plan, out.weight, NULL));
  WRONG(EQUICONV_ERROR_OVERLAP, "bank is", equiconv_plan_expand(plan, out.weight, out.weight));
}

/* The arrays are at addresses that no process has; their sizes do not overflow, the workspace cannot exist. */
static void workspace_beyond_memory(void) {
  equiconv_group *line = make_group(0);
  const equiconv_descriptor d =
      make_descriptor(line, EQUICONV_LAYER_LIFTING, EQUICONV_FLOAT32, 1, 1, INT64_C(1) << 46, 3);
  const void *input = (const void *)(UINTPTR_MAX / 2 + 1);
  void *output = (void *)(UINTPTR_MAX / 4 + 1);
  WRONG(EQUICONV_ERROR_OUT_OF_MEMORY, "workspace", equiconv_lifting_conv(&d, 1, input, out.weight, NULL, output));
  WRONG(EQUICONV_ERROR_OUT_OF_MEMORY, "workspace",
        equiconv_lifting_conv_vjp(&d, 1, output, NULL, out.weight, (void *)(UINTPTR_MAX / 2 + 1), NULL, NULL));
  /* Of this, not even the number of bytes fits. */
  equiconv_descriptor padded = d;
  padded.in_channels = 1 << 20;
  padded.padding[0] = INT64_C(1) << 47;
  WRONG(EQUICONV_ERROR_SIZE_OVERFLOW, "padded", equiconv_lifting_conv(&padded, 1, input, out.weight, NULL, output));
  equiconv_group_destroy(line);
}

void wrong_arrays(void) {
  equiconv_group *c4 = make_group(GROUP_C4);
  const equiconv_descriptor d = small_lifting(c4);
  equiconv_plan *plan = NULL;
  CHECK_SUCCESS(equiconv_plan_create(&d, &plan));
  wrong_forward_arrays(&d);
  wrong_gradient_arrays(&d);
  wrong_plan_arrays(plan);
  workspace_beyond_memory();
  equiconv_plan_destroy(plan);
  equiconv_group_destroy(c4);
}
