/* SPDX-License-Identifier: Apache-2.0 */
/* equiconv._native.Weight: a prepared weight of the engine; the base class of PreparedWeight. */
#include "native.h"

native_weight *native_as_weight(PyObject *module, PyObject *value) {
  native_state *state = PyModule_GetState(module);
  return PyObject_TypeCheck(value, state->weight_type) ? (native_weight *)value : NULL;
}

/* Weight(array) */
static PyObject *weight_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  PyObject *array;
  native_shape shape;
  if (!PyArg_ParseTuple(args, "O:Weight", &array)) {
    return NULL;
  }
  if ((keywords != NULL && PyDict_Size(keywords) > 0) || !native_read_array(array, &shape) ||
      shape.rank > EQUICONV_MAX_RANK || PyArray_SIZE((PyArrayObject *)array) == 0) {
    return native_refuse("Weight");
  }
  const int64_t count = PyArray_SIZE((PyArrayObject *)array);
  equiconv_weight *handle = NULL;
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS status = equiconv_weight_create(native_dtype((PyArrayObject *)array), count,
                                                         PyArray_DATA((PyArrayObject *)array), &handle);
  Py_END_ALLOW_THREADS if (status != EQUICONV_SUCCESS) { return native_raise(status); }
  native_weight *self = (native_weight *)native_allocate(type);
  if (self == NULL) {
    equiconv_weight_destroy(handle);
    return NULL;
  }
  self->handle = handle;
  self->type = shape.type;
  self->rank = shape.rank;
  for (int axis = 0; axis < shape.rank; axis++) {
    self->sizes[axis] = shape.sizes[axis];
  }
  return (PyObject *)self;
}

static void weight_dealloc(PyObject *self) {
  equiconv_weight_destroy(((native_weight *)self)->handle);
  native_free(self);
}

static PyObject *weight_shape(PyObject *self, void *Py_UNUSED(unused)) {
  const native_weight *weight = (const native_weight *)self;
  return PyArray_IntTupleFromIntp(weight->rank, weight->sizes);
}

static PyObject *weight_dtype(PyObject *self, void *Py_UNUSED(unused)) {
  return (PyObject *)PyArray_DescrFromType(((const native_weight *)self)->type);
}

static PyObject *weight_nbytes(PyObject *self, void *Py_UNUSED(unused)) {
  return PyLong_FromLongLong(equiconv_weight_bytes(((const native_weight *)self)->handle));
}

/* get_numbers() -> a new array of the numbers that it was made of */
static PyObject *weight_get_numbers(PyObject *self, PyObject *Py_UNUSED(unused)) {
  native_weight *weight = (native_weight *)self;
  PyObject *numbers = PyArray_SimpleNew(weight->rank, weight->sizes, weight->type);
  if (numbers == NULL) {
    return NULL;
  }
  PyArrayObject *array = (PyArrayObject *)numbers;
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS status = equiconv_weight_get_numbers(weight->handle, PyArray_SIZE(array), PyArray_DATA(array));
  Py_END_ALLOW_THREADS return native_finish(numbers, status);
}

static PyGetSetDef weight_getters[] = {
    {"shape", weight_shape, NULL, NULL, NULL},
    {"dtype", weight_dtype, NULL, NULL, NULL},
    {"nbytes", weight_nbytes, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef weight_methods[] = {
    {"get_numbers", weight_get_numbers, METH_NOARGS, "get_numbers($self)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

NATIVE_TYPE(weight, "Weight", Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, {Py_tp_getset, weight_getters},
            {Py_tp_methods, weight_methods});
