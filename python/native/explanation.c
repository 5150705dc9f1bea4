/* SPDX-License-Identifier: Apache-2.0 */
/* Which algorithm a call takes, and what it costs. */
#include "native.h"

/* A tuple of ints as a shape; `sizes` holds them. */
static bool read_tuple(PyObject *value, PyObject *is_double, npy_intp *sizes, native_shape *shape) {
  if (!PyTuple_CheckExact(value) || PyTuple_GET_SIZE(value) > EQUICONV_MAX_RANK || !PyBool_Check(is_double)) {
    return false;
  }
  *shape = (native_shape){is_double == Py_True ? NPY_FLOAT64 : NPY_FLOAT32, (int)PyTuple_GET_SIZE(value), sizes};
  for (int axis = 0; axis < shape->rank; axis++) {
    int64_t size;
    if (!native_read_int(PyTuple_GET_ITEM(value, axis), 0, NPY_MAX_INTP, &size)) {
      return false;
    }
    sizes[axis] = (npy_intp)size;
  }
  return true;
}

static equiconv_status explain(const native_call *call, equiconv_pass pass, equiconv_explanation *explanation,
                               equiconv_call *run) {
  equiconv_plan *plan = NULL;
  equiconv_status status = equiconv_plan_create_with_call(&call->descriptor, &plan, run);
  if (status == EQUICONV_SUCCESS) {
    status = equiconv_plan_explain_with_call(plan, pass, call->batch, explanation, run);
  }
  equiconv_plan_destroy(plan);
  return status;
}

native_outcome native_read_shapes_call(PyObject *module, PyObject *layer, PyObject *const *args, native_call *call) {
  npy_intp input[EQUICONV_MAX_RANK], weight[EQUICONV_MAX_RANK];
  native_kernel kernel = {args[9], args[10], args[11], args[12], args[13]};
  native_arguments arguments = {{0}, {0}, layer, args[3], args[4], args[5], args[6], args[7], args[8], kernel};
  if (!read_tuple(args[0], args[2], input, &arguments.input) ||
      !read_tuple(args[1], args[2], weight, &arguments.weight)) {
    return NATIVE_NOT_PLAIN;
  }
  return native_read_call(module, &arguments, call);
}

/*
 * explain(layer, run, prepared, x, weight, is_double, group, stride, padding, dilation, padding_mode, algorithm, basis,
 * interpolation, group_basis, quadrature, spaces): (algorithm, tile, operations, definition_operations,
 * workspace_bytes, weight_bytes, threads, seconds, reason); x and weight are shapes
 */
PyObject *native_explain(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  int64_t pass;
  if (count != 17 || !native_read_int(args[1], INT32_MIN, INT32_MAX, &pass) || !PyBool_Check(args[2])) {
    return native_refuse("explain");
  }
  native_call call;
  const native_outcome reason = native_read_shapes_call(module, args[0], args + 3, &call);
  if (reason != NATIVE_PLAIN) {
    return native_decline(reason, true, "explain", &call);
  }
  equiconv_explanation e = EQUICONV_EXPLANATION_INIT;
  e.prepared = args[2] == Py_True;
  native_run run;
  const equiconv_status status = explain(&call, (equiconv_pass)pass, &e, native_begin_run(&run));
  native_end_run(&run);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  return Py_BuildValue("(iiddLLids)", (int)e.algorithm, (int)e.tile, e.operations, e.definition_operations,
                       (long long)e.workspace_bytes, (long long)e.weight_bytes, (int)e.threads, e.seconds, e.reason);
}
