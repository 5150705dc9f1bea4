/* SPDX-License-Identifier: Apache-2.0 */
/* equiconv._native: the module, and what concerns the library as a whole. */
#define NATIVE_IMPORTS_ARRAY
#include "native.h"

#include <string.h>

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define VERSION_TEXT TEXT(EQUICONV_VERSION_MAJOR) "." TEXT(EQUICONV_VERSION_MINOR) "." TEXT(EQUICONV_VERSION_PATCH)

PyObject *native_raise(equiconv_status status) {
  if (status == EQUICONV_ERROR_CANCELLED && PyErr_Occurred()) {
    return NULL;
  }
  PyObject *kind = status == EQUICONV_ERROR_OUT_OF_MEMORY ? PyExc_MemoryError : PyExc_ValueError;
  PyErr_SetString(kind, equiconv_last_error_message());
  return NULL;
}

PyObject *native_refuse(const char *function) {
  return PyErr_Format(PyExc_TypeError, "equiconv._native.%s takes checked arguments only; see _native.pyi", function);
}

bool native_is_plain(PyObject *value) {
  if (!PyArray_CheckExact(value)) {
    return false;
  }
  PyArrayObject *array = (PyArrayObject *)value;
  int type = PyArray_TYPE(array);
  return (type == NPY_FLOAT32 || type == NPY_FLOAT64) && PyArray_ISCARRAY_RO(array);
}

bool native_is_plain_output(PyObject *value) {
  return native_is_plain(value) && PyArray_ISWRITEABLE((PyArrayObject *)value);
}

PyObject *native_finish(PyObject *array, equiconv_status status) {
  if (status == EQUICONV_SUCCESS) {
    return array;
  }
  Py_DECREF(array);
  return native_raise(status);
}

PyObject *native_allocate(PyTypeObject *type) {
  allocfunc const allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
  return allocate(type, 0);
}

void native_free(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  freefunc const release = (freefunc)PyType_GetSlot(type, Py_tp_free);
  release(self);
  Py_DECREF(type);
}

bool native_read_array(PyObject *value, native_shape *shape) {
  if (!native_is_plain(value)) {
    return false;
  }
  PyArrayObject *array = (PyArrayObject *)value;
  *shape = (native_shape){PyArray_TYPE(array), PyArray_NDIM(array), PyArray_DIMS(array)};
  return true;
}

/* view(owner, address, shape, is_double) */
static PyObject *view(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t count) {
  enum { MOST_AXES = 64 };
  int64_t address, size;
  if (count != 4 || !native_read_int(args[1], 0, INTPTR_MAX, &address) || !PyTuple_Check(args[2]) ||
      PyTuple_Size(args[2]) > MOST_AXES || !PyBool_Check(args[3])) {
    return native_refuse("view");
  }
  npy_intp shape[MOST_AXES];
  int rank = (int)PyTuple_Size(args[2]);
  for (int axis = 0; axis < rank; axis++) {
    if (!native_read_int(PyTuple_GetItem(args[2], axis), 0, NPY_MAX_INTP, &size)) {
      return native_refuse("view");
    }
    shape[axis] = (npy_intp)size;
  }
  int type = args[3] == Py_True ? NPY_FLOAT64 : NPY_FLOAT32;
  PyObject *array =
      PyArray_New(&PyArray_Type, rank, shape, type, NULL, (void *)(intptr_t)address, 0, NPY_ARRAY_CARRAY, NULL);
  if (array == NULL) {
    return NULL;
  }
  Py_INCREF(args[0]);
  if (PyArray_SetBaseObject((PyArrayObject *)array, args[0]) < 0) {
    Py_DECREF(array);
    return NULL;
  }
  return array;
}

equiconv_dtype native_dtype(PyArrayObject *array) {
  return PyArray_TYPE(array) == NPY_FLOAT32 ? EQUICONV_FLOAT32 : EQUICONV_FLOAT64;
}

native_group *native_as_group(PyObject *module, PyObject *value) {
  native_state *state = PyModule_GetState(module);
  return PyObject_TypeCheck(value, state->group_type) ? (native_group *)value : NULL;
}

bool native_read_int(PyObject *value, int64_t smallest, int64_t largest, int64_t *result) {
  if (!PyLong_CheckExact(value)) {
    return false;
  }
  int overflow;
  const long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
  *result = number;
  return overflow == 0 && number >= smallest && number <= largest;
}

const char *native_read_text(PyObject *value) {
  Py_ssize_t length;
  const char *text = PyUnicode_CheckExact(value) ? PyUnicode_AsUTF8AndSize(value, &length) : NULL;
  if (text == NULL) {
    PyErr_Clear(); /* of a surrogate without its other half */
    return NULL;
  }
  return strlen(text) == (size_t)length ? text : NULL;
}

static PyObject *set_num_threads(PyObject *Py_UNUSED(module), PyObject *value) {
  int64_t count;
  if (!native_read_int(value, INT32_MIN, INT32_MAX, &count)) {
    return native_refuse("set_num_threads");
  }
  equiconv_status status;
  Py_BEGIN_ALLOW_THREADS status = equiconv_set_num_threads((int32_t)count);
  Py_END_ALLOW_THREADS if (status != EQUICONV_SUCCESS) { return native_raise(status); }
  Py_RETURN_NONE;
}

static PyObject *get_num_threads(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
  return PyLong_FromLong(equiconv_get_num_threads());
}

static PyObject *set_workspace_limit(PyObject *Py_UNUSED(module), PyObject *value) {
  int64_t bytes;
  if (!native_read_int(value, INT64_MIN, INT64_MAX, &bytes)) {
    return native_refuse("set_workspace_limit");
  }
  equiconv_status status = equiconv_set_workspace_limit(bytes);
  if (status != EQUICONV_SUCCESS) {
    return native_raise(status);
  }
  Py_RETURN_NONE;
}

static PyObject *workspace_limit(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
  return PyLong_FromLongLong(equiconv_workspace_limit());
}

static PyObject *instruction_set(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
  return PyUnicode_FromString(equiconv_instruction_set());
}

/* What inspect.signature reads; checked against _native.pyi by a test. */
#define SIGNATURE(name, parameters) name "($module, " parameters ", /)\n--\n\n"
#define FASTCALL(function) ((PyCFunction)(void (*)(void))(function)), METH_FASTCALL

static PyMethodDef methods[] = {
    {"layer_of", FASTCALL(native_layer_of), "layer_of($module, *options)\n--\n\n"},
    {"set_layer_maker", native_set_layer_maker, METH_O, SIGNATURE("set_layer_maker", "function")},
    {"forward", FASTCALL(native_forward), SIGNATURE("forward", "layer, x, weight, bias, out, warns")},
    {"vjp", FASTCALL(native_vjp), SIGNATURE("vjp", "layer, grad_out, x, weight, want_x, want_weight, want_bias")},
    {"expand", FASTCALL(native_expand), SIGNATURE("expand", "layer, weight")},
    {"explain", FASTCALL(native_explain), SIGNATURE("explain", "layer, run, prepared, x, weight, is_double")},
    {"run_network", FASTCALL(native_run_network), SIGNATURE("run_network", "network, x")},
    {"group_basis_matrix", FASTCALL(native_group_basis_matrix), SIGNATURE("group_basis_matrix", "group_basis, group")},
    {"pool", FASTCALL(native_pool), SIGNATURE("pool", "mode, x, out")},
    {"pool_vjp", FASTCALL(native_pool_vjp), SIGNATURE("pool_vjp", "mode, grad_out, x, grad_x")},
    {"act", FASTCALL(native_act), SIGNATURE("act", "group, element, space, x, out")},
    {"array_matrix", native_array_matrix, METH_O, SIGNATURE("array_matrix", "matrix")},
    {"view", FASTCALL(view), SIGNATURE("view", "owner, address, shape, is_double")},
    {"set_num_threads", set_num_threads, METH_O, SIGNATURE("set_num_threads", "count")},
    {"get_num_threads", get_num_threads, METH_NOARGS, "get_num_threads($module)\n--\n\n"},
    {"set_workspace_limit", set_workspace_limit, METH_O, SIGNATURE("set_workspace_limit", "count")},
    {"workspace_limit", workspace_limit, METH_NOARGS, "workspace_limit($module)\n--\n\n"},
    {"instruction_set", instruction_set, METH_NOARGS, "instruction_set($module)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

static int add_constants(PyObject *module) {
  const struct {
    const char *name;
    long value;
  } constants[] = {
      {"FORWARD", EQUICONV_PASS_FORWARD},
      {"INPUT_GRADIENT", EQUICONV_PASS_INPUT_GRADIENT},
      {"WEIGHT_GRADIENT", EQUICONV_PASS_WEIGHT_GRADIENT},
      {"PLANE_SIGNAL", EQUICONV_SIGNAL_PLANE},
      {"GROUP_SIGNAL", EQUICONV_SIGNAL_GROUP},
      {"MEAN", EQUICONV_POOL_MEAN},
      {"MAX", EQUICONV_POOL_MAX},
  };
  for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
    if (PyModule_AddIntConstant(module, constants[i].name, constants[i].value) < 0) {
      return -1;
    }
  }
  return PyModule_AddStringConstant(module, "VERSION", VERSION_TEXT);
}

static int execute(PyObject *module) {
  import_array1(-1);
  if (equiconv_version() != EQUICONV_VERSION) {
    PyErr_Format(PyExc_ImportError, "the equiconv library has version %d, expected %d (%s)", (int)equiconv_version(),
                 EQUICONV_VERSION, VERSION_TEXT);
    return -1;
  }
  if (native_prepare_interruption() < 0) {
    return -1;
  }
  native_state *state = PyModule_GetState(module);
  state->result_handler = native_new_result_handler();
  if (state->result_handler == NULL) {
    return -1;
  }
  state->group_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_group_spec, NULL);
  state->subgroup_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_subgroup_spec, NULL);
  state->basis_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_basis_spec, NULL);
  state->group_basis_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_group_basis_spec, NULL);
  state->weight_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_weight_spec, NULL);
  state->layer_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_layer_spec, NULL);
  state->network_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &native_network_spec, NULL);
  PyTypeObject *types[] = {state->group_type,  state->subgroup_type, state->basis_type,  state->group_basis_type,
                           state->weight_type, state->layer_type,    state->network_type};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
    if (types[i] == NULL || PyModule_AddType(module, types[i]) < 0) {
      return -1;
    }
  }
  return add_constants(module);
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
  native_state *state = PyModule_GetState(module);
  Py_VISIT(state->group_type);
  Py_VISIT(state->subgroup_type);
  Py_VISIT(state->basis_type);
  Py_VISIT(state->group_basis_type);
  Py_VISIT(state->weight_type);
  Py_VISIT(state->layer_type);
  Py_VISIT(state->network_type);
  Py_VISIT(state->layer_maker);
  Py_VISIT(state->result_handler);
  for (int i = 0; i < NATIVE_RECENT_LAYERS; i++) {
    Py_VISIT(state->recent[i].key);
    Py_VISIT(state->recent[i].layer);
  }
  return 0;
}

static int clear(PyObject *module) {
  native_state *state = PyModule_GetState(module);
  Py_CLEAR(state->group_type);
  Py_CLEAR(state->subgroup_type);
  Py_CLEAR(state->basis_type);
  Py_CLEAR(state->group_basis_type);
  Py_CLEAR(state->weight_type);
  Py_CLEAR(state->layer_type);
  Py_CLEAR(state->network_type);
  Py_CLEAR(state->layer_maker);
  Py_CLEAR(state->result_handler);
  for (int i = 0; i < NATIVE_RECENT_LAYERS; i++) {
    Py_CLEAR(state->recent[i].key);
    Py_CLEAR(state->recent[i].layer);
  }
  return 0;
}

/* The stable interface of 3.10 has the first alone. Without the second, interpreters with a lock each are refused too. */
static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)execute},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED}, /* as NumPy */
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "equiconv._native",
    .m_doc = "Converts arguments and calls the engine. Private: use the functions of equiconv.",
    .m_size = sizeof(native_state),
    .m_methods = methods,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
