/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of a layer, read into a descriptor with the shape of its output. */
#include "native.h"

/* Larger numbers than this are refused by Python, so that sizes can be computed without overflow here. */
#define LARGEST INT32_MAX

/* One number for all axes, or a tuple of one each. */
static bool read_axes(PyObject *value, int32_t dimension, int64_t minimum, int64_t result[3]) {
  if (!PyTuple_CheckExact(value)) {
    if (!native_read_int(value, minimum, LARGEST, &result[0])) {
      return false;
    }
    result[1] = result[2] = result[0];
    return true;
  }
  if (PyTuple_GET_SIZE(value) != dimension) {
    return false;
  }
  for (int32_t axis = 0; axis < dimension; axis++) {
    if (!native_read_int(PyTuple_GET_ITEM(value, axis), minimum, LARGEST, &result[axis])) {
      return false;
    }
  }
  return true;
}

static bool is_text(PyObject *value, const char *text) {
  return PyUnicode_CheckExact(value) && PyUnicode_CompareWithASCIIString(value, text) == 0;
}

static bool read_padding(PyObject *value, int32_t dimension, int64_t result[3]) {
  if (!PyUnicode_CheckExact(value)) {
    return read_axes(value, dimension, 0, result);
  }
  bool same = is_text(value, "same");
  result[0] = result[1] = result[2] = same ? EQUICONV_PADDING_SAME : 0;
  return same || is_text(value, "valid");
}

static bool read_padding_mode(PyObject *value, equiconv_padding_mode *result) {
  *result = is_text(value, "circular") ? EQUICONV_PADDING_CIRCULAR : EQUICONV_PADDING_ZEROS;
  return *result == EQUICONV_PADDING_CIRCULAR || is_text(value, "zeros");
}

static bool read_algorithm(PyObject *value, equiconv_algorithm *result) {
  static const char *const names[] = {"auto", "direct", "winograd", "fourier"};
  for (int32_t i = 0; i < 4; i++) {
    if (is_text(value, names[i])) {
      *result = (equiconv_algorithm)i;
      return true;
    }
  }
  return false;
}

/* Channels and sizes from the shapes; false if they do not fit each other or an axis is empty. */
static bool read_shapes(native_call *call, const native_shape *input, const native_shape *weight,
                        const native_group *group) {
  equiconv_descriptor *descriptor = &call->descriptor;
  const int64_t points = call->spaces.input_points;
  int fiber = points > 0 ? 1 : 0;
  if (input->rank != 2 + fiber + group->dimension || !native_read_weight(weight, &call->spaces, descriptor)) {
    return false;
  }
  const npy_intp *sizes = input->sizes;
  if ((fiber && sizes[2] != points) || sizes[1] != descriptor->in_channels) {
    return false;
  }
  call->batch = sizes[0];
  for (int32_t axis = 0; axis < group->dimension; axis++) {
    descriptor->spatial[axis] = sizes[2 + fiber + axis];
    if (descriptor->spatial[axis] == 0 || descriptor->kernel[axis] == 0 || descriptor->kernel[axis] > LARGEST ||
        descriptor->spatial[axis] > INT64_MAX / 4) {
      return false;
    }
  }
  return true;
}

/* The output's shape; false if there is none or its bytes do not fit in 63 bits. */
static bool resolve_output(native_call *call) {
  const equiconv_descriptor *descriptor = &call->descriptor;
  int rank = 0;
  call->output[rank++] = call->batch;
  call->output[rank++] = descriptor->out_channels;
  if (call->spaces.output_points > 0) {
    call->output[rank++] = call->spaces.output_points;
  }
  for (int32_t axis = 0; axis < descriptor->dimension; axis++) {
    int64_t span = descriptor->dilation[axis] * (descriptor->kernel[axis] - 1);
    bool same = descriptor->padding[axis] == EQUICONV_PADDING_SAME;
    if (same && descriptor->kernel[axis] % 2 == 0) {
      return false;
    }
    int64_t both_sides = same ? span : 2 * descriptor->padding[axis];
    if (span > INT64_MAX / 4 || descriptor->spatial[axis] + both_sides <= span) {
      return false;
    }
    int64_t room = descriptor->spatial[axis] + both_sides - span - 1;
    call->output[rank++] = room / descriptor->stride[axis] + 1;
    call->asymmetric |= room % descriptor->stride[axis] != 0;
  }
  call->output_rank = rank;
  int64_t bytes = 8;
  for (int axis = 0; axis < rank; axis++) {
    if (call->output[axis] != 0 && __builtin_mul_overflow(bytes, (int64_t)call->output[axis], &bytes)) {
      return false;
    }
  }
  return true;
}

native_outcome native_read_call(PyObject *module, const native_arguments *arguments, native_call *call) {
  *call = (native_call){.descriptor = EQUICONV_DESCRIPTOR_INIT};
  equiconv_descriptor *descriptor = &call->descriptor;
  native_group *group = native_as_group(module, arguments->group);
  int64_t layer;
  if (group == NULL || !native_read_int(arguments->layer, EQUICONV_LAYER_ISOTROPIC, EQUICONV_LAYER_GENERAL, &layer)) {
    return NATIVE_NOT_PLAIN;
  }
  call->type = arguments->input.type;
  descriptor->group = group->handle;
  descriptor->layer = (equiconv_layer_kind)layer;
  descriptor->dtype = call->type == NPY_FLOAT32 ? EQUICONV_FLOAT32 : EQUICONV_FLOAT64;
  descriptor->dimension = group->dimension;
  if (arguments->weight.type != call->type ||
      !native_read_kernel(module, &arguments->kernel, group, descriptor, &call->spaces) ||
      !read_shapes(call, &arguments->input, &arguments->weight, group) ||
      !read_axes(arguments->stride, group->dimension, 1, descriptor->stride) ||
      !read_padding(arguments->padding, group->dimension, descriptor->padding) ||
      !read_axes(arguments->dilation, group->dimension, 1, descriptor->dilation) ||
      !read_padding_mode(arguments->padding_mode, &descriptor->padding_mode) ||
      !read_algorithm(arguments->algorithm, &descriptor->algorithm)) {
    return NATIVE_NOT_PLAIN;
  }
  return resolve_output(call) ? NATIVE_PLAIN : NATIVE_NO_SUCH_SIZE;
}

/* What the engine has to say about sizes that do not exist. */
static PyObject *raise_size(const native_call *call) {
  equiconv_plan *plan = NULL;
  int64_t shape[EQUICONV_MAX_RANK];
  int32_t rank;
  equiconv_status status = equiconv_plan_create(&call->descriptor, &plan);
  if (status == EQUICONV_SUCCESS) {
    status = equiconv_plan_get_output_shape(plan, call->batch, shape, &rank);
  }
  equiconv_plan_destroy(plan);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  PyErr_SetString(PyExc_ValueError, "the output would have more than 2^63 bytes");
  return NULL;
}

PyObject *native_decline(native_outcome reason, bool checked, const char *function, const native_call *call) {
  if (!checked) {
    Py_RETURN_NONE;
  }
  return reason == NATIVE_NOT_PLAIN ? native_refuse(function) : raise_size(call);
}
