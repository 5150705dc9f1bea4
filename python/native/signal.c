/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling over H and the action. Python allocates the results; here their sizes are only made sure of. */
#include "native.h"

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
  int64_t mode;
  if (count != 3 || !native_read_int(args[0], INT32_MIN, INT32_MAX, &mode) || !native_is_plain(args[1]) ||
      !native_is_plain_output(args[2]) || !read_fibered((PyArrayObject *)args[1], &sizes) ||
      !is_pooled(args[2], (PyArrayObject *)args[1], sizes)) {
    return native_refuse("pool");
  }
  PyArrayObject *x = (PyArrayObject *)args[1], *out = (PyArrayObject *)args[2];
  native_run run;
  equiconv_call *const call = native_begin_run(&run);
  const equiconv_status status =
      equiconv_group_pool_with_call(native_dtype(x), (equiconv_pool_mode)mode, sizes.outer, sizes.order, sizes.inner,
                                    PyArray_DATA(x), PyArray_DATA(out), call);
  native_end_run(&run);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  Py_RETURN_NONE;
}

/* pool_vjp(mode, grad_out, x, grad_x) */
PyObject *native_pool_vjp(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
  fibered sizes;
  int64_t mode;
  if (count != 4 || !native_read_int(args[0], INT32_MIN, INT32_MAX, &mode) || !native_is_plain(args[2]) ||
      !native_is_plain_output(args[3]) || !read_fibered((PyArrayObject *)args[2], &sizes) ||
      !is_pooled(args[1], (PyArrayObject *)args[2], sizes) ||
      PyArray_TYPE((PyArrayObject *)args[3]) != PyArray_TYPE((PyArrayObject *)args[2]) ||
      !PyArray_SAMESHAPE((PyArrayObject *)args[2], (PyArrayObject *)args[3])) {
    return native_refuse("pool_vjp");
  }
  PyArrayObject *grad_out = (PyArrayObject *)args[1], *x = (PyArrayObject *)args[2];
  PyArrayObject *grad_x = (PyArrayObject *)args[3];
  native_run run;
  equiconv_call *const call = native_begin_run(&run);
  const equiconv_status status = equiconv_group_pool_vjp_with_call(
      native_dtype(x), (equiconv_pool_mode)mode, sizes.outer, sizes.order, sizes.inner, PyArray_DATA(grad_out),
      PyArray_DATA(x), PyArray_DATA(grad_x), call);
  native_end_run(&run);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  Py_RETURN_NONE;
}

/* Where a signal lives: an equiconv_signal, or a stabilizer. */
typedef struct {
  equiconv_signal signal;
  const equiconv_subgroup *stabilizer;
  int64_t points; /* size of the fiber axis, 0 for none */
} signal_space;

static bool read_space(PyObject *module, PyObject *value, const native_group *group, signal_space *space) {
  *space = (signal_space){EQUICONV_SIGNAL_PLANE, NULL, 0};
  int64_t signal;
  if (native_read_int(value, INT32_MIN, INT32_MAX, &signal)) {
    space->signal = (equiconv_signal)signal;
    space->points = signal == EQUICONV_SIGNAL_GROUP ? group->order : 0;
    return true;
  }
  const native_subgroup *subgroup = native_as_subgroup(module, value);
  if (subgroup == NULL) {
    return false;
  }
  space->stabilizer = subgroup->handle;
  space->points = native_points(subgroup, group);
  return space->points >= 0;
}

/* act(group, element, space, x, out) */
PyObject *native_act(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  signal_space space;
  int64_t element;
  if (count != 5 || native_as_group(module, args[0]) == NULL ||
      !native_read_int(args[1], INT64_MIN, INT64_MAX, &element) ||
      !read_space(module, args[2], native_as_group(module, args[0]), &space) || !native_is_plain(args[3]) ||
      !native_is_plain_output(args[4])) {
    return native_refuse("act");
  }
  native_group *group = native_as_group(module, args[0]);
  PyArrayObject *x = (PyArrayObject *)args[3], *out = (PyArrayObject *)args[4];
  int fiber = space.points > 0 ? 1 : 0;
  if (PyArray_NDIM(x) != 2 + fiber + group->dimension || (fiber && PyArray_DIM(x, 2) != space.points) ||
      PyArray_TYPE(x) != PyArray_TYPE(out) || PyArray_SIZE(x) != PyArray_SIZE(out)) {
    return native_refuse("act");
  }
  int64_t spatial[3] = {1, 1, 1};
  for (int32_t axis = 0; axis < group->dimension; axis++) {
    spatial[axis] = PyArray_DIM(x, 2 + fiber + axis);
  }
  const int64_t batch = PyArray_DIM(x, 0), channels = PyArray_DIM(x, 1);
  equiconv_status status;
  native_run run;
  equiconv_call *const call = native_begin_run(&run);
  if (space.stabilizer == NULL) {
    status = equiconv_act_with_call(group->handle, element, native_dtype(x), space.signal, batch, channels, spatial,
                                    PyArray_DATA(x), PyArray_DATA(out), call);
  } else {
    status = equiconv_act_on_with_call(group->handle, element, native_dtype(x), space.stabilizer, batch, channels,
                                       spatial, PyArray_DATA(x), PyArray_DATA(out), call);
  }
  native_end_run(&run);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  Py_RETURN_NONE;
}
