/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers and their gradients. Operands that are plain arrays of the right shapes are computed with at once. Others the
 * method of the layer's Python class converts, warns of or refuses with a worded error; then its result is computed with.
 */
#include "native.h"

/* The shape and type of a plain array; false for anything else. */
static bool read_array(PyObject *value, int *type, equiconv_shape *shape) {
  if (!native_is_plain(value)) {
    return false;
  }
  PyArrayObject *array = (PyArrayObject *)value;
  *type = PyArray_TYPE(array);
  shape->rank = PyArray_NDIM(array);
  if (shape->rank > EQUICONV_MAX_RANK) {
    return false;
  }
  for (int32_t axis = 0; axis < shape->rank; axis++) {
    shape->sizes[axis] = PyArray_DIM(array, axis);
  }
  return true;
}

static bool has_shape(PyObject *value, int type, const equiconv_shape *shape) {
  int own;
  equiconv_shape sizes;
  if (!read_array(value, &own, &sizes) || own != type || sizes.rank != shape->rank) {
    return false;
  }
  for (int32_t axis = 0; axis < sizes.rank; axis++) {
    if (sizes.sizes[axis] != shape->sizes[axis]) {
      return false;
    }
  }
  return true;
}

static PyObject *new_array(PyObject *module, int type, const equiconv_shape *shape) {
  npy_intp sizes[EQUICONV_MAX_RANK];
  for (int32_t axis = 0; axis < shape->rank; axis++) {
    sizes[axis] = (npy_intp)shape->sizes[axis];
  }
  const native_state *state = PyModule_GetState(module);
  return native_new_result(state->result_handler, shape->rank, sizes, type);
}

static equiconv_dtype dtype_of(int type) { return type == NPY_FLOAT32 ? EQUICONV_FLOAT32 : EQUICONV_FLOAT64; }

static void *data_of(PyObject *array) { return array == Py_None ? NULL : PyArray_DATA((PyArrayObject *)array); }

/* What came of an attempt: if `is_final`, what the engine refuses is an exception, else the layer's class words it. */
typedef enum { COMPUTED, NOT_PLAIN, RAISED } outcome;

static outcome refused(equiconv_status status, bool is_final) {
  if (is_final || status == EQUICONV_ERROR_OUT_OF_MEMORY || status == EQUICONV_ERROR_CANCELLED) {
    native_raise(status);
    return RAISED;
  }
  return NOT_PLAIN;
}

/* ---- Forward ---- */

typedef struct {
  PyObject *x, *weight, *bias, *out;
  bool warns;
} forward_operands;

typedef struct {
  int type;
  equiconv_shape input, weight, output;
  const native_weight *prepared;
} forward_shapes;

/* Types and shapes that are known to be right; NOT_PLAIN also for strides that are to be warned of. */
static outcome read_forward(PyObject *module, const native_layer *layer, const forward_operands *operands,
                            bool is_final, forward_shapes *s) {
  int weight_type;
  s->prepared = native_as_weight(module, operands->weight);
  if (!read_array(operands->x, &s->type, &s->input)) {
    return NOT_PLAIN;
  }
  if (s->prepared != NULL) {
    weight_type = s->prepared->type;
    s->weight.rank = s->prepared->rank;
    for (int axis = 0; axis < s->prepared->rank; axis++) {
      s->weight.sizes[axis] = s->prepared->sizes[axis];
    }
  } else if (!read_array(operands->weight, &weight_type, &s->weight)) {
    return NOT_PLAIN;
  }
  if (weight_type != s->type) {
    return NOT_PLAIN;
  }
  equiconv_status status = equiconv_layer_get_output_shape(layer->handle, &s->input, &s->weight, &s->output);
  if (status != EQUICONV_SUCCESS) {
    return refused(status, is_final);
  }
  if (operands->warns && layer->is_strided && !is_final) {
    int64_t left[3];
    status = equiconv_layer_get_stride_remainders(layer->handle, &s->input, &s->weight, left);
    if (status != EQUICONV_SUCCESS || left[0] != 0 || left[1] != 0 || left[2] != 0) {
      return NOT_PLAIN;
    }
  }
  const equiconv_shape channels = {1, {s->output.sizes[1]}};
  const bool fits = (operands->bias == Py_None || has_shape(operands->bias, s->type, &channels)) &&
                    (operands->out == Py_None ||
                     (native_is_plain_output(operands->out) && has_shape(operands->out, s->type, &s->output)));
  return fits ? COMPUTED : NOT_PLAIN;
}

static outcome try_forward(PyObject *module, const native_layer *layer, const forward_operands *operands, bool is_final,
                           PyObject **result) {
  forward_shapes s;
  const outcome reading = read_forward(module, layer, operands, is_final, &s);
  if (reading != COMPUTED) {
    return reading;
  }
  PyObject *output = operands->out == Py_None ? new_array(module, s.type, &s.output) : Py_NewRef(operands->out);
  if (output == NULL) {
    return RAISED;
  }
  const void *x = data_of(operands->x), *bias = data_of(operands->bias);
  const equiconv_dtype dtype = dtype_of(s.type);
  equiconv_status status;
  native_run run;
  equiconv_call *const call = native_begin_run(&run);
  if (s.prepared != NULL) {
    status = equiconv_layer_forward_prepared_with_call(layer->handle, dtype, &s.input, x, &s.weight, s.prepared->handle,
                                                       bias, data_of(output), call);
  } else {
    status = equiconv_layer_forward_with_call(layer->handle, dtype, &s.input, x, &s.weight, data_of(operands->weight),
                                              bias, data_of(output), call);
  }
  native_end_run(&run);
  if (status != EQUICONV_SUCCESS) {
    Py_DECREF(output);
    return refused(status, is_final);
  }
  *result = output;
  return COMPUTED;
}

/* The result of a call of a method of the layer: a tuple of `count` items; NULL with an exception. */
static PyObject *converted(PyObject *layer, const char *method, Py_ssize_t count, PyObject *arguments) {
  PyObject *function = arguments == NULL ? NULL : PyObject_GetAttrString(layer, method);
  PyObject *items = function == NULL ? NULL : PyObject_CallObject(function, arguments);
  Py_XDECREF(function);
  Py_XDECREF(arguments);
  if (items != NULL && (!PyTuple_Check(items) || PyTuple_Size(items) != count)) {
    Py_CLEAR(items);
    native_refuse(method);
  }
  return items;
}

/* forward(layer, x, weight, bias, out, warns) */
PyObject *native_forward(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  const native_layer *layer = count == 6 ? native_as_layer(module, args[0]) : NULL;
  if (layer == NULL || !PyBool_Check(args[5])) {
    return native_refuse("forward");
  }
  forward_operands operands = {args[1], args[2], args[3], args[4], args[5] == Py_True};
  PyObject *result = NULL;
  outcome came = try_forward(module, layer, &operands, false, &result);
  if (came != NOT_PLAIN) {
    return result;
  }
  PyObject *items = converted(args[0], "convert_forward", 4, PyTuple_Pack(4, args[1], args[2], args[3], args[4]));
  if (items == NULL) {
    return NULL;
  }
  operands = (forward_operands){PyTuple_GetItem(items, 0), PyTuple_GetItem(items, 1), PyTuple_GetItem(items, 2),
                                PyTuple_GetItem(items, 3), false};
  came = try_forward(module, layer, &operands, true, &result);
  if (result != NULL && args[5] == Py_True && layer->is_strided) {
    PyObject *warned = PyObject_CallMethod(args[0], "warn_of_remainders", "OO", operands.x, operands.weight);
    if (warned == NULL) {
      Py_CLEAR(result);
    }
    Py_XDECREF(warned);
  }
  Py_DECREF(items);
  if (came == NOT_PLAIN) {
    return native_refuse("forward");
  }
  if (result != NULL && args[4] != Py_None) {
    /* What the user gave, whose numbers these are. */
    PyObject *const computed = result;
    result = Py_NewRef(args[4]);
    Py_DECREF(computed);
  }
  return result;
}

/* ---- Gradients ---- */

/* Where a gradient goes: a new array, the array that was given for it, or None. NULL if that array does not fit. */
static PyObject *gradient_array(PyObject *module, PyObject *wanted, int type, const equiconv_shape *shape) {
  if (wanted == Py_True) {
    return new_array(module, type, shape);
  }
  if (wanted == Py_False) {
    Py_RETURN_NONE;
  }
  return native_is_plain_output(wanted) && has_shape(wanted, type, shape) ? Py_NewRef(wanted) : NULL;
}

/* (grad_x, grad_weight, grad_bias); NULL, perhaps without an exception, if one of them cannot be had. */
static PyObject *gradient_arrays(PyObject *module, int type, const equiconv_shape *shapes, PyObject *const *wanted) {
  PyObject *result = PyTuple_New(3);
  for (int i = 0; result != NULL && i < 3; i++) {
    PyObject *gradient = gradient_array(module, wanted[i], type, &shapes[i]);
    if (gradient == NULL) {
      Py_CLEAR(result);
    } else {
      PyTuple_SetItem(result, i, gradient);
    }
  }
  return result;
}

/* `operands` are grad_out, x and weight. */
static outcome try_vjp(PyObject *module, const native_layer *layer, PyObject *const *operands, PyObject *const *wanted,
                       bool is_final, PyObject **result) {
  int type, weight_type;
  equiconv_shape shapes[3], output; /* of x, weight and bias */
  if (!read_array(operands[1], &type, &shapes[0]) || !read_array(operands[2], &weight_type, &shapes[1]) ||
      weight_type != type) {
    return NOT_PLAIN;
  }
  equiconv_status status = equiconv_layer_get_output_shape(layer->handle, &shapes[0], &shapes[1], &output);
  if (status != EQUICONV_SUCCESS) {
    return refused(status, is_final);
  }
  if (!has_shape(operands[0], type, &output)) {
    return NOT_PLAIN;
  }
  shapes[2] = (equiconv_shape){1, {output.sizes[1]}};
  PyObject *gradients = gradient_arrays(module, type, shapes, wanted);
  if (gradients == NULL) {
    return PyErr_Occurred() ? RAISED : NOT_PLAIN;
  }
  native_run run;
  equiconv_call *const call = native_begin_run(&run);
  status = equiconv_layer_vjp_with_call(layer->handle, dtype_of(type), &shapes[0], &shapes[1], data_of(operands[0]),
                                        data_of(operands[1]), data_of(operands[2]),
                                        data_of(PyTuple_GetItem(gradients, 0)), data_of(PyTuple_GetItem(gradients, 1)),
                                        data_of(PyTuple_GetItem(gradients, 2)), call);
  native_end_run(&run);
  if (status != EQUICONV_SUCCESS) {
    Py_DECREF(gradients);
    return refused(status, is_final);
  }
  *result = gradients;
  return COMPUTED;
}

/* vjp(layer, grad_out, x, weight, want_x, want_weight, want_bias): what is wanted is a bool or an array to write into */
PyObject *native_vjp(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  const native_layer *layer = count == 7 ? native_as_layer(module, args[0]) : NULL;
  if (layer == NULL) {
    return native_refuse("vjp");
  }
  PyObject *result = NULL;
  outcome came = try_vjp(module, layer, args + 1, args + 4, false, &result);
  if (came != NOT_PLAIN) {
    return result;
  }
  PyObject *items = converted(args[0], "convert_vjp", 3, PyTuple_Pack(3, args[1], args[2], args[3]));
  if (items == NULL) {
    return NULL;
  }
  PyObject *const operands[3] = {PyTuple_GetItem(items, 0), PyTuple_GetItem(items, 1), PyTuple_GetItem(items, 2)};
  came = try_vjp(module, layer, operands, args + 4, true, &result);
  Py_DECREF(items);
  return came == NOT_PLAIN ? native_refuse("vjp") : result;
}

/* ---- The filter bank ---- */

/* expand(layer, weight: plain array) -> the bank, (O |Y|, C |X|, kernel...) */
PyObject *native_expand(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  const native_layer *layer = count == 2 ? native_as_layer(module, args[0]) : NULL;
  int type;
  equiconv_shape weight, shape;
  if (layer == NULL || !read_array(args[1], &type, &weight)) {
    return native_refuse("expand");
  }
  native_run run;
  equiconv_status status =
      equiconv_layer_get_bank_shape_with_call(layer->handle, &weight, &shape, native_begin_run(&run));
  native_end_run(&run);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  PyObject *bank = new_array(module, type, &shape);
  if (bank == NULL) {
    return NULL;
  }
  equiconv_call *const call = native_begin_run(&run);
  status =
      equiconv_layer_expand_with_call(layer->handle, dtype_of(type), &weight, data_of(args[1]), data_of(bank), call);
  native_end_run(&run);
  return native_finish(bank, status);
}
