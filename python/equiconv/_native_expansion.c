/* SPDX-License-Identifier: Apache-2.0 */
/* The filter bank of the equal ordinary convolution. */
#include "_native.h"

/* The descriptor of the smallest call that has this bank: a signal as large as the kernel. */
static bool read_expansion(PyObject *module, PyObject *const *args, equiconv_descriptor *descriptor) {
  native_group *group = native_as_group(module, args[2]);
  if (group == NULL || !native_is_plain(args[1]) || !PyLong_CheckExact(args[0])) {
    return false;
  }
  PyArrayObject *weight = (PyArrayObject *)args[1];
  int overflow;
  descriptor->layer = (int32_t)PyLong_AsLongAndOverflow(args[0], &overflow);
  int fiber = descriptor->layer == EQUICONV_LAYER_GROUP || descriptor->layer == EQUICONV_LAYER_PROJECTION;
  if (overflow != 0 || PyArray_NDIM(weight) != 2 + fiber + group->dimension ||
      (fiber && PyArray_DIM(weight, 2) != group->order)) {
    return false;
  }
  descriptor->group = group->handle;
  descriptor->dtype = native_dtype(weight);
  descriptor->dimension = group->dimension;
  descriptor->out_channels = PyArray_DIM(weight, 0);
  descriptor->in_channels = PyArray_DIM(weight, 1);
  for (int32_t axis = 0; axis < group->dimension; axis++) {
    descriptor->spatial[axis] = descriptor->kernel[axis] = PyArray_DIM(weight, 2 + fiber + axis);
  }
  return true;
}

/* The bank of `weight`, or NULL with an exception. */
static PyObject *expand_with(const equiconv_plan *plan, PyArrayObject *weight) {
  int64_t shape[EQUICONV_MAX_RANK];
  int32_t rank = 0;
  equiconv_status status = equiconv_plan_get_bank_shape(plan, shape, &rank);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  npy_intp sizes[EQUICONV_MAX_RANK];
  for (int32_t axis = 0; axis < rank; axis++) {
    sizes[axis] = shape[axis];
  }
  PyObject *bank = PyArray_SimpleNew(rank, sizes, PyArray_TYPE(weight));
  if (bank == NULL) {
    return NULL;
  }
  Py_BEGIN_ALLOW_THREADS
  status = equiconv_plan_expand(plan, PyArray_DATA(weight), PyArray_DATA((PyArrayObject *)bank));
  Py_END_ALLOW_THREADS
  if (status != EQUICONV_SUCCESS) {
    Py_DECREF(bank);
    return native_raise(status);
  }
  return bank;
}

/* expand(layer, weight, group): the bank, (O |Y|, C |X|, kernel...). */
PyObject *native_expand(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  equiconv_descriptor descriptor = EQUICONV_DESCRIPTOR_INIT;
  if (count != 3 || !read_expansion(module, args, &descriptor)) {
    return native_refuse("expand");
  }
  equiconv_plan *plan = NULL;
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS
  status = equiconv_plan_create(&descriptor, &plan);
  Py_END_ALLOW_THREADS
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  PyObject *bank = expand_with(plan, (PyArrayObject *)args[1]);
  equiconv_plan_destroy(plan);
  return bank;
}
