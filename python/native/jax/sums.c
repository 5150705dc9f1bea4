/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers that know of no layer: the gradient of the bias, and the mean over H with its adjoint. */
#include "frame.h"

#include <pthread.h>
#include <string.h>

/* ---- The gradient of the bias ---- */

/*
 * Of a layer it depends on no more than the shape of the output, as sums over batch, fiber and space. So it is that of a
 * layer on the line with one tap, whose output has as many numbers.
 */
static char line_text[512];
static size_t line_length;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void write_line_text(void) {
  equiconv_descriptor descriptor = EQUICONV_DESCRIPTOR_INIT;
  equiconv_group *group = NULL;
  equiconv_layer *layer = NULL;
  descriptor.layer = EQUICONV_LAYER_ISOTROPIC;
  descriptor.dimension = 1;
  if (equiconv_group_create_trivial(1, &group) == EQUICONV_SUCCESS) {
    descriptor.group = group;
    if (equiconv_layer_create(&descriptor, &layer) != EQUICONV_SUCCESS ||
        equiconv_layer_serialize(layer, sizeof line_text, line_text, &line_length) != EQUICONV_SUCCESS) {
      line_length = 0;
    }
  }
  equiconv_layer_destroy(layer);
  equiconv_group_destroy(group);
}

/* What the arrays of a call are: gradients of shape (batch, channels, count) and (channels), of so many calls. */
typedef struct {
  int64_t calls, batch, channels, count;
} sum_sizes;

static bool read_sums(const XLA_FFI_Buffer *gradient, const XLA_FFI_Buffer *bias, bool mapped, sum_sizes *sizes) {
  const int64_t first = mapped ? 1 : 0;
  if (gradient->rank < 3 + first || gradient->rank > EQUICONV_MAX_RANK + first || bias->rank != 1 + first ||
      gradient->dtype != bias->dtype || !jax_is_float(gradient->dtype) ||
      (mapped && gradient->dims[0] != bias->dims[0]) || gradient->dims[first + 1] != bias->dims[first]) {
    return false;
  }
  *sizes = (sum_sizes){mapped ? bias->dims[0] : 1, gradient->dims[first], bias->dims[first], 1};
  for (int64_t axis = first + 2; axis < gradient->rank; axis++) {
    sizes->count *= gradient->dims[axis];
  }
  return true;
}

static bool run_sums(const XLA_FFI_Buffer *gradient, const XLA_FFI_Buffer *bias, const sum_sizes *sizes,
                     jax_problem *problem) {
  /* Any address that is aligned, for arrays without elements. */
  static double nothing;
  const jax_arrays arrays = {jax_dtype(gradient->dtype), {{1, 1, sizes->count}, 3}, {{sizes->channels, 1, 1}, 3}};
  (void)pthread_once(&once, write_line_text);
  jax_layer *layer = jax_layer_acquire(line_text, line_length, &arrays, problem);
  if (layer == NULL) {
    return false;
  }
  const int64_t size = gradient->dtype == XLA_FFI_DataType_F64 ? 8 : 4;
  const int64_t step = sizes->batch * sizes->channels * sizes->count * size;
  const char *data = step == 0 || gradient->data == NULL ? (const char *)&nothing : gradient->data;
  equiconv_status status = EQUICONV_SUCCESS;
  for (int64_t call = 0; call < sizes->calls && status == EQUICONV_SUCCESS; call++) {
    status = equiconv_plan_bias_gradient(layer->plan, sizes->batch, data + call * step,
                                         (char *)bias->data + call * sizes->channels * size);
  }
  jax_layer_release(layer);
  return status == EQUICONV_SUCCESS || jax_fail_with(problem, status);
}

XLA_FFI_Error *jax_bias_gradient(XLA_FFI_CallFrame *frame) {
  if (!jax_is_call(frame)) {
    return NULL;
  }
  jax_problem problem;
  uint64_t mapped = 0;
  sum_sizes sizes;
  if (!jax_check_counts(frame, 1, 1, &problem) || !jax_read_mapped(frame, 1, &mapped, &problem)) {
    return jax_error(frame, &problem);
  }
  const XLA_FFI_Buffer *gradient = jax_argument(frame, 0), *bias = jax_result(frame);
  if (!read_sums(gradient, bias, mapped != 0, &sizes)) {
    jax_fail(&problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
             "equiconv: the operand and the result are not gradients (B, O, [|H|,] spatial...) and (O)");
    return jax_error(frame, &problem);
  }
  return run_sums(gradient, bias, &sizes, &problem) ? NULL : jax_error(frame, &problem);
}

/* ---- The mean over H ---- */

/* Reads (outer, order, inner) from signals (B, C, |H|, spatial...) and (B, C, spatial...). */
static bool read_fibered(const XLA_FFI_Buffer *signal, const XLA_FFI_Buffer *pooled, int64_t sizes[3]) {
  if (signal->rank < 4 || signal->rank > EQUICONV_MAX_RANK || pooled->rank != signal->rank - 1 ||
      signal->dtype != pooled->dtype || !jax_is_float(signal->dtype)) {
    return false;
  }
  sizes[0] = sizes[2] = 1;
  sizes[1] = signal->dims[2];
  for (int64_t axis = 0; axis < pooled->rank; axis++) {
    const int64_t size = pooled->dims[axis];
    if (size != signal->dims[axis < 2 ? axis : axis + 1]) {
      return false;
    }
    sizes[axis < 2 ? 0 : 2] *= size;
  }
  return true;
}

static XLA_FFI_Error *handle_mean(const XLA_FFI_CallFrame *frame, bool adjoint) {
  if (!jax_is_call(frame)) {
    return NULL;
  }
  jax_problem problem;
  if (!jax_check_counts(frame, 1, 1, &problem)) {
    return jax_error(frame, &problem);
  }
  const XLA_FFI_Buffer *operand = jax_argument(frame, 0), *output = jax_result(frame);
  const XLA_FFI_Buffer *signal = adjoint ? output : operand;
  int64_t sizes[3];
  if (!read_fibered(signal, adjoint ? operand : output, sizes)) {
    jax_fail(&problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
             "equiconv: the operand and the result are not signals (B, C, |H|, spatial...) and (B, C, spatial...)");
    return jax_error(frame, &problem);
  }
  if (sizes[0] == 0 || sizes[1] == 0 || sizes[2] == 0) {
    return NULL;
  }
  const equiconv_dtype dtype = jax_dtype(signal->dtype);
  const equiconv_status status = adjoint ? equiconv_group_pool_vjp(dtype, EQUICONV_POOL_MEAN, sizes[0], sizes[1],
                                                                   sizes[2], operand->data, NULL, output->data)
                                         : equiconv_group_pool(dtype, EQUICONV_POOL_MEAN, sizes[0], sizes[1], sizes[2],
                                                               operand->data, output->data);
  if (status != EQUICONV_SUCCESS) {
    jax_fail_with(&problem, status);
    return jax_error(frame, &problem);
  }
  return NULL;
}

XLA_FFI_Error *jax_pool_mean(XLA_FFI_CallFrame *frame) { return handle_mean(frame, false); }

XLA_FFI_Error *jax_pool_mean_adjoint(XLA_FFI_CallFrame *frame) { return handle_mean(frame, true); }
