/* SPDX-License-Identifier: Apache-2.0 */
/* Which algorithm a call uses, and what it costs. */
#include "native.h"

/*
 * explain(layer, run, prepared, x, weight, is_double): (algorithm, tile, operations, definition_operations,
 * workspace_bytes, weight_bytes, threads, seconds, is_exact, reason); x and weight are shapes
 */
PyObject *native_explain(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  const native_layer *layer = count == 6 ? native_as_layer(module, args[0]) : NULL;
  int64_t pass;
  equiconv_shape input, weight;
  if (layer == NULL || !native_read_int(args[1], INT32_MIN, INT32_MAX, &pass) || !PyBool_Check(args[2]) ||
      !native_read_shape(args[3], &input) || !native_read_shape(args[4], &weight) || !PyBool_Check(args[5])) {
    return native_refuse("explain");
  }
  const equiconv_dtype dtype = args[5] == Py_True ? EQUICONV_FLOAT64 : EQUICONV_FLOAT32;
  equiconv_explanation e = EQUICONV_EXPLANATION_INIT;
  e.prepared = args[2] == Py_True;
  native_run run;
  equiconv_call *const call = native_begin_run(&run);
  const equiconv_status status =
      equiconv_layer_explain_with_call(layer->handle, dtype, (equiconv_pass)pass, &input, &weight, &e, call);
  native_end_run(&run);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  return Py_BuildValue("(iiddLLidNs)", (int)e.algorithm, (int)e.tile, e.operations, e.definition_operations,
                       (long long)e.workspace_bytes, (long long)e.weight_bytes, (int)e.threads, e.seconds,
                       PyBool_FromLong(e.is_exact), e.reason);
}
