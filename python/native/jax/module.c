/* SPDX-License-Identifier: Apache-2.0 */
/* equiconv._jax: gives Python the handlers, to be registered with JAX. Private; JAX itself is not needed here. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "jax.h"

/* handlers() -> {name: capsule} */
static PyObject *handlers(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
  const struct {
    const char *name;
    XLA_FFI_Handler *handler;
  } all[] = {
      {"forward", jax_forward},
      {"input_gradient", jax_input_gradient},
      {"weight_gradient", jax_weight_gradient},
      {"bias_gradient", jax_bias_gradient},
      {"pool_mean", jax_pool_mean},
      {"pool_mean_adjoint", jax_pool_mean_adjoint},
  };
  PyObject *found = PyDict_New();
  for (size_t i = 0; found != NULL && i < sizeof all / sizeof all[0]; i++) {
    /* A capsule holds a pointer to an object; that functions fit into one is POSIX. */
    void *address;
    memcpy(&address, &all[i].handler, sizeof address);
    PyObject *capsule = PyCapsule_New(address, NULL, NULL);
    if (capsule == NULL || PyDict_SetItemString(found, all[i].name, capsule) < 0) {
      Py_CLEAR(found);
    }
    Py_XDECREF(capsule);
  }
  return found;
}

static PyObject *layer_count(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
  return PyLong_FromLongLong(jax_layer_count());
}

static PyMethodDef methods[] = {
    {"handlers", handlers, METH_NOARGS, "handlers($module)\n--\n\n"},
    {"layer_count", layer_count, METH_NOARGS, "layer_count($module)\n--\n\n"},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module) { return PyModule_AddIntConstant(module, "LAYER_LIMIT", (long)jax_layer_limit()); }

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)execute},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED}, /* as equiconv._native */
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "equiconv._jax",
    .m_doc = "Handlers of compiled JAX programs. Private: use the functions of equiconv.jax.",
    .m_size = 0,
    .m_methods = methods,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit__jax(void) { return PyModuleDef_Init(&definition); }
