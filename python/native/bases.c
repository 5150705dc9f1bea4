/* SPDX-License-Identifier: Apache-2.0 */
/* equiconv._native.Basis and .GroupBasis: own handles of the engine; the base classes of KernelBasis and GroupBasis. */
#include "native.h"

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

/* Basis(text) */
static PyObject *basis_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  const char *bytes = PyTuple_Size(args) == 1 ? native_read_text(PyTuple_GetItem(args, 0)) : NULL;
  if (bytes == NULL || (keywords != NULL && PyDict_Size(keywords) > 0)) {
    return native_refuse("Basis");
  }
  const size_t length = strlen(bytes);
  equiconv_basis *handle = NULL;
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS status = equiconv_basis_deserialize(bytes, length, &handle);
  Py_END_ALLOW_THREADS if (handle == NULL) { return native_raise(status); }
  native_basis *self = (native_basis *)native_allocate(type);
  if (self == NULL) {
    equiconv_basis_destroy(handle);
    return NULL;
  }
  self->handle = handle;
  self->count = equiconv_basis_count(handle);
  self->dimension = equiconv_basis_dimension(handle);
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
      PyTuple_SetItem(extents, axis, extent);
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

NATIVE_TEXT_GETTER(basis_text, native_basis, equiconv_basis_serialize)

static PyGetSetDef basis_getters[] = {
    {"text", basis_text, NULL, NULL, NULL},
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

/* GroupBasis(text) */
static PyObject *group_basis_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  const char *bytes = PyTuple_Size(args) == 1 ? native_read_text(PyTuple_GetItem(args, 0)) : NULL;
  if (bytes == NULL || (keywords != NULL && PyDict_Size(keywords) > 0)) {
    return native_refuse("GroupBasis");
  }
  const size_t length = strlen(bytes);
  equiconv_group_basis *handle = NULL;
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS status = equiconv_group_basis_deserialize(bytes, length, &handle);
  Py_END_ALLOW_THREADS if (handle == NULL) { return native_raise(status); }
  native_group_basis *self = (native_group_basis *)native_allocate(type);
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

NATIVE_TEXT_GETTER(group_basis_text, native_group_basis, equiconv_group_basis_serialize)

static PyGetSetDef group_basis_getters[] = {
    {"text", group_basis_text, NULL, NULL, NULL},
    {"count", group_basis_count, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

NATIVE_TYPE(group_basis, "GroupBasis", Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, {Py_tp_getset, group_basis_getters});
