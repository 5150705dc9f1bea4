/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passes of a layer. XLA calls handlers on threads of its own, without the GIL. Whatever a call frame holds, they give
 * an error of XLA and do not crash: the layer is made of the text and of the shapes of the arrays, and no pointer is read
 * before types and shapes are those of the layer.
 */
#include "frame.h"

#include <stdio.h>
#include <string.h>

/* ---- Operands ---- */

/* What an operand or the result is. */
typedef enum { INPUT, WEIGHT, BIAS, OUTPUT } role;

static const char *const role_names[] = {"input", "weight", "bias", "output"};

/* A pass of a layer: its operands in order, its result, and how it is run. */
typedef struct {
  int64_t least, most;
  role operands[3], result;
  equiconv_status (*run)(const equiconv_plan *plan, int64_t batch, const void *const operands[3], void *result);
} pass;

/* An array of a call, or of each of several calls. */
typedef struct {
  const XLA_FFI_Buffer *buffer;
  bool mapped; /* whether there is an axis of calls in front of the others */
} array;

/* Where the numbers of an array are. */
typedef struct {
  char *data;
  int64_t step; /* bytes from one call to the next, 0 if all share it */
} numbers;

/* Sizes of a call that its arrays have in common; -1 until one says. */
typedef struct {
  int64_t calls, batch;
} call_sizes;

/* The array with a role, among the operands or as the result. */
static array find_array(const XLA_FFI_CallFrame *frame, const pass *work, uint64_t mapped, role kind) {
  for (int64_t i = 0; i < frame->args.size; i++) {
    if (work->operands[i] == kind) {
      return (array){jax_argument(frame, i), (mapped >> i & 1) != 0};
    }
  }
  return (array){jax_result(frame), mapped != 0};
}

/* The shape of an array without its axis of calls, with 1 in place of the batch. */
static bool read_shape(array found, role kind, jax_shape *shape, jax_problem *problem) {
  const XLA_FFI_Buffer *buffer = found.buffer;
  const int64_t first = found.mapped ? 1 : 0;
  memset(shape, 0, sizeof *shape);
  shape->rank = buffer->rank - first;
  if (shape->rank < 1 || shape->rank > EQUICONV_MAX_RANK) {
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    "equiconv: the array of the %s has %lld axes%s, expected 1 to %d", role_names[kind],
                    (long long)buffer->rank, found.mapped ? ", the first of which is of calls" : "", EQUICONV_MAX_RANK);
  }
  for (int64_t axis = 0; axis < shape->rank; axis++) {
    shape->sizes[axis] = buffer->dims[first + axis];
  }
  if (kind == INPUT) {
    shape->sizes[0] = 1;
  }
  return true;
}

/* What decides which layer a call is one of, beside the text. */
static bool read_arrays(const XLA_FFI_CallFrame *frame, const pass *work, uint64_t mapped, jax_arrays *arrays,
                        jax_problem *problem) {
  const array input = find_array(frame, work, mapped, INPUT), weight = find_array(frame, work, mapped, WEIGHT);
  if (!jax_is_float(input.buffer->dtype)) {
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    "equiconv: the array of the input has type %d of XLA, expected float32 or float64",
                    (int)input.buffer->dtype);
  }
  arrays->dtype = jax_dtype(input.buffer->dtype);
  return read_shape(input, INPUT, &arrays->input, problem) && read_shape(weight, WEIGHT, &arrays->weight, problem);
}

static jax_shape expected_shape(const jax_layer *layer, role kind) {
  switch (kind) {
  case INPUT: return layer->arrays.input;
  case WEIGHT: return layer->arrays.weight;
  case OUTPUT: return layer->output;
  default: return (jax_shape){.rank = 1, .sizes = {layer->arrays.weight.sizes[0]}};
  }
}

static bool fits(int64_t *known, int64_t size) {
  if (*known < 0) {
    *known = size;
  }
  return *known == size;
}

static bool has_shape(array found, const jax_shape *shape, role kind, call_sizes *sizes, int64_t *elements) {
  const int64_t *dims = found.buffer->dims;
  if (found.buffer->rank != shape->rank + (found.mapped ? 1 : 0)) {
    return false;
  }
  if (found.mapped && !fits(&sizes->calls, *dims++)) {
    return false;
  }
  *elements = 1;
  for (int64_t axis = 0; axis < shape->rank; axis++) {
    const bool is_batch = axis == 0 && (kind == INPUT || kind == OUTPUT);
    if (is_batch ? !fits(&sizes->batch, dims[axis]) : dims[axis] != shape->sizes[axis]) {
      return false;
    }
    *elements *= dims[axis];
  }
  return true;
}

/* "(2, 3, 8, 8)", cut where it is long. */
static void write_shape(char text[128], const int64_t *dims, int64_t rank) {
  size_t used = 0;
  for (int64_t axis = 0; axis < rank && used < 100; axis++) {
    const int written = snprintf(text + used, 128 - used, "%s%lld", axis == 0 ? "(" : ", ", (long long)dims[axis]);
    used += written > 0 ? (size_t)written : 0;
  }
  (void)snprintf(text + used, 128 - used, rank == 0 ? "()" : ")");
}

static bool read_numbers(array found, role kind, const jax_layer *layer, call_sizes *sizes, numbers *read,
                         jax_problem *problem) {
  /* Any address that is aligned, for arrays without elements. */
  static double nothing;
  const XLA_FFI_Buffer *buffer = found.buffer;
  const bool is_double = layer->arrays.dtype == EQUICONV_FLOAT64;
  if (buffer->dtype != (is_double ? XLA_FFI_DataType_F64 : XLA_FFI_DataType_F32)) {
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    "equiconv: the array of the %s has type %d of XLA, expected %s", role_names[kind],
                    (int)buffer->dtype, is_double ? "float64" : "float32");
  }
  const jax_shape shape = expected_shape(layer, kind);
  int64_t elements;
  if (!has_shape(found, &shape, kind, sizes, &elements)) {
    char actual[128], expected[128];
    write_shape(actual, buffer->dims, buffer->rank);
    write_shape(expected, shape.sizes, shape.rank);
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    "equiconv: the array of the %s has shape %s, expected %s with the batch in place of its first "
                    "number for signals%s",
                    role_names[kind], actual, expected, found.mapped ? ", behind one axis of calls" : "");
  }
  read->data = elements == 0 || buffer->data == NULL ? (char *)&nothing : buffer->data;
  read->step = found.mapped ? elements * (is_double ? 8 : 4) : 0;
  return true;
}

/* ---- Passes ---- */

static bool run_calls(const XLA_FFI_CallFrame *frame, const pass *work, const jax_layer *layer, uint64_t mapped,
                      jax_problem *problem) {
  numbers operands[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}}, output;
  call_sizes sizes = {-1, -1};
  for (int64_t i = 0; i < frame->args.size; i++) {
    const array operand = {jax_argument(frame, i), (mapped >> i & 1) != 0};
    if (!read_numbers(operand, work->operands[i], layer, &sizes, &operands[i], problem)) {
      return false;
    }
  }
  if (!read_numbers((array){jax_result(frame), mapped != 0}, work->result, layer, &sizes, &output, problem)) {
    return false;
  }
  const int64_t calls = mapped != 0 ? sizes.calls : 1;
  for (int64_t call = 0; call < calls; call++) {
    const void *data[3];
    for (int i = 0; i < 3; i++) {
      data[i] = operands[i].data == NULL ? NULL : operands[i].data + call * operands[i].step;
    }
    const equiconv_status status = work->run(layer->plan, sizes.batch, data, output.data + call * output.step);
    if (status != EQUICONV_SUCCESS) {
      return jax_fail_with(problem, status);
    }
  }
  return true;
}

static XLA_FFI_Error *handle(const XLA_FFI_CallFrame *frame, const pass *work) {
  if (!jax_is_call(frame)) {
    return NULL;
  }
  jax_problem problem;
  jax_arrays arrays;
  uint64_t mapped = 0;
  if (!jax_check_counts(frame, work->least, work->most, &problem) ||
      !jax_read_mapped(frame, frame->args.size, &mapped, &problem)) {
    return jax_error(frame, &problem);
  }
  const XLA_FFI_ByteSpan *text = jax_attribute(frame, "layer", XLA_FFI_AttrType_STRING);
  if (text == NULL) {
    jax_fail(&problem, XLA_FFI_Error_Code_INVALID_ARGUMENT, "equiconv: attribute layer is not a text");
    return jax_error(frame, &problem);
  }
  if (!read_arrays(frame, work, mapped, &arrays, &problem)) {
    return jax_error(frame, &problem);
  }
  jax_layer *layer = jax_layer_acquire(text->ptr, text->len, &arrays, &problem);
  if (layer == NULL) {
    return jax_error(frame, &problem);
  }
  const bool done = run_calls(frame, work, layer, mapped, &problem);
  jax_layer_release(layer);
  return done ? NULL : jax_error(frame, &problem);
}

static equiconv_status run_forward(const equiconv_plan *plan, int64_t batch, const void *const operands[3],
                                   void *output) {
  return equiconv_plan_forward(plan, batch, operands[0], operands[1], operands[2], output);
}

static equiconv_status run_input_gradient(const equiconv_plan *plan, int64_t batch, const void *const operands[3],
                                          void *gradient) {
  return equiconv_plan_input_gradient(plan, batch, operands[0], operands[1], gradient);
}

static equiconv_status run_weight_gradient(const equiconv_plan *plan, int64_t batch, const void *const operands[3],
                                           void *gradient) {
  return equiconv_plan_weight_gradient(plan, batch, operands[0], operands[1], gradient);
}

XLA_FFI_Error *jax_forward(XLA_FFI_CallFrame *frame) {
  static const pass work = {2, 3, {INPUT, WEIGHT, BIAS}, OUTPUT, run_forward};
  return handle(frame, &work);
}

XLA_FFI_Error *jax_input_gradient(XLA_FFI_CallFrame *frame) {
  static const pass work = {2, 2, {OUTPUT, WEIGHT}, INPUT, run_input_gradient};
  return handle(frame, &work);
}

XLA_FFI_Error *jax_weight_gradient(XLA_FFI_CallFrame *frame) {
  static const pass work = {2, 2, {OUTPUT, INPUT}, WEIGHT, run_weight_gradient};
  return handle(frame, &work);
}
