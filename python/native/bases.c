/* SPDX-License-Identifier: Apache-2.0 */
/* equiconv._native.Basis and .GroupBasis: own handles of the engine; the base classes of KernelBasis and GroupBasis. */
#include "native.h"
#include "recipes.h"

#include <string.h>

native_basis *native_as_basis(PyObject *module, PyObject *value) {
  native_state *state = PyModule_GetState(module);
  return PyObject_TypeCheck(value, state->basis_type) ? (native_basis *)value : NULL;
}

native_group_basis *native_as_group_basis(PyObject *module, PyObject *value) {
  native_state *state = PyModule_GetState(module);
  return PyObject_TypeCheck(value, state->group_basis_type) ? (native_group_basis *)value : NULL;
}

bool native_is_list(PyObject *value, int type) {
  PyArrayObject *array = (PyArrayObject *)value;
  return PyArray_CheckExact(value) && PyArray_TYPE(array) == type && PyArray_NDIM(array) == 1 &&
         PyArray_ISCARRAY_RO(array);
}

/* ---- Kernels ---- */

/* What a basis is made of; each family reads what it needs. */
typedef struct {
  const char *kind;
  PyObject *extents, *reals, *integers;
  int integer;
  double real;
} basis_arguments;

static equiconv_status create_basis(const basis_arguments *arguments, equiconv_basis **handle) {
  PyArrayObject *extents = (PyArrayObject *)arguments->extents, *reals = (PyArrayObject *)arguments->reals;
  PyArrayObject *integers = (PyArrayObject *)arguments->integers;
  const basis_recipe recipe = {
      arguments->kind,        (int32_t)PyArray_DIM(extents, 0),
      PyArray_DATA(extents),  arguments->integer,
      arguments->real,        PyArray_DIM(reals, 0),
      PyArray_DATA(reals),    PyArray_DIM(integers, 0),
      PyArray_DATA(integers),
  };
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS status = recipe_basis(&recipe, handle);
  Py_END_ALLOW_THREADS return status;
}

static bool are_plain(const basis_arguments *arguments) {
  return native_is_list(arguments->extents, NPY_INT64) && native_is_list(arguments->reals, NPY_FLOAT64) &&
         native_is_list(arguments->integers, NPY_INT32);
}

/* An int that C has and a float; false for anything else. */
static bool read_numbers(PyObject *integer, PyObject *real, int *whole, double *number) {
  int64_t value;
  if (!native_read_int(integer, INT32_MIN, INT32_MAX, &value) || !PyFloat_Check(real)) {
    return false;
  }
  *whole = (int)value;
  *number = PyFloat_AS_DOUBLE(real);
  return true;
}

/* Basis(kind, extents, integer, real, reals, integers) */
static PyObject *basis_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  basis_arguments arguments;
  PyObject *kind, *integer, *real;
  if (!PyArg_ParseTuple(args, "OOOOOO:Basis", &kind, &arguments.extents, &integer, &real, &arguments.reals,
                        &arguments.integers)) {
    return NULL;
  }
  if ((keywords != NULL && PyDict_GET_SIZE(keywords) > 0) || !are_plain(&arguments) ||
      !read_numbers(integer, real, &arguments.integer, &arguments.real) ||
      (arguments.kind = native_read_text(kind)) == NULL) {
    return native_refuse("Basis");
  }
  equiconv_basis *handle = NULL;
  equiconv_status status = create_basis(&arguments, &handle);
  if (status == RECIPE_UNKNOWN) {
    return native_refuse("Basis");
  }
  if (handle == NULL) {
    return native_raise(status);
  }
  native_basis *self = (native_basis *)type->tp_alloc(type, 0);
  if (self == NULL) {
    equiconv_basis_destroy(handle);
    return NULL;
  }
  self->handle = handle;
  self->count = equiconv_basis_count(handle);
  self->dimension = equiconv_basis_dimension(handle);
  self->is_pixel = strcmp(arguments.kind, "pixel") == 0;
  /* Cannot fail: neither pointer is NULL. */
  (void)equiconv_basis_get_extents(handle, self->extents);
  return (PyObject *)self;
}

static void basis_dealloc(PyObject *self) {
  equiconv_basis_destroy(((native_basis *)self)->handle);
  native_free(self);
}

static PyObject *basis_count(PyObject *self, void *Py_UNUSED(unused)) {
  return PyLong_FromLongLong(((native_basis *)self)->count);
}

static PyObject *basis_dimension(PyObject *self, void *Py_UNUSED(unused)) {
  return PyLong_FromLong(((native_basis *)self)->dimension);
}

static PyObject *basis_extents(PyObject *self, void *Py_UNUSED(unused)) {
  const native_basis *basis = (native_basis *)self;
  PyObject *extents = PyTuple_New(basis->dimension);
  for (int32_t axis = 0; extents != NULL && axis < basis->dimension; axis++) {
    PyObject *extent = PyLong_FromLongLong(basis->extents[axis]);
    if (extent == NULL) {
      Py_CLEAR(extents);
    } else {
      PyTuple_SET_ITEM(extents, axis, extent);
    }
  }
  return extents;
}

/* sample_points(points: plain float64 array (P, d)) -> (P, J) */
static PyObject *basis_sample_points(PyObject *self, PyObject *value) {
  const native_basis *basis = (native_basis *)self;
  PyArrayObject *points = (PyArrayObject *)value;
  if (!native_is_plain(value) || PyArray_TYPE(points) != NPY_FLOAT64 || PyArray_NDIM(points) != 2 ||
      PyArray_DIM(points, 1) != basis->dimension) {
    return native_refuse("Basis.sample_points");
  }
  npy_intp shape[2] = {PyArray_DIM(points, 0), basis->count};
  PyObject *values = PyArray_SimpleNew(2, shape, NPY_FLOAT64);
  if (values == NULL) {
    return NULL;
  }
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS status =
      equiconv_basis_sample(basis->handle, shape[0], PyArray_DATA(points), PyArray_DATA((PyArrayObject *)values));
  Py_END_ALLOW_THREADS return native_finish(values, status);
}

static PyGetSetDef basis_getters[] = {
    {"count", basis_count, NULL, NULL, NULL},
    {"dimension", basis_dimension, NULL, NULL, NULL},
    {"extents", basis_extents, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef basis_methods[] = {
    {"sample_points", basis_sample_points, METH_O, "sample_points($self, points, /)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

NATIVE_TYPE(basis, "Basis", Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, {Py_tp_getset, basis_getters},
            {Py_tp_methods, basis_methods});

/* ---- Functions on H ---- */

/* A handle, or NULL with an exception. */
static equiconv_group_basis *create_group_basis(PyObject *list, int degree, double scale) {
  equiconv_group_basis *handle = NULL;
  equiconv_status status;
  const int64_t count = PyArray_DIM((PyArrayObject *)list, 0);
  if (PyArray_TYPE((PyArrayObject *)list) == NPY_INT32) {
    status = equiconv_group_basis_create_localized(count, PyArray_DATA((PyArrayObject *)list), &handle);
  } else {
    status = equiconv_group_basis_create_bspline(degree, count, PyArray_DATA((PyArrayObject *)list), scale, &handle);
  }
  if (handle == NULL) {
    native_raise(status);
  }
  return handle;
}

/* GroupBasis(elements) with int32 elements, or GroupBasis(centers, degree, scale) with float64 centers */
static PyObject *group_basis_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  PyObject *list, *integer = NULL, *real = NULL;
  int degree = 0;
  double scale = 0;
  if (!PyArg_ParseTuple(args, "O|OO:GroupBasis", &list, &integer, &real)) {
    return NULL;
  }
  if ((integer == NULL) != (real == NULL) || (real != NULL && !read_numbers(integer, real, &degree, &scale)) ||
      (keywords != NULL && PyDict_GET_SIZE(keywords) > 0) ||
      !(native_is_list(list, NPY_INT32) || native_is_list(list, NPY_FLOAT64))) {
    return native_refuse("GroupBasis");
  }
  equiconv_group_basis *handle = create_group_basis(list, degree, scale);
  if (handle == NULL) {
    return NULL;
  }
  native_group_basis *self = (native_group_basis *)type->tp_alloc(type, 0);
  if (self == NULL) {
    equiconv_group_basis_destroy(handle);
    return NULL;
  }
  self->handle = handle;
  self->count = equiconv_group_basis_count(handle);
  return (PyObject *)self;
}

static void group_basis_dealloc(PyObject *self) {
  equiconv_group_basis_destroy(((native_group_basis *)self)->handle);
  native_free(self);
}

static PyObject *group_basis_count(PyObject *self, void *Py_UNUSED(unused)) {
  return PyLong_FromLongLong(((native_group_basis *)self)->count);
}

PyObject *native_group_basis_matrix(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  native_group_basis *basis = count == 2 ? native_as_group_basis(module, args[0]) : NULL;
  native_group *group = count == 2 ? native_as_group(module, args[1]) : NULL;
  if (basis == NULL || group == NULL) {
    return native_refuse("group_basis_matrix");
  }
  npy_intp shape[2] = {group->order, basis->count};
  PyObject *matrix = PyArray_SimpleNew(2, shape, NPY_FLOAT64);
  if (matrix == NULL) {
    return NULL;
  }
  equiconv_status status =
      equiconv_group_basis_get_matrix(basis->handle, group->handle, PyArray_DATA((PyArrayObject *)matrix));
  return native_finish(matrix, status);
}

static PyGetSetDef group_basis_getters[] = {
    {"count", group_basis_count, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

NATIVE_TYPE(group_basis, "GroupBasis", Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, {Py_tp_getset, group_basis_getters});
