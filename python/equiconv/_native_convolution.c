/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The four layers and their gradients. forward and vjp are also the fast path of the public functions: called with
 * the user's own arguments they return None for whatever is not plain (or would need a warning), and Python then
 * checks, converts and calls again with `checked` true, which turns what the engine refuses into an exception.
 */
#include "_native.h"

/* Larger numbers than this are refused by Python, so that sizes can be computed without overflow here. */
#define LARGEST INT32_MAX

/* The arguments of a call in the engine's terms. */
typedef struct {
  equiconv_descriptor descriptor;
  native_spaces spaces;
  int64_t batch;
  int type;                           /* NPY_FLOAT32 or NPY_FLOAT64 */
  npy_intp output[EQUICONV_MAX_RANK]; /* shape of the output */
  int output_rank;
  bool asymmetric; /* a stride leaves a remainder, for which Python may have a warning */
} layer_call;

typedef enum { PLAIN, NOT_PLAIN, NO_SUCH_SIZE } outcome;

/* An exact int in minimum ... LARGEST; bool is not one. */
static bool read_integer(PyObject *value, int64_t minimum, int64_t *result) {
  if (!PyLong_CheckExact(value)) {
    return false;
  }
  int overflow;
  long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
  *result = number;
  return overflow == 0 && number >= minimum && number <= LARGEST;
}

/* One number for all axes, or a tuple of one each. */
static bool read_axes(PyObject *value, int32_t dimension, int64_t minimum, int64_t result[3]) {
  if (!PyTuple_CheckExact(value)) {
    if (!read_integer(value, minimum, &result[0])) {
      return false;
    }
    result[1] = result[2] = result[0];
    return true;
  }
  if (PyTuple_GET_SIZE(value) != dimension) {
    return false;
  }
  for (int32_t axis = 0; axis < dimension; axis++) {
    if (!read_integer(PyTuple_GET_ITEM(value, axis), minimum, &result[axis])) {
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

static bool read_padding_mode(PyObject *value, int32_t *result) {
  *result = is_text(value, "circular") ? EQUICONV_PADDING_CIRCULAR : EQUICONV_PADDING_ZEROS;
  return *result == EQUICONV_PADDING_CIRCULAR || is_text(value, "zeros");
}

static bool read_algorithm(PyObject *value, int32_t *result) {
  static const char *const names[] = {"auto", "direct", "winograd", "fourier"};
  for (int32_t i = 0; i < 4; i++) {
    if (is_text(value, names[i])) {
      *result = i;
      return true;
    }
  }
  return false;
}

/* Channels and sizes from the arrays; false if they do not fit each other or an axis is empty. */
static bool read_shapes(layer_call *call, PyArrayObject *input, PyArrayObject *weight, const native_group *group) {
  equiconv_descriptor *descriptor = &call->descriptor;
  const int64_t points = call->spaces.input_points;
  int fiber = points > 0 ? 1 : 0;
  if (PyArray_NDIM(input) != 2 + fiber + group->dimension || !native_read_weight(weight, &call->spaces, descriptor)) {
    return false;
  }
  const npy_intp *shape = PyArray_DIMS(input);
  if ((fiber && shape[2] != points) || shape[1] != descriptor->in_channels) {
    return false;
  }
  call->batch = shape[0];
  for (int32_t axis = 0; axis < group->dimension; axis++) {
    descriptor->spatial[axis] = shape[2 + fiber + axis];
    if (descriptor->spatial[axis] == 0 || descriptor->kernel[axis] == 0 || descriptor->kernel[axis] > LARGEST ||
        descriptor->spatial[axis] > INT64_MAX / 4) {
      return false;
    }
  }
  return true;
}

/* The output's shape; false if there is none or its bytes do not fit in 63 bits. */
static bool resolve_output(layer_call *call) {
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

/* The arguments that forward and vjp have in common, in this order. */
typedef struct {
  PyObject *layer, *input, *weight, *group, *stride, *padding, *dilation, *padding_mode, *algorithm;
  native_kernel kernel;
} layer_arguments;

static outcome read_call(PyObject *module, const layer_arguments *arguments, layer_call *call) {
  *call = (layer_call){.descriptor = EQUICONV_DESCRIPTOR_INIT};
  equiconv_descriptor *descriptor = &call->descriptor;
  native_group *group = native_as_group(module, arguments->group);
  long layer = PyLong_CheckExact(arguments->layer) ? PyLong_AsLong(arguments->layer) : -1;
  if (group == NULL || layer < EQUICONV_LAYER_ISOTROPIC || layer > EQUICONV_LAYER_GENERAL) {
    return NOT_PLAIN;
  }
  if (!native_is_plain(arguments->input) || !native_is_plain(arguments->weight)) {
    return NOT_PLAIN;
  }
  PyArrayObject *input = (PyArrayObject *)arguments->input, *weight = (PyArrayObject *)arguments->weight;
  call->type = PyArray_TYPE(input);
  descriptor->group = group->handle;
  descriptor->layer = (int32_t)layer;
  descriptor->dtype = native_dtype(input);
  descriptor->dimension = group->dimension;
  if (PyArray_TYPE(weight) != call->type ||
      !native_read_kernel(module, &arguments->kernel, group, descriptor, &call->spaces) || !read_shapes(call, input, weight, group) ||
      !read_axes(arguments->stride, group->dimension, 1, descriptor->stride) ||
      !read_padding(arguments->padding, group->dimension, descriptor->padding) ||
      !read_axes(arguments->dilation, group->dimension, 1, descriptor->dilation) ||
      !read_padding_mode(arguments->padding_mode, &descriptor->padding_mode) ||
      !read_algorithm(arguments->algorithm, &descriptor->algorithm)) {
    return NOT_PLAIN;
  }
  return resolve_output(call) ? PLAIN : NO_SUCH_SIZE;
}

/* What the engine has to say about sizes that do not exist. */
static PyObject *raise_size(const layer_call *call) {
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

/* None for an unchecked call; otherwise the exception of what stands in its way. */
static PyObject *decline(outcome reason, bool checked, const char *function, const layer_call *call) {
  if (!checked) {
    Py_RETURN_NONE;
  }
  return reason == NOT_PLAIN ? native_refuse(function) : raise_size(call);
}

static bool has_shape(PyObject *value, int type, int rank, const npy_intp *shape) {
  PyArrayObject *array = (PyArrayObject *)value;
  return PyArray_TYPE(array) == type && PyArray_NDIM(array) == rank &&
         PyArray_CompareLists(PyArray_DIMS(array), shape, rank);
}

/* A new reference to `out`, to a new array if it is None, or NULL without an exception if it does not fit. */
static PyObject *output_array(const layer_call *call, PyObject *out) {
  if (out == Py_None) {
    return PyArray_SimpleNew(call->output_rank, call->output, call->type);
  }
  if (!native_is_plain_output(out) || !has_shape(out, call->type, call->output_rank, call->output)) {
    return NULL;
  }
  Py_INCREF(out);
  return out;
}

typedef equiconv_status (*forward_function)(const equiconv_descriptor *, int64_t, const void *, const void *,
                                            const void *, void *);
static const forward_function forward_functions[] = {
    [EQUICONV_LAYER_ISOTROPIC] = equiconv_isotropic_conv,
    [EQUICONV_LAYER_LIFTING] = equiconv_lifting_conv,
    [EQUICONV_LAYER_GROUP] = equiconv_group_conv,
    [EQUICONV_LAYER_PROJECTION] = equiconv_projection_conv,
    [EQUICONV_LAYER_GENERAL] = equiconv_conv,
};

/* Ends a call whose results are in `result` (stolen). */
static PyObject *finish(equiconv_status status, PyObject *result, bool checked) {
  if (status == EQUICONV_SUCCESS) {
    return result;
  }
  Py_DECREF(result);
  if (checked || status == EQUICONV_ERROR_OUT_OF_MEMORY) {
    return native_raise(status);
  }
  Py_RETURN_NONE;
}

/*
 * forward(layer, x, weight, group, bias, stride, padding, dilation, padding_mode, algorithm, out, basis, interpolation,
 * group_basis, quadrature, spaces, checked)
 */
PyObject *native_forward(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  if (count != 17) {
    return native_refuse("forward");
  }
  PyObject *x = args[1], *weight = args[2], *bias = args[4], *out = args[10];
  bool checked = args[16] == Py_True;
  native_kernel kernel = {args[11], args[12], args[13], args[14], args[15]};
  layer_arguments arguments = {args[0], x, weight, args[3], args[5], args[6], args[7], args[8], args[9], kernel};
  layer_call call;
  outcome reason = read_call(module, &arguments, &call);
  if (reason == PLAIN && bias != Py_None) {
    npy_intp channels = call.descriptor.out_channels;
    reason = native_is_plain(bias) && has_shape(bias, call.type, 1, &channels) ? PLAIN : NOT_PLAIN;
  }
  if (reason != PLAIN || (call.asymmetric && !checked)) {
    return decline(reason, checked, "forward", &call);
  }
  PyObject *output = output_array(&call, out);
  if (output == NULL) {
    return PyErr_Occurred() ? NULL : decline(NOT_PLAIN, checked, "forward", &call);
  }
  const void *bias_data = bias == Py_None ? NULL : PyArray_DATA((PyArrayObject *)bias);
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS
  status = forward_functions[call.descriptor.layer](
      &call.descriptor, call.batch, PyArray_DATA((PyArrayObject *)x), PyArray_DATA((PyArrayObject *)weight), bias_data,
      PyArray_DATA((PyArrayObject *)output));
  Py_END_ALLOW_THREADS
  return finish(status, output, checked);
}

typedef equiconv_status (*vjp_function)(const equiconv_descriptor *, int64_t, const void *, const void *, const void *,
                                        void *, void *, void *);
static const vjp_function vjp_functions[] = {
    [EQUICONV_LAYER_ISOTROPIC] = equiconv_isotropic_conv_vjp,
    [EQUICONV_LAYER_LIFTING] = equiconv_lifting_conv_vjp,
    [EQUICONV_LAYER_GROUP] = equiconv_group_conv_vjp,
    [EQUICONV_LAYER_PROJECTION] = equiconv_projection_conv_vjp,
    [EQUICONV_LAYER_GENERAL] = equiconv_conv_vjp,
};

/* (grad_x, grad_weight, grad_bias): new arrays, or None for those that are not wanted. */
static PyObject *gradient_arrays(const layer_call *call, PyObject *x, PyObject *weight, const bool wanted[3]) {
  npy_intp channels = call->descriptor.out_channels;
  const npy_intp *shapes[3] = {PyArray_DIMS((PyArrayObject *)x), PyArray_DIMS((PyArrayObject *)weight), &channels};
  int ranks[3] = {PyArray_NDIM((PyArrayObject *)x), PyArray_NDIM((PyArrayObject *)weight), 1};
  PyObject *result = PyTuple_New(3);
  for (int i = 0; result != NULL && i < 3; i++) {
    PyObject *gradient = Py_None;
    if (wanted[i]) {
      gradient = PyArray_SimpleNew(ranks[i], shapes[i], call->type);
    } else {
      Py_INCREF(gradient);
    }
    if (gradient == NULL) {
      Py_CLEAR(result);
    } else {
      PyTuple_SET_ITEM(result, i, gradient);
    }
  }
  return result;
}

/*
 * vjp(layer, grad_out, x, weight, group, stride, padding, dilation, padding_mode, algorithm, basis, interpolation,
 * group_basis, quadrature, spaces, want_x, want_weight, want_bias, checked)
 */
PyObject *native_vjp(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  if (count != 19) {
    return native_refuse("vjp");
  }
  PyObject *grad_out = args[1], *x = args[2], *weight = args[3];
  bool wanted[3] = {args[15] == Py_True, args[16] == Py_True, args[17] == Py_True};
  bool checked = args[18] == Py_True;
  native_kernel kernel = {args[10], args[11], args[12], args[13], args[14]};
  layer_arguments arguments = {args[0], x, weight, args[4], args[5], args[6], args[7], args[8], args[9], kernel};
  layer_call call;
  outcome reason = read_call(module, &arguments, &call);
  if (reason == PLAIN &&
      !(native_is_plain(grad_out) && has_shape(grad_out, call.type, call.output_rank, call.output))) {
    reason = NOT_PLAIN;
  }
  if (reason != PLAIN) {
    return decline(reason, checked, "vjp", &call);
  }
  PyObject *gradients = gradient_arrays(&call, x, weight, wanted);
  if (gradients == NULL) {
    return NULL;
  }
  void *data[3];
  for (int i = 0; i < 3; i++) {
    data[i] = wanted[i] ? PyArray_DATA((PyArrayObject *)PyTuple_GET_ITEM(gradients, i)) : NULL;
  }
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS
  status = vjp_functions[call.descriptor.layer](&call.descriptor, call.batch, PyArray_DATA((PyArrayObject *)grad_out),
                                                PyArray_DATA((PyArrayObject *)x), PyArray_DATA((PyArrayObject *)weight),
                                                data[0], data[1], data[2]);
  Py_END_ALLOW_THREADS
  return finish(status, gradients, checked);
}
