/* SPDX-License-Identifier: Apache-2.0 */
/* equiconv._native.Layer: owns a layer of the engine; the base class of LayerSpec. */
#include "native.h"

#include <string.h>

native_layer *native_as_layer(PyObject *module, PyObject *value) {
  native_state *state = PyModule_GetState(module);
  return PyObject_TypeCheck(value, state->layer_type) ? (native_layer *)value : NULL;
}

/* Layer(text, is_strided) */
static PyObject *layer_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  const char *bytes = PyTuple_Size(args) == 2 ? native_read_text(PyTuple_GetItem(args, 0)) : NULL;
  if (bytes == NULL || !PyBool_Check(PyTuple_GetItem(args, 1)) || (keywords != NULL && PyDict_Size(keywords) > 0)) {
    return native_refuse("Layer");
  }
  const size_t length = strlen(bytes);
  equiconv_layer *handle = NULL;
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS status = equiconv_layer_deserialize(bytes, length, &handle);
  Py_END_ALLOW_THREADS if (handle == NULL) { return native_raise(status); }
  native_layer *self = (native_layer *)native_allocate(type);
  if (self == NULL) {
    equiconv_layer_destroy(handle);
    return NULL;
  }
  self->handle = handle;
  self->is_strided = PyTuple_GetItem(args, 1) == Py_True;
  return (PyObject *)self;
}

static void layer_dealloc(PyObject *self) {
  equiconv_layer_destroy(((native_layer *)self)->handle);
  native_free(self);
}

/* ---- Shapes ---- */

bool native_read_shape(PyObject *value, equiconv_shape *shape) {
  if (!PyTuple_Check(value) || PyTuple_Size(value) > EQUICONV_MAX_RANK) {
    return false;
  }
  shape->rank = (int32_t)PyTuple_Size(value);
  for (int32_t axis = 0; axis < shape->rank; axis++) {
    if (!native_read_int(PyTuple_GetItem(value, axis), 0, INT64_MAX, &shape->sizes[axis])) {
      return false;
    }
  }
  return true;
}

PyObject *native_tuple_of(int32_t rank, const int64_t *sizes) {
  PyObject *tuple = PyTuple_New(rank);
  for (int32_t axis = 0; tuple != NULL && axis < rank; axis++) {
    PyObject *size = PyLong_FromLongLong(sizes[axis]);
    if (size == NULL) {
      Py_CLEAR(tuple);
    } else {
      PyTuple_SetItem(tuple, axis, size);
    }
  }
  return tuple;
}

/* find_output_shape(x: tuple, weight: tuple) -> tuple */
static PyObject *find_output_shape(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  equiconv_shape input, weight, output;
  if (count != 2 || !native_read_shape(args[0], &input) || !native_read_shape(args[1], &weight)) {
    return native_refuse("Layer.find_output_shape");
  }
  const equiconv_status status =
      equiconv_layer_get_output_shape(((native_layer *)self)->handle, &input, &weight, &output);
  return status == EQUICONV_SUCCESS ? native_tuple_of(output.rank, output.sizes) : native_raise(status);
}

/* find_stride_remainders(x: tuple, weight: tuple) -> tuple of one for each axis of space */
static PyObject *find_stride_remainders(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  equiconv_shape input, weight;
  int64_t remainders[3];
  if (count != 2 || !native_read_shape(args[0], &input) || !native_read_shape(args[1], &weight)) {
    return native_refuse("Layer.find_stride_remainders");
  }
  const equiconv_status status =
      equiconv_layer_get_stride_remainders(((native_layer *)self)->handle, &input, &weight, remainders);
  return status == EQUICONV_SUCCESS ? native_tuple_of(3, remainders) : native_raise(status);
}

/* find_weight_shape(out_channels, in_channels, kernel: tuple of d extents) -> tuple */
static PyObject *find_weight_shape(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  equiconv_shape kernel, weight;
  int64_t out_channels, in_channels;
  if (count != 3 || !native_read_int(args[0], 1, INT64_MAX, &out_channels) ||
      !native_read_int(args[1], 1, INT64_MAX, &in_channels) || !native_read_shape(args[2], &kernel)) {
    return native_refuse("Layer.find_weight_shape");
  }
  const equiconv_status status =
      equiconv_layer_get_weight_shape(((native_layer *)self)->handle, out_channels, in_channels, kernel.sizes, &weight);
  return status == EQUICONV_SUCCESS ? native_tuple_of(weight.rank, weight.sizes) : native_raise(status);
}

NATIVE_TEXT_GETTER(layer_text, native_layer, equiconv_layer_serialize)

static PyGetSetDef getters[] = {
    {"text", layer_text, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define FASTCALL(function) ((PyCFunction)(void (*)(void))(function)), METH_FASTCALL

static PyMethodDef methods[] = {
    {"find_output_shape", FASTCALL(find_output_shape), "find_output_shape($self, x, weight, /)\n--\n\n"},
    {"find_stride_remainders", FASTCALL(find_stride_remainders), "find_stride_remainders($self, x, weight, /)\n--\n\n"},
    {"find_weight_shape", FASTCALL(find_weight_shape),
     "find_weight_shape($self, out_channels, in_channels, kernel, /)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

NATIVE_TYPE(layer, "Layer", Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, {Py_tp_getset, getters},
            {Py_tp_methods, methods});
