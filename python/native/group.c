/* SPDX-License-Identifier: Apache-2.0 */
/* equiconv._native.Group: owns a handle of the engine; the base class of equiconv.PointGroup. */
#include "native.h"

#include <string.h>

/* The group of a text, or of a plain float64 array of order x d x d matrices; NULL with an exception for neither. */
static equiconv_group *create(PyObject *value) {
  equiconv_group *handle = NULL;
  equiconv_status status;
  PyArrayObject *matrices = (PyArrayObject *)value;
  const char *text = native_read_text(value);
  if (text != NULL) {
    const size_t length = strlen(text);
    Py_BEGIN_ALLOW_THREADS status = equiconv_group_deserialize(text, length, &handle);
    Py_END_ALLOW_THREADS
  } else if (native_is_plain(value) && PyArray_TYPE(matrices) == NPY_FLOAT64 && PyArray_NDIM(matrices) == 3 &&
             PyArray_DIM(matrices, 1) <= 3 && PyArray_DIM(matrices, 1) == PyArray_DIM(matrices, 2)) {
    const int32_t dimension = (int32_t)PyArray_DIM(matrices, 1);
    const int64_t order = PyArray_DIM(matrices, 0);
    const double *numbers = PyArray_DATA(matrices);
    Py_BEGIN_ALLOW_THREADS status = equiconv_group_create_from_matrices(dimension, order, numbers, &handle);
    Py_END_ALLOW_THREADS
  } else {
    native_refuse("Group");
    return NULL;
  }
  if (handle == NULL) {
    native_raise(status);
  }
  return handle;
}

/* Group(text or matrices) */
static PyObject *group_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  if (PyTuple_Size(args) != 1 || (keywords != NULL && PyDict_Size(keywords) > 0)) {
    return native_refuse("Group");
  }
  equiconv_group *handle = create(PyTuple_GetItem(args, 0));
  if (handle == NULL) {
    return NULL;
  }
  native_group *self = (native_group *)native_allocate(type);
  if (self == NULL) {
    equiconv_group_destroy(handle);
    return NULL;
  }
  self->handle = handle;
  self->order = equiconv_group_order(handle);
  self->dimension = equiconv_group_dimension(handle);
  return (PyObject *)self;
}

static void group_dealloc(PyObject *self) {
  equiconv_group_destroy(((native_group *)self)->handle);
  native_free(self);
}

static PyObject *get_order(PyObject *self, void *Py_UNUSED(unused)) {
  return PyLong_FromLongLong(((native_group *)self)->order);
}

static PyObject *get_dimension(PyObject *self, void *Py_UNUSED(unused)) {
  return PyLong_FromLong(((native_group *)self)->dimension);
}

static PyObject *get_is_lattice(PyObject *self, void *Py_UNUSED(unused)) {
  return PyBool_FromLong(equiconv_group_is_lattice(((native_group *)self)->handle));
}

static PyObject *get_is_closed(PyObject *self, void *Py_UNUSED(unused)) {
  return PyBool_FromLong(equiconv_group_is_closed(((native_group *)self)->handle));
}

static PyObject *get_name(PyObject *self, void *Py_UNUSED(unused)) {
  return PyUnicode_FromString(equiconv_group_name(((native_group *)self)->handle));
}

/* TABLE(name, type, shape...): get_name(), a new array of this shape that equiconv_group_get_name fills. */
#define TABLE(name, type, ...)                                                                                   \
  static PyObject *get_##name(PyObject *self, PyObject *Py_UNUSED(unused)) {                                     \
    const native_group *group = (native_group *)self;                                                            \
    npy_intp shape[] = {__VA_ARGS__};                                                                            \
    PyObject *array = PyArray_SimpleNew(sizeof shape / sizeof *shape, shape, type);                              \
    if (array == NULL) {                                                                                         \
      return NULL;                                                                                               \
    }                                                                                                            \
    return native_finish(array, equiconv_group_get_##name(group->handle, PyArray_DATA((PyArrayObject *)array))); \
  }

TABLE(matrices, NPY_FLOAT64, group->order, group->dimension, group->dimension)
TABLE(cayley, NPY_INT32, group->order, group->order)
TABLE(inverses, NPY_INT32, group->order)
TABLE(determinants, NPY_FLOAT64, group->order)
TABLE(quadrature_weights, NPY_FLOAT64, group->order)
TABLE(moved_axes, NPY_INT32, group->dimension)

/* get_axis_actions() -> (axes, signs), each of shape (order, d) */
static PyObject *get_axis_actions(PyObject *self, PyObject *Py_UNUSED(unused)) {
  const native_group *group = (native_group *)self;
  npy_intp shape[2] = {group->order, group->dimension};
  PyObject *axes = PyArray_SimpleNew(2, shape, NPY_INT32), *signs = PyArray_SimpleNew(2, shape, NPY_INT32);
  PyObject *both = axes == NULL || signs == NULL ? NULL : PyTuple_Pack(2, axes, signs);
  Py_XDECREF(axes);
  Py_XDECREF(signs);
  if (both == NULL) {
    return NULL;
  }
  return native_finish(both, equiconv_group_get_axis_actions(group->handle, PyArray_DATA((PyArrayObject *)axes),
                                                             PyArray_DATA((PyArrayObject *)signs)));
}

/* array_matrix(matrix: plain float64 array (d, d)) -> (d, d) */
PyObject *native_array_matrix(PyObject *Py_UNUSED(module), PyObject *value) {
  PyArrayObject *matrix = (PyArrayObject *)value;
  if (!native_is_plain(value) || PyArray_TYPE(matrix) != NPY_FLOAT64 || PyArray_NDIM(matrix) != 2 ||
      PyArray_DIM(matrix, 0) > 3 || PyArray_DIM(matrix, 0) != PyArray_DIM(matrix, 1)) {
    return native_refuse("array_matrix");
  }
  PyObject *result = PyArray_SimpleNew(2, PyArray_DIMS(matrix), NPY_FLOAT64);
  if (result == NULL) {
    return NULL;
  }
  return native_finish(result, equiconv_array_matrix((int32_t)PyArray_DIM(matrix, 0), PyArray_DATA(matrix),
                                                     PyArray_DATA((PyArrayObject *)result)));
}

NATIVE_TEXT_GETTER(get_text, native_group, equiconv_group_serialize)

static PyGetSetDef getters[] = {
    {"text", get_text, NULL, NULL, NULL},
    {"order", get_order, NULL, NULL, NULL},
    {"dimension", get_dimension, NULL, NULL, NULL},
    {"is_lattice", get_is_lattice, NULL, NULL, NULL},
    {"is_closed", get_is_closed, NULL, NULL, NULL},
    {"name", get_name, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef methods[] = {
    {"get_matrices", get_matrices, METH_NOARGS, "get_matrices($self)\n--\n\n"},
    {"get_cayley", get_cayley, METH_NOARGS, "get_cayley($self)\n--\n\n"},
    {"get_inverses", get_inverses, METH_NOARGS, "get_inverses($self)\n--\n\n"},
    {"get_determinants", get_determinants, METH_NOARGS, "get_determinants($self)\n--\n\n"},
    {"get_quadrature_weights", get_quadrature_weights, METH_NOARGS, "get_quadrature_weights($self)\n--\n\n"},
    {"get_axis_actions", get_axis_actions, METH_NOARGS, "get_axis_actions($self)\n--\n\n"},
    {"get_moved_axes", get_moved_axes, METH_NOARGS, "get_moved_axes($self)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

NATIVE_TYPE(group, "Group", Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, {Py_tp_getset, getters},
            {Py_tp_methods, methods});
