/* SPDX-License-Identifier: Apache-2.0 */
/* equiconv._native.Group: owns a handle of the engine; the base class of equiconv.PointGroup. */
#include "native.h"
#include "recipes.h"

#include <string.h>

/* The order x d x d matrices in `value`, or NULL with TypeError. */
static PyArrayObject *as_matrices(PyObject *value) {
  if (native_is_plain(value)) {
    PyArrayObject *array = (PyArrayObject *)value;
    if (PyArray_TYPE(array) == NPY_FLOAT64 && PyArray_NDIM(array) == 3 && PyArray_DIM(array, 1) <= 3 &&
        PyArray_DIM(array, 1) == PyArray_DIM(array, 2)) {
      return array;
    }
  }
  native_refuse("Group");
  return NULL;
}

/* Without the GIL. */
static equiconv_status create_handle(const char *kind, int64_t n, int64_t count, const double *numbers,
                                     equiconv_group **handle) {
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS status = recipe_group(kind, n, count, numbers, handle);
  Py_END_ALLOW_THREADS return status;
}

/* A "scaling" of n axes or a "similarity" with n rotations; `factors` is a tuple of floats. */
static equiconv_status create_scaled(const char *kind, int n, PyObject *factors, equiconv_group **handle) {
  const Py_ssize_t count = PyTuple_GET_SIZE(factors);
  /* One more, because an allocation of nothing may give NULL. */
  double *values = PyMem_New(double, count + 1);
  if (values == NULL) {
    return EQUICONV_ERROR_OUT_OF_MEMORY;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    values[i] = PyFloat_AsDouble(PyTuple_GET_ITEM(factors, i));
  }
  equiconv_status status = create_handle(kind, n, count, values, handle);
  PyMem_Free(values);
  return status;
}

/* Whether `argument` is (int, tuple of floats), which go to `n` and `factors`. */
static int as_scaled(PyObject *argument, int *n, PyObject **factors) {
  if (!PyTuple_Check(argument) || PyTuple_GET_SIZE(argument) != 2 || !PyTuple_Check(PyTuple_GET_ITEM(argument, 1))) {
    return 0;
  }
  int64_t value;
  if (!native_read_int(PyTuple_GET_ITEM(argument, 0), 0, INT32_MAX, &value)) {
    return 0;
  }
  *n = (int)value;
  *factors = PyTuple_GET_ITEM(argument, 1);
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(*factors); i++) {
    if (!PyFloat_Check(PyTuple_GET_ITEM(*factors, i))) {
      return 0;
    }
  }
  return 1;
}

/*
 * A handle of the group, or NULL with an exception. `argument` is n, the matrices, (n, factors), or anything where none
 * is needed.
 */
static equiconv_group *create(const char *kind, PyObject *argument) {
  equiconv_group *handle = NULL;
  equiconv_status status;
  if (strcmp(kind, "matrices") == 0) {
    PyArrayObject *matrices = as_matrices(argument);
    if (matrices == NULL) {
      return NULL;
    }
    status = create_handle(kind, PyArray_DIM(matrices, 1), PyArray_SIZE(matrices), PyArray_DATA(matrices), &handle);
  } else if (strcmp(kind, "scaling") == 0 || strcmp(kind, "similarity") == 0) {
    int n;
    PyObject *factors;
    if (!as_scaled(argument, &n, &factors)) {
      native_refuse("Group");
      return NULL;
    }
    status = create_scaled(kind, n, factors, &handle);
  } else {
    int64_t n = 0;
    if (PyLong_Check(argument) && !native_read_int(argument, 0, INT32_MAX, &n)) {
      native_refuse("Group");
      return NULL;
    }
    status = create_handle(kind, n, 0, NULL, &handle);
  }
  if (status == RECIPE_UNKNOWN) {
    native_refuse("Group");
    return NULL;
  }
  if (status != EQUICONV_SUCCESS) {
    native_raise(status);
    return NULL;
  }
  return handle;
}

/* Group(kind, argument) */
static PyObject *group_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  PyObject *name, *argument;
  if (!PyArg_ParseTuple(args, "OO:Group", &name, &argument)) {
    return NULL;
  }
  const char *kind = native_read_text(name);
  if (kind == NULL || (keywords != NULL && PyDict_GET_SIZE(keywords) > 0)) {
    return native_refuse("Group");
  }
  equiconv_group *handle = create(kind, argument);
  if (handle == NULL) {
    return NULL;
  }
  native_group *self = (native_group *)type->tp_alloc(type, 0);
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

static PyGetSetDef getters[] = {
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
