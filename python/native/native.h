/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources of equiconv._native share. The extension converts and calls; Python owns meaning and messages. */
#ifndef EQUICONV_NATIVE_H
#define EQUICONV_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#define NPY_TARGET_VERSION NPY_1_22_API_VERSION /* the first in which an array may have a handler of its memory */
#define PY_ARRAY_UNIQUE_SYMBOL equiconv_native_array_api
#ifndef NATIVE_IMPORTS_ARRAY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#include <stdbool.h>

#include "equiconv.h"

/* How many layers layer_of finds at a glance. */
enum { NATIVE_RECENT_LAYERS = 64 };

/* A layer by the options that it was asked for with. */
typedef struct {
  PyObject *key, *layer;
} native_recent;

typedef struct {
  PyTypeObject *group_type;
  PyTypeObject *subgroup_type;
  PyTypeObject *basis_type;
  PyTypeObject *group_basis_type;
  PyTypeObject *weight_type;
  PyTypeObject *layer_type;
  PyTypeObject *network_type;
  PyObject *layer_maker;                      /* NULL before set_layer_maker */
  PyObject *result_handler;                   /* of the memory of large results */
  native_recent recent[NATIVE_RECENT_LAYERS]; /* most recent first */
#ifdef Py_GIL_DISABLED
  PyMutex recent_lock;
#endif
} native_state;

/* An instance of Group. The handle is set once by __new__ and never NULL afterwards. */
typedef struct {
  PyObject_HEAD equiconv_group *handle;
  int64_t order;
  int32_t dimension;
} native_group;

/* Likewise instances of Subgroup, a stabilizer. */
typedef struct {
  PyObject_HEAD equiconv_subgroup *handle;
  int64_t order;       /* of the subgroup */
  int64_t group_order; /* of its group */
} native_subgroup;

/* And of Basis. */
typedef struct {
  PyObject_HEAD equiconv_basis *handle;
  int64_t count;
  int64_t extents[3];
  int32_t dimension;
} native_basis;

/* And of GroupBasis. */
typedef struct {
  PyObject_HEAD equiconv_group_basis *handle;
  int64_t count;
} native_group_basis;

/* And of Weight, with the shape and type of the array it was made of. */
typedef struct {
  PyObject_HEAD equiconv_weight *handle;
  int type; /* NPY_FLOAT32 or NPY_FLOAT64 */
  int rank;
  npy_intp sizes[EQUICONV_MAX_RANK];
} native_weight;

/* And of Layer. */
typedef struct {
  PyObject_HEAD equiconv_layer *handle;
  bool is_strided; /* whether a stride may leave a remainder */
} native_layer;

/* And of Network. */
typedef struct {
  PyObject_HEAD equiconv_network *handle;
  int type; /* NPY_FLOAT32 or NPY_FLOAT64 */
} native_network;

/*
 * NATIVE_TYPE(type, name, flags, slots...): how Python makes the type of native_<type>, by <type>_new and <type>_dealloc
 * and whatever else it has.
 */
#define NATIVE_TYPE(type, name_, flags_, ...)  \
  static PyType_Slot type##_slots[] = {        \
      {Py_tp_new, (void *)type##_new},         \
      {Py_tp_dealloc, (void *)type##_dealloc}, \
      __VA_ARGS__,                             \
      {0, NULL},                               \
  };                                           \
  PyType_Spec native_##type##_spec = {         \
      .name = "equiconv._native." name_,       \
      .basicsize = sizeof(native_##type),      \
      .flags = flags_,                         \
      .slots = type##_slots,                   \
  }

extern PyType_Spec native_group_spec;
extern PyType_Spec native_subgroup_spec;
extern PyType_Spec native_basis_spec;
extern PyType_Spec native_group_basis_spec;
extern PyType_Spec native_weight_spec;
extern PyType_Spec native_layer_spec;
extern PyType_Spec native_network_spec;

/*
 * A call of the engine while the GIL is released, which a signal's handler may end by raising: made between
 * native_begin_run, which gives what the functions *_with_call take, and native_end_run.
 */
typedef struct {
  equiconv_call call;
  PyThreadState *thread;
} native_run;

equiconv_call *native_begin_run(native_run *run);
void native_end_run(native_run *run);
/* Once, by the module; -1 with an exception. */
int native_prepare_interruption(void);

/* Raises what a failed call on this thread came to, unless a handler of signals raised already; returns NULL. */
PyObject *native_raise(equiconv_status status);

/* The group in `value`, or NULL without an exception if it is no Group. */
native_group *native_as_group(PyObject *module, PyObject *value);
/* The same for Subgroup, Basis, GroupBasis, Weight, Layer and Network. */
native_subgroup *native_as_subgroup(PyObject *module, PyObject *value);
native_basis *native_as_basis(PyObject *module, PyObject *value);
native_group_basis *native_as_group_basis(PyObject *module, PyObject *value);
native_weight *native_as_weight(PyObject *module, PyObject *value);
native_layer *native_as_layer(PyObject *module, PyObject *value);
native_network *native_as_network(PyObject *module, PyObject *value);

/* Whether `value` is an ndarray of float32 or float64 that the engine reads as it is: C-contiguous, aligned, native. */
bool native_is_plain(PyObject *value);
/* The same, and it may be written. */
bool native_is_plain_output(PyObject *value);
/* Whether `value` is an ndarray of this type with one axis that is read as it is. */
bool native_is_list(PyObject *value, int type);
/* The size of the fiber of H/K for a subgroup K of a group of this order, 0 for the plane; -1 for one of another order. */
int64_t native_points(const native_subgroup *stabilizer, const native_group *group);
/* That of a plain array. */
equiconv_dtype native_dtype(PyArrayObject *array);

/*
 * Whether `value` is exactly an int (bool is not one) in this range, which goes to `result`. Sets no exception, whatever
 * the value: types of the user's own are not asked.
 */
bool native_read_int(PyObject *value, int64_t smallest, int64_t largest, int64_t *result);
/* The text of exactly a str in UTF-8, which lives as long as it; NULL without an exception for anything else. */
const char *native_read_text(PyObject *value);

/* The array if the call that filled it succeeded, else NULL with an exception; steals the reference. */
PyObject *native_finish(PyObject *array, equiconv_status status);

/* A new instance of one of the types above or of a class made from it, all zeros; NULL with an exception. */
PyObject *native_allocate(PyTypeObject *type);
/* Frees an instance of one of the types above, whose handle has ended. */
void native_free(PyObject *self);

/* Raises TypeError for arguments that `function` of this module cannot take; returns NULL. */
PyObject *native_refuse(const char *function);

PyObject *native_forward(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_vjp(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_expand(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_pool(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_pool_vjp(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_act(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_array_matrix(PyObject *module, PyObject *matrix);
PyObject *native_group_basis_matrix(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_explain(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_run_network(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_layer_of(PyObject *module, PyObject *const *args, Py_ssize_t count);
PyObject *native_set_layer_maker(PyObject *module, PyObject *function);

/* The shape and type of an array, whose sizes are read in place. */
typedef struct {
  int type; /* NPY_FLOAT32 or NPY_FLOAT64 */
  int rank;
  const npy_intp *sizes;
} native_shape;

/* Those of a plain array; false for anything else. */
bool native_read_array(PyObject *value, native_shape *shape);

/* The capsule of a handler for the memory of large results; see results.c. */
PyObject *native_new_result_handler(void);

/* A new array that is not initialized, in memory that is kept for the next one if it is large. */
PyObject *native_new_result(PyObject *result_handler, int rank, const npy_intp *sizes, int type);

/* A tuple of ints as a shape; false for anything else. */
bool native_read_shape(PyObject *value, equiconv_shape *shape);
/* The other way round. */
PyObject *native_tuple_of(int32_t rank, const int64_t *sizes);

/* What the handle of a type was made of, as the getter `name`: a text that `serialize` writes, with a closing 0. */
#define NATIVE_TEXT_GETTER(name, type, serialize)                                                                  \
  static PyObject *name(PyObject *self, void *Py_UNUSED(unused)) {                                                 \
    size_t length = 0;                                                                                             \
    equiconv_status status = serialize(((type *)self)->handle, 0, NULL, &length);                                  \
    if (status != EQUICONV_SUCCESS) {                                                                              \
      return native_raise(status);                                                                                 \
    }                                                                                                              \
    char *const text = PyMem_Malloc(length + 1);                                                                   \
    if (text == NULL) {                                                                                            \
      return PyErr_NoMemory();                                                                                     \
    }                                                                                                              \
    status = serialize(((type *)self)->handle, length + 1, text, &length);                                         \
    PyObject *const result =                                                                                       \
        status == EQUICONV_SUCCESS ? PyUnicode_FromStringAndSize(text, (Py_ssize_t)length) : native_raise(status); \
    PyMem_Free(text);                                                                                              \
    return result;                                                                                                 \
  }

#endif /* EQUICONV_NATIVE_H */
