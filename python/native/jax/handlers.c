/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handlers. XLA calls them on threads of its own, without the GIL. Whatever a call frame holds, they give an error
 * of XLA and do not crash: attributes, types and shapes are checked against the layer before a pointer is read.
 */
#include "jax.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Only what version 0.1 of the interface has is used here, and later versions have not changed. */
#define OLDEST_MINOR 1

/* ---- Call frames ---- */

static XLA_FFI_Error *error(const XLA_FFI_CallFrame *frame, const jax_problem *problem) {
  XLA_FFI_Error_Create_Args arguments = {XLA_FFI_Error_Create_Args_STRUCT_SIZE, NULL, problem->text, problem->code};
  return frame->api->XLA_FFI_Error_Create(&arguments);
}

/*
 * Whether the frame asks for the version of the interface; then answered. XLA refuses versions that are newer than its
 * own, or too old, when a handler is registered. So the answer is XLA's own where this source knows it.
 */
static bool answer_metadata(const XLA_FFI_CallFrame *frame) {
  const XLA_FFI_Extension_Base *extension = frame->extension_start;
  while (extension != NULL && extension->type != XLA_FFI_Extension_Metadata) {
    extension = extension->next;
  }
  if (extension == NULL) {
    return false;
  }
  XLA_FFI_Metadata *metadata = ((const XLA_FFI_Metadata_Extension *)(const void *)extension)->metadata;
  int minor = OLDEST_MINOR;
  if (frame->api != NULL && frame->api->api_version.major_version == XLA_FFI_API_MAJOR) {
    const int theirs = frame->api->api_version.minor_version;
    minor = theirs < XLA_FFI_API_MINOR ? theirs : XLA_FFI_API_MINOR;
  }
  metadata->api_version.major_version = XLA_FFI_API_MAJOR;
  metadata->api_version.minor_version = minor;
  metadata->traits = 0;
  return true;
}

static const void *attribute(const XLA_FFI_CallFrame *frame, const char *name, XLA_FFI_AttrType type) {
  for (int64_t i = 0; i < frame->attrs.size; i++) {
    const XLA_FFI_ByteSpan *found = frame->attrs.names[i];
    if (found->len == strlen(name) && memcmp(found->ptr, name, found->len) == 0) {
      return frame->attrs.types[i] == type ? frame->attrs.attrs[i] : NULL;
    }
  }
  return NULL;
}

/* Which of the first `arguments` operands have a leading axis of calls. */
static bool read_mapped(const XLA_FFI_CallFrame *frame, int64_t arguments, uint64_t *mapped, jax_problem *problem) {
  const XLA_FFI_Scalar *scalar = attribute(frame, "mapped", XLA_FFI_AttrType_SCALAR);
  if (scalar == NULL || scalar->dtype != XLA_FFI_DataType_S64) {
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT, "equiconv: attribute mapped is not an int64");
  }
  memcpy(mapped, scalar->value, sizeof *mapped);
  if (*mapped >> arguments != 0) {
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    "equiconv: attribute mapped is %lld, expected bits of %lld operands", (long long)*mapped,
                    (long long)arguments);
  }
  return true;
}

static const XLA_FFI_Buffer *argument(const XLA_FFI_CallFrame *frame, int64_t index) {
  return frame->args.types[index] == XLA_FFI_ArgType_BUFFER ? frame->args.args[index] : NULL;
}

static const XLA_FFI_Buffer *result(const XLA_FFI_CallFrame *frame) {
  return frame->rets.types[0] == XLA_FFI_RetType_BUFFER ? frame->rets.rets[0] : NULL;
}

static bool check_counts(const XLA_FFI_CallFrame *frame, int64_t least, int64_t most, jax_problem *problem) {
  if (frame->args.size < least || frame->args.size > most || frame->rets.size != 1) {
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    "equiconv: the call has %lld operands and %lld results, expected %lld to %lld and 1",
                    (long long)frame->args.size, (long long)frame->rets.size, (long long)least, (long long)most);
  }
  for (int64_t i = 0; i < frame->args.size; i++) {
    if (argument(frame, i) == NULL) {
      return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT, "equiconv: operand %lld is no buffer",
                      (long long)i);
    }
  }
  return result(frame) != NULL ||
         jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT, "equiconv: the result is no buffer");
}

/* Whether the handler is to compute; if not, it returns no error. Handlers are registered for one stage only. */
static bool is_call(const XLA_FFI_CallFrame *frame) {
  return !answer_metadata(frame) && frame->stage == XLA_FFI_ExecutionStage_EXECUTE;
}

/* ---- Operands of layers ---- */

/* What an operand or the result is. The batch is the first number of the shape of signals. */
typedef enum { INPUT, WEIGHT, BIAS, OUTPUT } role;

/* An array of a call, or of each of several calls. */
typedef struct {
  char *data;
  int64_t step; /* bytes from one call to the next, 0 if all share it */
} operand;

/* Sizes of a call that its arrays have in common; -1 until one says. */
typedef struct {
  const jax_layer *layer;
  int64_t calls, batch;
} call_sizes;

static const int64_t *shape_of(const jax_layer *layer, role kind, int32_t *rank) {
  switch (kind) {
  case INPUT: *rank = layer->input_rank; return layer->input;
  case OUTPUT: *rank = layer->output_rank; return layer->output;
  case WEIGHT: *rank = layer->weight_rank; return layer->weight;
  default: *rank = 1; return layer->bias;
  }
}

static bool fits(int64_t *known, int64_t size) {
  if (*known < 0) {
    *known = size;
  }
  return *known == size;
}

static bool has_shape(const XLA_FFI_Buffer *buffer, bool mapped, role kind, call_sizes *sizes, int64_t *elements) {
  int32_t rank;
  const int64_t *shape = shape_of(sizes->layer, kind, &rank);
  const int64_t *dims = buffer->dims;
  if (buffer->rank != rank + (mapped ? 1 : 0)) {
    return false;
  }
  if (mapped && !fits(&sizes->calls, *dims++)) {
    return false;
  }
  *elements = 1;
  for (int32_t axis = 0; axis < rank; axis++) {
    const bool is_batch = axis == 0 && (kind == INPUT || kind == OUTPUT);
    if (is_batch ? !fits(&sizes->batch, dims[axis]) : dims[axis] != shape[axis]) {
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

static bool read_operand(const XLA_FFI_Buffer *buffer, bool mapped, role kind, call_sizes *sizes, operand *found,
                         jax_problem *problem) {
  /* Any address that is aligned, for arrays without elements. */
  static double nothing;
  static const char *const names[] = {"input", "weight", "bias", "output"};
  const bool is_double = sizes->layer->dtype == EQUICONV_FLOAT64;
  if (buffer->dtype != (is_double ? XLA_FFI_DataType_F64 : XLA_FFI_DataType_F32)) {
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    "equiconv: the array of the %s has type %d of XLA, expected %s", names[kind], (int)buffer->dtype,
                    is_double ? "float64" : "float32");
  }
  int64_t elements;
  if (!has_shape(buffer, mapped, kind, sizes, &elements)) {
    char actual[128], expected[128];
    int32_t rank;
    const int64_t *shape = shape_of(sizes->layer, kind, &rank);
    write_shape(actual, buffer->dims, buffer->rank);
    write_shape(expected, shape, rank);
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    "equiconv: the array of the %s has shape %s, expected %s with the batch in place of its first "
                    "number for signals%s",
                    names[kind], actual, expected, mapped ? ", behind one axis of calls" : "");
  }
  found->data = elements == 0 || buffer->data == NULL ? (char *)&nothing : buffer->data;
  found->step = mapped ? elements * (is_double ? 8 : 4) : 0;
  return true;
}

/* ---- Layers ---- */

/* A pass of a layer: its operands in order, its result, and how it is run. */
typedef struct {
  int64_t least, most;
  role operands[3], result;
  equiconv_status (*run)(const equiconv_plan *plan, int64_t batch, const void *const operands[3], void *result);
} pass;

static bool run_calls(const XLA_FFI_CallFrame *frame, const pass *work, const jax_layer *layer, uint64_t mapped,
                      jax_problem *problem) {
  operand operands[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}}, output;
  call_sizes sizes = {layer, -1, -1};
  for (int64_t i = 0; i < frame->args.size; i++) {
    if (!read_operand(argument(frame, i), (mapped >> i & 1) != 0, work->operands[i], &sizes, &operands[i], problem)) {
      return false;
    }
  }
  if (!read_operand(result(frame), mapped != 0, work->result, &sizes, &output, problem)) {
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
  if (!is_call(frame)) {
    return NULL;
  }
  jax_problem problem;
  uint64_t mapped = 0;
  if (!check_counts(frame, work->least, work->most, &problem) ||
      !read_mapped(frame, frame->args.size, &mapped, &problem)) {
    return error(frame, &problem);
  }
  const XLA_FFI_Array *words = attribute(frame, "layer", XLA_FFI_AttrType_ARRAY);
  if (words == NULL || words->dtype != XLA_FFI_DataType_S64) {
    jax_fail(&problem, XLA_FFI_Error_Code_INVALID_ARGUMENT, "equiconv: attribute layer is not an array of int64");
    return error(frame, &problem);
  }
  jax_layer *layer = jax_layer_acquire(words->data, (int64_t)words->size, &problem);
  if (layer == NULL) {
    return error(frame, &problem);
  }
  const bool done = run_calls(frame, work, layer, mapped, &problem);
  jax_layer_release(layer);
  return done ? NULL : error(frame, &problem);
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

static equiconv_status run_bias_gradient(const equiconv_plan *plan, int64_t batch, const void *const operands[3],
                                         void *gradient) {
  return equiconv_plan_bias_gradient(plan, batch, operands[0], gradient);
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

XLA_FFI_Error *jax_bias_gradient(XLA_FFI_CallFrame *frame) {
  static const pass work = {1, 1, {OUTPUT}, BIAS, run_bias_gradient};
  return handle(frame, &work);
}

/* ---- The mean over H ---- */

/* Reads (outer, order, inner) from signals (B, C, |H|, spatial...) and (B, C, spatial...). */
static bool read_fibered(const XLA_FFI_Buffer *signal, const XLA_FFI_Buffer *pooled, int64_t sizes[3]) {
  if (signal->rank < 4 || signal->rank > EQUICONV_MAX_RANK || pooled->rank != signal->rank - 1 ||
      signal->dtype != pooled->dtype ||
      (signal->dtype != XLA_FFI_DataType_F32 && signal->dtype != XLA_FFI_DataType_F64)) {
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
  if (!is_call(frame)) {
    return NULL;
  }
  jax_problem problem;
  if (!check_counts(frame, 1, 1, &problem)) {
    return error(frame, &problem);
  }
  const XLA_FFI_Buffer *operand = argument(frame, 0), *output = result(frame);
  const XLA_FFI_Buffer *signal = adjoint ? output : operand;
  int64_t sizes[3];
  if (!read_fibered(signal, adjoint ? operand : output, sizes)) {
    jax_fail(&problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
             "equiconv: the operand and the result are not signals (B, C, |H|, spatial...) and (B, C, spatial...)");
    return error(frame, &problem);
  }
  if (sizes[0] == 0 || sizes[1] == 0 || sizes[2] == 0) {
    return NULL;
  }
  const equiconv_dtype dtype = signal->dtype == XLA_FFI_DataType_F64 ? EQUICONV_FLOAT64 : EQUICONV_FLOAT32;
  const equiconv_status status = adjoint ? equiconv_group_pool_vjp(dtype, EQUICONV_POOL_MEAN, sizes[0], sizes[1],
                                                                   sizes[2], operand->data, NULL, output->data)
                                         : equiconv_group_pool(dtype, EQUICONV_POOL_MEAN, sizes[0], sizes[1], sizes[2],
                                                               operand->data, output->data);
  if (status != EQUICONV_SUCCESS) {
    jax_fail_with(&problem, status);
    return error(frame, &problem);
  }
  return NULL;
}

XLA_FFI_Error *jax_pool_mean(XLA_FFI_CallFrame *frame) { return handle_mean(frame, false); }

XLA_FFI_Error *jax_pool_mean_adjoint(XLA_FFI_CallFrame *frame) { return handle_mean(frame, true); }
