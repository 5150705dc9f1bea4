/* SPDX-License-Identifier: Apache-2.0 */
/* The filter bank of the equal ordinary convolution. */
#include "native.h"

/* The descriptor of the smallest call that has this bank: a signal as large as the kernel. */
static bool read_expansion(PyObject *module, PyObject *const *args, equiconv_descriptor *descriptor) {
  native_group *group = native_as_group(module, args[2]);
  native_shape weight;
  int64_t layer;
  if (group == NULL || !native_read_array(args[1], &weight) ||
      !native_read_int(args[0], INT32_MIN, INT32_MAX, &layer)) {
    return false;
  }
  native_spaces spaces;
  native_kernel kernel = {args[3], args[4], args[5], args[6], Py_None};
  descriptor->layer = (int32_t)layer;
  descriptor->group = group->handle;
  descriptor->dtype = native_dtype((PyArrayObject *)args[1]);
  descriptor->dimension = group->dimension;
  if (!native_read_kernel(module, &kernel, group, descriptor, &spaces) ||
      !native_read_weight(&weight, &spaces, descriptor)) {
    return false;
  }
  for (int32_t axis = 0; axis < group->dimension; axis++) {
    descriptor->spatial[axis] = descriptor->kernel[axis];
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
  native_run run;
  equiconv_call *const call = native_begin_run(&run);
  status = equiconv_plan_expand_with_call(plan, PyArray_DATA(weight), PyArray_DATA((PyArrayObject *)bank), call);
  native_end_run(&run);
  if (status != EQUICONV_SUCCESS) {
    Py_DECREF(bank);
    return native_raise(status);
  }
  return bank;
}

/* expand(layer, weight, group, basis, interpolation, group_basis, quadrature): the bank, (O |Y|, C |X|, kernel...). */
PyObject *native_expand(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  equiconv_descriptor descriptor = EQUICONV_DESCRIPTOR_INIT;
  if (count != 7 || !read_expansion(module, args, &descriptor)) {
    return native_refuse("expand");
  }
  equiconv_plan *plan = NULL;
  native_run run;
  const equiconv_status status = equiconv_plan_create_with_call(&descriptor, &plan, native_begin_run(&run));
  native_end_run(&run);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  PyObject *bank = expand_with(plan, (PyArrayObject *)args[1]);
  equiconv_plan_destroy(plan);
  return bank;
}
