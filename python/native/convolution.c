/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers and their gradients. forward and vjp are also the fast path of the public functions: called with
 * the user's own arguments they return None for whatever is not plain (or would need a warning), and Python then
 * checks, converts and calls again with `checked` true, which turns what the engine refuses into an exception.
 */
#include "native.h"

static bool has_shape(PyObject *value, int type, int rank, const npy_intp *shape) {
  PyArrayObject *array = (PyArrayObject *)value;
  return PyArray_TYPE(array) == type && PyArray_NDIM(array) == rank &&
         PyArray_CompareLists(PyArray_DIMS(array), shape, rank);
}

/* A new reference to `out`, to a new array if it is None, or NULL without an exception if it does not fit. */
static PyObject *output_array(const native_call *call, PyObject *out) {
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
                                            const void *, void *, equiconv_call *);
static const forward_function forward_functions[] = {
    [EQUICONV_LAYER_ISOTROPIC] = equiconv_isotropic_conv_with_call,
    [EQUICONV_LAYER_LIFTING] = equiconv_lifting_conv_with_call,
    [EQUICONV_LAYER_GROUP] = equiconv_group_conv_with_call,
    [EQUICONV_LAYER_PROJECTION] = equiconv_projection_conv_with_call,
    [EQUICONV_LAYER_GENERAL] = equiconv_conv_with_call,
};

/* Ends a call whose results are in `result` (stolen). */
static PyObject *finish(equiconv_status status, PyObject *result, bool checked) {
  if (status == EQUICONV_SUCCESS) {
    return result;
  }
  Py_DECREF(result);
  if (checked || status == EQUICONV_ERROR_OUT_OF_MEMORY || status == EQUICONV_ERROR_CANCELLED) {
    return native_raise(status);
  }
  Py_RETURN_NONE;
}

/* The weight of a forward call: an array, or a Weight. */
static bool read_operands(PyObject *module, PyObject *x, PyObject *weight, native_arguments *arguments) {
  const native_weight *prepared = native_as_weight(module, weight);
  if (!native_read_array(x, &arguments->input)) {
    return false;
  }
  if (prepared == NULL) {
    return native_read_array(weight, &arguments->weight);
  }
  arguments->weight = (native_shape){prepared->type, prepared->rank, prepared->sizes};
  return true;
}

/* Without the GIL. */
static equiconv_status run_forward(const native_call *call, PyObject *x, PyObject *weight,
                                   const native_weight *prepared, PyObject *bias, PyObject *output,
                                   equiconv_call *run) {
  const equiconv_descriptor *descriptor = &call->descriptor;
  const void *input = PyArray_DATA((PyArrayObject *)x);
  const void *bias_data = bias == Py_None ? NULL : PyArray_DATA((PyArrayObject *)bias);
  void *result = PyArray_DATA((PyArrayObject *)output);
  if (prepared != NULL) {
    return equiconv_forward_prepared_with_call(descriptor, call->batch, input, prepared->handle, bias_data, result,
                                               run);
  }
  return forward_functions[descriptor->layer](descriptor, call->batch, input, PyArray_DATA((PyArrayObject *)weight),
                                              bias_data, result, run);
}

/*
 * forward(layer, x, weight, group, bias, stride, padding, dilation, padding_mode, algorithm, out, basis, interpolation,
 * group_basis, quadrature, spaces, checked)
 */
PyObject *native_forward(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  if (count != 17) {
    return native_refuse("forward");
  }
  PyObject *x = args[1], *weight = args[2], *bias = args[4];
  bool checked = args[16] == Py_True;
  native_kernel kernel = {args[11], args[12], args[13], args[14], args[15]};
  native_arguments arguments = {{0}, {0}, args[0], args[3], args[5], args[6], args[7], args[8], args[9], kernel};
  native_call call;
  native_outcome reason = NATIVE_NOT_PLAIN;
  if (read_operands(module, x, weight, &arguments)) {
    reason = native_read_call(module, &arguments, &call);
  }
  if (reason == NATIVE_PLAIN && bias != Py_None) {
    npy_intp channels = call.descriptor.out_channels;
    reason = native_is_plain(bias) && has_shape(bias, call.type, 1, &channels) ? NATIVE_PLAIN : NATIVE_NOT_PLAIN;
  }
  if (reason != NATIVE_PLAIN || (call.asymmetric && !checked)) {
    return native_decline(reason, checked, "forward", &call);
  }
  PyObject *output = output_array(&call, args[10]);
  if (output == NULL) {
    return PyErr_Occurred() ? NULL : native_decline(NATIVE_NOT_PLAIN, checked, "forward", &call);
  }
  const native_weight *prepared = native_as_weight(module, weight);
  native_run run;
  equiconv_call *const interruptible = native_begin_run(&run);
  const equiconv_status status = run_forward(&call, x, weight, prepared, bias, output, interruptible);
  native_end_run(&run);
  return finish(status, output, checked);
}

typedef equiconv_status (*vjp_function)(const equiconv_descriptor *, int64_t, const void *, const void *, const void *,
                                        void *, void *, void *, equiconv_call *);
static const vjp_function vjp_functions[] = {
    [EQUICONV_LAYER_ISOTROPIC] = equiconv_isotropic_conv_vjp_with_call,
    [EQUICONV_LAYER_LIFTING] = equiconv_lifting_conv_vjp_with_call,
    [EQUICONV_LAYER_GROUP] = equiconv_group_conv_vjp_with_call,
    [EQUICONV_LAYER_PROJECTION] = equiconv_projection_conv_vjp_with_call,
    [EQUICONV_LAYER_GENERAL] = equiconv_conv_vjp_with_call,
};

/* Where a gradient goes: a new array, the array that was given for it, or None. NULL if that array does not fit. */
static PyObject *gradient_array(PyObject *wanted, int type, int rank, const npy_intp *shape) {
  if (wanted == Py_True) {
    return PyArray_SimpleNew(rank, shape, type);
  }
  if (wanted == Py_False) {
    Py_RETURN_NONE;
  }
  if (!native_is_plain_output(wanted) || !has_shape(wanted, type, rank, shape)) {
    return NULL;
  }
  Py_INCREF(wanted);
  return wanted;
}

/* (grad_x, grad_weight, grad_bias); NULL, perhaps without an exception, if one of them cannot be had. */
static PyObject *gradient_arrays(const native_call *call, PyObject *x, PyObject *weight, PyObject *const *wanted) {
  npy_intp channels = call->descriptor.out_channels;
  const npy_intp *shapes[3] = {PyArray_DIMS((PyArrayObject *)x), PyArray_DIMS((PyArrayObject *)weight), &channels};
  int ranks[3] = {PyArray_NDIM((PyArrayObject *)x), PyArray_NDIM((PyArrayObject *)weight), 1};
  PyObject *result = PyTuple_New(3);
  for (int i = 0; result != NULL && i < 3; i++) {
    PyObject *gradient = gradient_array(wanted[i], call->type, ranks[i], shapes[i]);
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
 * group_basis, quadrature, spaces, want_x, want_weight, want_bias, checked), where what is wanted is a bool or an array
 * to write into.
 */
PyObject *native_vjp(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  if (count != 19) {
    return native_refuse("vjp");
  }
  PyObject *grad_out = args[1], *x = args[2], *weight = args[3];
  bool checked = args[18] == Py_True;
  native_kernel kernel = {args[10], args[11], args[12], args[13], args[14]};
  native_arguments arguments = {{0}, {0}, args[0], args[4], args[5], args[6], args[7], args[8], args[9], kernel};
  native_call call;
  native_outcome reason = NATIVE_NOT_PLAIN;
  if (native_read_array(x, &arguments.input) && native_read_array(weight, &arguments.weight)) {
    reason = native_read_call(module, &arguments, &call);
  }
  if (reason == NATIVE_PLAIN &&
      !(native_is_plain(grad_out) && has_shape(grad_out, call.type, call.output_rank, call.output))) {
    reason = NATIVE_NOT_PLAIN;
  }
  if (reason != NATIVE_PLAIN) {
    return native_decline(reason, checked, "vjp", &call);
  }
  PyObject *gradients = gradient_arrays(&call, x, weight, args + 15);
  if (gradients == NULL) {
    return PyErr_Occurred() ? NULL : native_decline(NATIVE_NOT_PLAIN, checked, "vjp", &call);
  }
  void *data[3];
  for (int i = 0; i < 3; i++) {
    PyObject *gradient = PyTuple_GET_ITEM(gradients, i);
    data[i] = gradient == Py_None ? NULL : PyArray_DATA((PyArrayObject *)gradient);
  }
  native_run run;
  equiconv_call *const interruptible = native_begin_run(&run);
  const equiconv_status status = vjp_functions[call.descriptor.layer](
      &call.descriptor, call.batch, PyArray_DATA((PyArrayObject *)grad_out), PyArray_DATA((PyArrayObject *)x),
      PyArray_DATA((PyArrayObject *)weight), data[0], data[1], data[2], interruptible);
  native_end_run(&run);
  return finish(status, gradients, checked);
}
