/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources of equiconv._native share. The extension converts and calls; Python owns meaning and messages. */
#ifndef EQUICONV_NATIVE_H
#define EQUICONV_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL equiconv_native_array_api
#ifndef NATIVE_IMPORTS_ARRAY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include <stdbool.h>

#include "equiconv.h"

typedef struct {
  PyTypeObject *group_type;
} native_state;

/* An instance of Group. The handle is set once by __new__ and never NULL afterwards. */
typedef struct {
  PyObject_HEAD
  equiconv_group *handle;
  int64_t order;
  int32_t dimension;
} native_group;

extern PyType_Spec native_group_spec;

/* Raises what a failed call on this thread came to; returns NULL. */
PyObject *native_raise(equiconv_status status);

/* The group in `value`, or NULL without an exception if it is no Group. */
native_group *native_as_group(PyObject *module, PyObject *value);

/* Whether `value` is an ndarray of float32 or float64 that the engine reads as it is: C-contiguous, aligned, native. */
bool native_is_plain(PyObject *value);
/* The same, and it may be written. */
bool native_is_plain_output(PyObject *value);
/* equiconv_dtype of a plain array. */
int32_t native_dtype(PyArrayObject *array);

/* Raises TypeError for arguments that `function` of this module cannot take; returns NULL. */
PyObject *native_refuse(const char *function);

PyObject *native_forward(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_vjp(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_expand(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_pool(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_pool_vjp(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_act(PyObject *module, PyObject *const *args, Py_ssize_t count);

#endif /* EQUICONV_NATIVE_H */
