/* SPDX-License-Identifier: Apache-2.0 */
/* Layers as texts: docs/LayerFormat.md. */
#include "native.h"

static PyObject *text_of(const equiconv_layer *layer) {
  size_t length = 0;
  equiconv_status status = equiconv_layer_serialize(layer, 0, NULL, &length);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  PyObject *text = PyUnicode_New((Py_ssize_t)length, 127);
  if (text == NULL) {
    return NULL;
  }
  status = equiconv_layer_serialize(layer, length + 1, (char *)PyUnicode_1BYTE_DATA(text), &length);
  if (status != EQUICONV_SUCCESS) {
    Py_DECREF(text);
    return native_raise(status);
  }
  return text;
}

/* layer_text(...), the arguments of explain but for the first two behind the layer: the text of the layer */
PyObject *native_layer_text(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  if (count != 15) {
    return native_refuse("layer_text");
  }
  native_call call;
  const native_outcome reason = native_read_shapes_call(module, args[0], args + 1, &call);
  if (reason != NATIVE_PLAIN) {
    return native_decline(reason, true, "layer_text", &call);
  }
  equiconv_layer *layer = NULL;
  const equiconv_status status = equiconv_layer_create(&call.descriptor, &layer);
  PyObject *text = status == EQUICONV_SUCCESS ? text_of(layer) : native_raise(status);
  equiconv_layer_destroy(layer);
  return text;
}
