/* SPDX-License-Identifier: Apache-2.0 */
/* equiconv._native.Network: owns a network of the engine; the base class of Network. */
#include "native.h"

#include <string.h>

native_network *native_as_network(PyObject *module, PyObject *value) {
  native_state *state = PyModule_GetState(module);
  return PyObject_TypeCheck(value, state->network_type) ? (native_network *)value : NULL;
}

/* ---- Making one ---- */

/* What a network is made from, read before the GIL is released; its pointers are into the arguments. */
typedef struct {
  PyObject *path; /* bytes in the system's encoding, which the caller gives back; or NULL */
  const char *bytes;
  Py_ssize_t length;
  equiconv_tensor *tensors; /* or NULL: then `bytes` is a file */
  Py_ssize_t count;
} source;

/* The path in exactly a str as new bytes in the system's encoding; NULL without an exception for anything else. */
static PyObject *read_path(PyObject *value) {
  PyObject *const path = PyUnicode_CheckExact(value) ? PyUnicode_EncodeFSDefault(value) : NULL;
  if (path != NULL && strlen(PyBytes_AsString(path)) == (size_t)PyBytes_Size(path)) {
    return path;
  }
  PyErr_Clear();
  Py_XDECREF(path);
  return NULL;
}

/* Whether `value` is (name, type, array), as a tensor of any dtype whose bytes are read as they are. */
static bool read_tensor(PyObject *value, equiconv_tensor *tensor) {
  if (!PyTuple_CheckExact(value) || PyTuple_Size(value) != 3) {
    return false;
  }
  *tensor = (equiconv_tensor){.name = native_read_text(PyTuple_GetItem(value, 0)),
                              .type = native_read_text(PyTuple_GetItem(value, 1))};
  PyObject *const item = PyTuple_GetItem(value, 2);
  if (tensor->name == NULL || tensor->type == NULL || !PyArray_Check(item)) {
    return false;
  }
  PyArrayObject *const array = (PyArrayObject *)item;
  if (!PyArray_IS_C_CONTIGUOUS(array) || PyArray_NDIM(array) > EQUICONV_MAX_TENSOR_RANK) {
    return false;
  }
  tensor->rank = PyArray_NDIM(array);
  for (int axis = 0; axis < tensor->rank; axis++) {
    tensor->shape[axis] = PyArray_DIM(array, axis);
  }
  tensor->data = PyArray_DATA(array);
  tensor->length = (size_t)PyArray_NBYTES(array);
  return true;
}

/* Reads a tuple of tensors, whose list the caller frees; false, perhaps with an exception, if it is none. */
static bool read_tensors(PyObject *value, source *from) {
  if (!PyTuple_CheckExact(value)) {
    return false;
  }
  from->count = PyTuple_Size(value);
  from->tensors = PyMem_Calloc(from->count > 0 ? (size_t)from->count : 1, sizeof *from->tensors);
  if (from->tensors == NULL) {
    PyErr_NoMemory();
    return false;
  }
  for (Py_ssize_t i = 0; i < from->count; i++) {
    if (!read_tensor(PyTuple_GetItem(value, i), &from->tensors[i])) {
      return false;
    }
  }
  return true;
}

/* Reads what a network is made from: (path: str), (file: bytes) or (document: bytes, tensors: tuple). */
static bool read_source(PyObject *first, PyObject *second, source *from) {
  *from = (source){0};
  if (PyUnicode_CheckExact(first)) {
    from->path = read_path(first);
    return from->path != NULL && second == Py_None;
  }
  return PyBytes_CheckExact(first) && PyBytes_AsStringAndSize(first, (char **)&from->bytes, &from->length) == 0 &&
         (second == Py_None || read_tensors(second, from));
}

static equiconv_status open_source(const source *from, bool is_exact, equiconv_network **network, equiconv_call *call) {
  equiconv_network_options options = EQUICONV_NETWORK_OPTIONS_INIT;
  options.mode = is_exact ? EQUICONV_NETWORK_EXACT : EQUICONV_NETWORK_FAST;
  if (from->path != NULL) {
    return equiconv_network_open_with_call(PyBytes_AsString(from->path), &options, network, call);
  }
  if (from->tensors == NULL) {
    return equiconv_network_open_memory_with_call(from->bytes, (size_t)from->length, &options, network, call);
  }
  return equiconv_network_create_with_call(from->bytes, (size_t)from->length, from->tensors, from->count, &options,
                                           network, call);
}

/* A failure of the file system is an OSError; everything else as elsewhere. */
static PyObject *raise_of_network(equiconv_status status) {
  if (status == EQUICONV_ERROR_FILE_SYSTEM) {
    PyErr_SetString(PyExc_OSError, equiconv_last_error_message());
    return NULL;
  }
  return native_raise(status);
}

/* Network(source, tensors, is_exact) */
static PyObject *network_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  source from = {0};
  if (PyTuple_Size(args) != 3 || (keywords != NULL && PyDict_Size(keywords) > 0) ||
      !PyBool_Check(PyTuple_GetItem(args, 2)) ||
      !read_source(PyTuple_GetItem(args, 0), PyTuple_GetItem(args, 1), &from)) {
    Py_XDECREF(from.path);
    PyMem_Free(from.tensors);
    return PyErr_Occurred() ? NULL : native_refuse("Network");
  }
  const bool is_exact = PyTuple_GetItem(args, 2) == Py_True;
  equiconv_network *handle = NULL;
  equiconv_dtype dtype = EQUICONV_FLOAT32;
  native_run run;
  equiconv_call *const call = native_begin_run(&run);
  equiconv_status status = open_source(&from, is_exact, &handle, call);
  if (status == EQUICONV_SUCCESS) {
    status = equiconv_network_get_dtype(handle, &dtype);
  }
  native_end_run(&run);
  Py_XDECREF(from.path);
  PyMem_Free(from.tensors);
  native_network *self = status == EQUICONV_SUCCESS ? (native_network *)native_allocate(type) : NULL;
  if (self == NULL) {
    equiconv_network_close(handle);
    return status == EQUICONV_SUCCESS ? NULL : raise_of_network(status);
  }
  self->handle = handle;
  self->type = dtype == EQUICONV_FLOAT32 ? NPY_FLOAT32 : NPY_FLOAT64;
  return (PyObject *)self;
}

static void network_dealloc(PyObject *self) {
  equiconv_network_close(((native_network *)self)->handle);
  native_free(self);
}

/* ---- Running ---- */

/* The shape of a plain array of the network's dtype. */
static bool read_input(const native_network *network, PyObject *value, equiconv_shape *shape) {
  native_shape read;
  if (!native_read_array(value, &read) || read.type != network->type || read.rank > EQUICONV_MAX_RANK) {
    return false;
  }
  *shape = (equiconv_shape){.rank = read.rank};
  for (int axis = 0; axis < read.rank; axis++) {
    shape->sizes[axis] = read.sizes[axis];
  }
  return true;
}

/* A tuple of arrays for all outputs of an input of this shape, whose numbers go to `places`; NULL with an exception. */
static PyObject *new_outputs(PyObject *handler, const native_network *network, const equiconv_shape *input,
                             void **places) {
  const int32_t count = equiconv_network_output_count(network->handle);
  PyObject *const outputs = PyTuple_New(count);
  for (int32_t i = 0; outputs != NULL && i < count; i++) {
    equiconv_shape shape;
    npy_intp sizes[EQUICONV_MAX_RANK];
    const equiconv_status status = equiconv_network_get_output_shape(network->handle, i, input, &shape);
    if (status != EQUICONV_SUCCESS) {
      Py_DECREF(outputs);
      return native_raise(status);
    }
    for (int axis = 0; axis < shape.rank; axis++) {
      sizes[axis] = (npy_intp)shape.sizes[axis];
    }
    PyObject *const array = native_new_result(handler, shape.rank, sizes, network->type);
    if (array == NULL) {
      Py_DECREF(outputs);
      return NULL;
    }
    places[i] = PyArray_DATA((PyArrayObject *)array);
    PyTuple_SetItem(outputs, i, array);
  }
  return outputs;
}

/* run_network(network, x) -> tuple of arrays */
PyObject *native_run_network(PyObject *module, PyObject *const *args, Py_ssize_t arguments) {
  enum { MOST_OUTPUTS = 16 };
  const native_state *const state = PyModule_GetState(module);
  const native_network *const network = arguments == 2 ? native_as_network(module, args[0]) : NULL;
  const int32_t count = network == NULL ? 0 : equiconv_network_output_count(network->handle);
  equiconv_shape shape;
  if (count == 0 || count > MOST_OUTPUTS || !read_input(network, args[1], &shape)) {
    return native_refuse("run_network");
  }
  PyObject *const x = args[1];
  void *places[MOST_OUTPUTS];
  PyObject *const outputs = new_outputs(state->result_handler, network, &shape, places);
  if (outputs == NULL) {
    return NULL;
  }
  const equiconv_dtype dtype = network->type == NPY_FLOAT32 ? EQUICONV_FLOAT32 : EQUICONV_FLOAT64;
  const void *const numbers = PyArray_DATA((PyArrayObject *)x);
  native_run run;
  equiconv_call *const call = native_begin_run(&run);
  const equiconv_status status =
      equiconv_network_run_with_call(network->handle, dtype, &shape, numbers, places, count, call);
  native_end_run(&run);
  return native_finish(outputs, status);
}

/* reserve(shape) */
static PyObject *network_reserve(PyObject *self, PyObject *value) {
  equiconv_shape shape;
  if (!native_read_shape(value, &shape)) {
    return native_refuse("Network.reserve");
  }
  native_run run;
  equiconv_call *const call = native_begin_run(&run);
  const equiconv_status status = equiconv_network_reserve_with_call(((native_network *)self)->handle, &shape, call);
  native_end_run(&run);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  Py_RETURN_NONE;
}

/* ---- What is in it ---- */

/* find_output_shape(index, shape) -> tuple */
static PyObject *find_output_shape(PyObject *self, PyObject *const *args, Py_ssize_t count) {
  int64_t index;
  equiconv_shape input, output;
  if (count != 2 || !native_read_int(args[0], 0, INT32_MAX, &index) || !native_read_shape(args[1], &input)) {
    return native_refuse("Network.find_output_shape");
  }
  const equiconv_status status =
      equiconv_network_get_output_shape(((native_network *)self)->handle, (int32_t)index, &input, &output);
  return status == EQUICONV_SUCCESS ? native_tuple_of(output.rank, output.sizes) : native_raise(status);
}

/* A text of the network. Explaining runs it, so it is asked once more only if there is not room enough. */
typedef equiconv_status (*writer)(const native_network *, const equiconv_shape *, size_t, char *, size_t *,
                                  equiconv_call *);

static PyObject *text_of(PyObject *self, writer write, const equiconv_shape *shape) {
  enum { FIRST = 1 << 20, SPARE = 4096 };
  const native_network *const network = (const native_network *)self;
  size_t length = 0;
  size_t capacity = FIRST;
  char *text = NULL;
  equiconv_status status = EQUICONV_ERROR_INVALID_SIZE;
  for (int turn = 0; turn < 2 && status == EQUICONV_ERROR_INVALID_SIZE; turn++) {
    native_run run;
    if (turn > 0) {
      /* Measured times have a fixed width; other keys may still become longer when settings change in between. */
      status = write(network, shape, 0, NULL, &length, native_begin_run(&run));
      native_end_run(&run);
      if (status != EQUICONV_SUCCESS) {
        break;
      }
      capacity = length + SPARE;
    }
    PyMem_Free(text);
    text = PyMem_Malloc(capacity);
    if (text == NULL) {
      return PyErr_NoMemory();
    }
    status = write(network, shape, capacity, text, &length, native_begin_run(&run));
    native_end_run(&run);
  }
  PyObject *const result =
      status == EQUICONV_SUCCESS ? PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, NULL) : native_raise(status);
  PyMem_Free(text);
  return result;
}

static equiconv_status write_document(const native_network *network, const equiconv_shape *Py_UNUSED(shape),
                                      size_t capacity, char *text, size_t *length, equiconv_call *call) {
  return equiconv_network_describe_with_call(network->handle, capacity, text, length, call);
}

static equiconv_status write_explanation(const native_network *network, const equiconv_shape *shape, size_t capacity,
                                         char *text, size_t *length, equiconv_call *call) {
  return equiconv_network_explain_with_call(network->handle, shape, capacity, text, length, call);
}

/* describe() -> str */
static PyObject *network_describe(PyObject *self, PyObject *Py_UNUSED(unused)) {
  return text_of(self, write_document, NULL);
}

/* explain(shape) -> str */
static PyObject *network_explain(PyObject *self, PyObject *value) {
  equiconv_shape shape;
  return native_read_shape(value, &shape) ? text_of(self, write_explanation, &shape) : native_refuse("Network.explain");
}

/* The tensor at a place: (name, type, shape, bytes), whose bytes are read in place. */
static PyObject *tensor_at(PyObject *self, int64_t index) {
  equiconv_tensor tensor;
  const equiconv_status status = equiconv_network_get_tensor(((native_network *)self)->handle, index, &tensor);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  npy_intp length = (npy_intp)tensor.length;
  static char nothing;
  void *const data = length == 0 ? &nothing : (void *)(uintptr_t)tensor.data;
  PyObject *const bytes = PyArray_New(&PyArray_Type, 1, &length, NPY_UINT8, NULL, data, 0, NPY_ARRAY_CARRAY_RO, NULL);
  if (bytes == NULL) {
    return NULL;
  }
  Py_INCREF(self);
  PyObject *const shape =
      PyArray_SetBaseObject((PyArrayObject *)bytes, self) < 0 ? NULL : native_tuple_of(tensor.rank, tensor.shape);
  if (shape == NULL) {
    Py_DECREF(bytes);
    return NULL;
  }
  return Py_BuildValue("(ssNN)", tensor.name, tensor.type, shape, bytes);
}

/* get_tensors() -> tuple of (name, type, shape, bytes) */
static PyObject *network_get_tensors(PyObject *self, PyObject *Py_UNUSED(unused)) {
  const Py_ssize_t count = (Py_ssize_t)equiconv_network_tensor_count(((native_network *)self)->handle);
  PyObject *const tensors = PyTuple_New(count);
  for (Py_ssize_t i = 0; tensors != NULL && i < count; i++) {
    PyObject *const item = tensor_at(self, i);
    if (item == NULL) {
      Py_DECREF(tensors);
      return NULL;
    }
    PyTuple_SetItem(tensors, i, item);
  }
  return tensors;
}

/* save(path) */
static PyObject *network_save(PyObject *self, PyObject *value) {
  PyObject *const path = read_path(value);
  if (path == NULL) {
    return native_refuse("Network.save");
  }
  native_run run;
  equiconv_call *const call = native_begin_run(&run);
  const equiconv_status status =
      equiconv_network_save_with_call(((native_network *)self)->handle, PyBytes_AsString(path), call);
  native_end_run(&run);
  Py_DECREF(path);
  if (status != EQUICONV_SUCCESS) {
    return raise_of_network(status);
  }
  Py_RETURN_NONE;
}

static PyObject *network_dtype(PyObject *self, void *Py_UNUSED(unused)) {
  return (PyObject *)PyArray_DescrFromType(((const native_network *)self)->type);
}

static PyGetSetDef getters[] = {
    {"dtype", network_dtype, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

#define FASTCALL(function) ((PyCFunction)(void (*)(void))(function)), METH_FASTCALL

static PyMethodDef network_methods[] = {
    {"reserve", network_reserve, METH_O, "reserve($self, shape, /)\n--\n\n"},
    {"find_output_shape", FASTCALL(find_output_shape), "find_output_shape($self, index, shape, /)\n--\n\n"},
    {"describe", network_describe, METH_NOARGS, "describe($self)\n--\n\n"},
    {"explain", network_explain, METH_O, "explain($self, shape, /)\n--\n\n"},
    {"get_tensors", network_get_tensors, METH_NOARGS, "get_tensors($self)\n--\n\n"},
    {"save", network_save, METH_O, "save($self, path, /)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

NATIVE_TYPE(network, "Network", Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, {Py_tp_getset, getters},
            {Py_tp_methods, network_methods});
