/* SPDX-License-Identifier: Apache-2.0 */
/* equiconv._native.Subgroup: a subgroup K of a group H, the stabilizer of signals on H/K. */
#include "native.h"

native_subgroup *native_as_subgroup(PyObject *module, PyObject *value) {
  native_state *state = PyModule_GetState(module);
  return PyObject_TypeCheck(value, state->subgroup_type) ? (native_subgroup *)value : NULL;
}

int64_t native_points(const native_subgroup *stabilizer, const native_group *group) {
  if (stabilizer->group_order != group->order) {
    return -1;
  }
  return stabilizer->order == group->order ? 0 : group->order / stabilizer->order;
}

/* Subgroup(group, elements: plain int32 array of one axis) */
static PyObject *subgroup_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  PyObject *first, *list;
  if (!PyArg_ParseTuple(args, "OO:Subgroup", &first, &list)) {
    return NULL;
  }
  native_group *group = native_as_group(PyType_GetModule(type), first);
  if ((keywords != NULL && PyDict_Size(keywords) > 0) || group == NULL || !native_is_list(list, NPY_INT32)) {
    return native_refuse("Subgroup");
  }
  const int64_t count = PyArray_DIM((PyArrayObject *)list, 0);
  equiconv_subgroup *handle = NULL;
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS status =
      equiconv_subgroup_create(group->handle, count, PyArray_DATA((PyArrayObject *)list), &handle);
  Py_END_ALLOW_THREADS if (status != EQUICONV_SUCCESS) { return native_raise(status); }
  native_subgroup *self = (native_subgroup *)native_allocate(type);
  if (self == NULL) {
    equiconv_subgroup_destroy(handle);
    return NULL;
  }
  self->handle = handle;
  self->order = equiconv_subgroup_order(handle);
  self->group_order = group->order;
  return (PyObject *)self;
}

static void subgroup_dealloc(PyObject *self) {
  equiconv_subgroup_destroy(((native_subgroup *)self)->handle);
  native_free(self);
}

static Py_ssize_t subgroup_length(PyObject *self) { return (Py_ssize_t)((native_subgroup *)self)->order; }

/* A new int32 array of `count` numbers that `copy` fills. */
static PyObject *copied(const native_subgroup *self, npy_intp count,
                        equiconv_status (*copy)(const equiconv_subgroup *, int32_t *)) {
  PyObject *array = PyArray_SimpleNew(1, &count, NPY_INT32);
  if (array == NULL) {
    return NULL;
  }
  return native_finish(array, copy(self->handle, PyArray_DATA((PyArrayObject *)array)));
}

static PyObject *get_elements(PyObject *self, PyObject *Py_UNUSED(unused)) {
  const native_subgroup *subgroup = (native_subgroup *)self;
  return copied(subgroup, subgroup->order, equiconv_subgroup_get_elements);
}

static PyObject *get_left_cosets(PyObject *self, PyObject *Py_UNUSED(unused)) {
  const native_subgroup *subgroup = (native_subgroup *)self;
  return copied(subgroup, subgroup->group_order, equiconv_subgroup_get_left_cosets);
}

static PyMethodDef methods[] = {
    {"get_elements", get_elements, METH_NOARGS, "get_elements($self)\n--\n\n"},
    {"get_left_cosets", get_left_cosets, METH_NOARGS, "get_left_cosets($self)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

NATIVE_TYPE(subgroup, "Subgroup", Py_TPFLAGS_DEFAULT, {Py_tp_methods, methods},
            {Py_sq_length, (void *)subgroup_length});
