/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling over H and the action. Python allocates the results; here their sizes are only made sure of. */
#include "_native.h"

/* (outer, order, inner) of a group signal (batch, channels, |H|, spatial...). */
typedef struct {
  int64_t outer, order, inner;
} fibered;

static bool read_fibered(PyArrayObject *signal, fibered *result) {
  int rank = PyArray_NDIM(signal);
  if (rank < 4 || rank > EQUICONV_MAX_RANK) {
    return false;
  }
  const npy_intp *shape = PyArray_DIMS(signal);
  *result = (fibered){shape[0] * shape[1], shape[2], 1};
  for (int axis = 3; axis < rank; axis++) {
    result->inner *= shape[axis];
  }
  return true;
}

static bool is_pooled(PyObject *value, PyArrayObject *signal, fibered sizes) {
  PyArrayObject *array = (PyArrayObject *)value;
  return native_is_plain(value) && PyArray_TYPE(array) == PyArray_TYPE(signal) &&
         PyArray_SIZE(array) == sizes.outer * sizes.inner;
}

/* pool(mode, x, out) */
PyObject *native_pool(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
  fibered sizes;
  if (count != 3 || !PyLong_CheckExact(args[0]) || !native_is_plain(args[1]) || !native_is_plain_output(args[2]) ||
      !read_fibered((PyArrayObject *)args[1], &sizes) || !is_pooled(args[2], (PyArrayObject *)args[1], sizes)) {
    return native_refuse("pool");
  }
  PyArrayObject *x = (PyArrayObject *)args[1], *out = (PyArrayObject *)args[2];
  int32_t mode = (int32_t)PyLong_AsLong(args[0]);
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS
  status = equiconv_group_pool(native_dtype(x), mode, sizes.outer, sizes.order, sizes.inner, PyArray_DATA(x),
                               PyArray_DATA(out));
  Py_END_ALLOW_THREADS
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  Py_RETURN_NONE;
}

/* pool_vjp(mode, grad_out, x, grad_x) */
PyObject *native_pool_vjp(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
  fibered sizes;
  if (count != 4 || !PyLong_CheckExact(args[0]) || !native_is_plain(args[2]) || !native_is_plain_output(args[3]) ||
      !read_fibered((PyArrayObject *)args[2], &sizes) || !is_pooled(args[1], (PyArrayObject *)args[2], sizes) ||
      PyArray_TYPE((PyArrayObject *)args[3]) != PyArray_TYPE((PyArrayObject *)args[2]) ||
      !PyArray_SAMESHAPE((PyArrayObject *)args[2], (PyArrayObject *)args[3])) {
    return native_refuse("pool_vjp");
  }
  PyArrayObject *grad_out = (PyArrayObject *)args[1], *x = (PyArrayObject *)args[2];
  PyArrayObject *grad_x = (PyArrayObject *)args[3];
  int32_t mode = (int32_t)PyLong_AsLong(args[0]);
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS
  status = equiconv_group_pool_vjp(native_dtype(x), mode, sizes.outer, sizes.order, sizes.inner,
                                   PyArray_DATA(grad_out), PyArray_DATA(x), PyArray_DATA(grad_x));
  Py_END_ALLOW_THREADS
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  Py_RETURN_NONE;
}

/* act(group, element, signal, x, out) */
PyObject *native_act(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  if (count != 5 || native_as_group(module, args[0]) == NULL || !PyLong_CheckExact(args[1]) ||
      !PyLong_CheckExact(args[2]) || !native_is_plain(args[3]) || !native_is_plain_output(args[4])) {
    return native_refuse("act");
  }
  native_group *group = native_as_group(module, args[0]);
  PyArrayObject *x = (PyArrayObject *)args[3], *out = (PyArrayObject *)args[4];
  int64_t element = PyLong_AsLongLong(args[1]);
  int32_t signal = (int32_t)PyLong_AsLong(args[2]);
  int fiber = signal == EQUICONV_SIGNAL_GROUP ? 1 : 0;
  if (PyErr_Occurred() || PyArray_NDIM(x) != 2 + fiber + group->dimension ||
      (fiber && PyArray_DIM(x, 2) != group->order) || PyArray_TYPE(x) != PyArray_TYPE(out) ||
      PyArray_SIZE(x) != PyArray_SIZE(out)) {
    PyErr_Clear();
    return native_refuse("act");
  }
  int64_t spatial[3] = {1, 1, 1};
  for (int32_t axis = 0; axis < group->dimension; axis++) {
    spatial[axis] = PyArray_DIM(x, 2 + fiber + axis);
  }
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS
  status = equiconv_act(group->handle, element, native_dtype(x), signal, PyArray_DIM(x, 0), PyArray_DIM(x, 1), spatial,
                        PyArray_DATA(x), PyArray_DATA(out));
  Py_END_ALLOW_THREADS
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  Py_RETURN_NONE;
}
