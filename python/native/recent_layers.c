/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_of: the layer of plain options, among the recent ones by a few comparisons; made by Python otherwise.
 *
 * Options are the same if they are one object, or equal and exactly int, str or tuples of exactly int: so (1, True),
 * which equals (1, 1), is not taken for it, and no code of the user's runs.
 */
#include "native.h"

#ifdef Py_GIL_DISABLED
#define LOCK(state) PyMutex_Lock(&(state)->recent_lock)
#define UNLOCK(state) PyMutex_Unlock(&(state)->recent_lock)
#else /* nothing below lets go of the GIL */
#define LOCK(state) ((void)(state))
#define UNLOCK(state) ((void)(state))
#endif

/* Groups of a higher order hold large tables, and should end with their last user. */
enum { MOST_ELEMENTS = 64 };

static bool same_ints(PyObject *a, PyObject *b) {
  int64_t first, second;
  return native_read_int(a, INT64_MIN, INT64_MAX, &first) && native_read_int(b, INT64_MIN, INT64_MAX, &second) &&
         first == second;
}

static bool same_option(PyObject *a, PyObject *b) {
  if (a == b) {
    return true;
  }
  if (PyUnicode_CheckExact(a) && PyUnicode_CheckExact(b)) {
    return PyUnicode_Compare(a, b) == 0;
  }
  if (PyTuple_CheckExact(a) && PyTuple_CheckExact(b) && PyTuple_Size(a) == PyTuple_Size(b)) {
    for (Py_ssize_t i = 0; i < PyTuple_Size(a); i++) {
      if (!same_ints(PyTuple_GetItem(a, i), PyTuple_GetItem(b, i))) {
        return false;
      }
    }
    return true;
  }
  return same_ints(a, b);
}

static bool is_key(PyObject *key, PyObject *const *options, Py_ssize_t count) {
  if (PyTuple_Size(key) != count) {
    return false;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    if (!same_option(PyTuple_GetItem(key, i), options[i])) {
      return false;
    }
  }
  return true;
}

/* A new reference, or NULL without an exception. */
static PyObject *find(native_state *state, PyObject *const *options, Py_ssize_t count) {
  PyObject *found = NULL;
  LOCK(state);
  for (int i = 0; found == NULL && i < NATIVE_RECENT_LAYERS && state->recent[i].key != NULL; i++) {
    const native_recent entry = state->recent[i];
    if (is_key(entry.key, options, count)) {
      for (int j = i; j > 0; j--) {
        state->recent[j] = state->recent[j - 1];
      }
      state->recent[0] = entry;
      found = Py_NewRef(entry.layer);
    }
  }
  UNLOCK(state);
  return found;
}

/* Takes over `key`. */
static void keep(native_state *state, PyObject *key, PyObject *layer) {
  LOCK(state);
  const native_recent dropped = state->recent[NATIVE_RECENT_LAYERS - 1];
  for (int j = NATIVE_RECENT_LAYERS - 1; j > 0; j--) {
    state->recent[j] = state->recent[j - 1];
  }
  state->recent[0] = (native_recent){key, Py_NewRef(layer)};
  UNLOCK(state);
  Py_XDECREF(dropped.key);
  Py_XDECREF(dropped.layer);
}

/* Whether all options are of kinds that are compared, the second being the group. */
static bool is_kept(PyObject *module, PyObject *key) {
  const native_group *group = PyTuple_Size(key) > 1 ? native_as_group(module, PyTuple_GetItem(key, 1)) : NULL;
  return group != NULL && group->order <= MOST_ELEMENTS;
}

/* layer_of(name, group, options...) */
PyObject *native_layer_of(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  native_state *state = PyModule_GetState(module);
  PyObject *layer = find(state, args, count);
  if (layer != NULL) {
    return layer;
  }
  if (state->layer_maker == NULL) {
    return native_refuse("layer_of");
  }
  PyObject *key = PyTuple_New(count);
  for (Py_ssize_t i = 0; key != NULL && i < count; i++) {
    PyTuple_SetItem(key, i, Py_NewRef(args[i]));
  }
  layer = key == NULL ? NULL : PyObject_CallObject(state->layer_maker, key);
  if (layer != NULL && is_kept(module, key)) {
    keep(state, key, layer);
  } else {
    Py_XDECREF(key);
  }
  return layer;
}

/* set_layer_maker(function): what makes the layer of options that are not among the recent ones. */
PyObject *native_set_layer_maker(PyObject *module, PyObject *function) {
  native_state *state = PyModule_GetState(module);
  PyObject *const before = state->layer_maker;
  state->layer_maker = Py_NewRef(function);
  Py_XDECREF(before);
  Py_RETURN_NONE;
}
