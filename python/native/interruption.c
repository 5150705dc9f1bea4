/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the engine without the GIL, which signals end early: Ctrl-C, and whatever else a handler raises for. */
#include <pthread.h>

#include "native.h"

/* The thread that handles signals: Python's main thread, and in a child of fork the thread that forked. */
static unsigned long main_thread;

static void note_main_thread(void) { main_thread = PyThread_get_thread_ident(); }

int native_prepare_interruption(void) {
  static bool attends_to_forks;
  PyObject *threading = PyImport_ImportModule("threading");
  PyObject *thread = threading == NULL ? NULL : PyObject_CallMethod(threading, "main_thread", NULL);
  PyObject *identity = thread == NULL ? NULL : PyObject_GetAttrString(thread, "ident");
  if (identity != NULL) {
    main_thread = PyLong_AsUnsignedLong(identity);
  }
  Py_XDECREF(identity);
  Py_XDECREF(thread);
  Py_XDECREF(threading);
  if (PyErr_Occurred()) {
    return -1;
  }
  if (!attends_to_forks) {
    attends_to_forks = pthread_atfork(NULL, NULL, note_main_thread) == 0;
  }
  return 0;
}

/* Lets Python run the handlers of signals; whether one of them raised. */
static int32_t handles_signals(void *context) {
  native_run *run = context;
  PyEval_RestoreThread(run->thread);
  const int raised = PyErr_CheckSignals();
  run->thread = PyEval_SaveThread();
  return raised != 0;
}

equiconv_call *native_begin_run(native_run *run) {
  /* Only the main thread's calls take the GIL in between: Python handles signals nowhere else. */
  const bool is_main = PyThread_get_thread_ident() == main_thread;
  run->call.struct_size = sizeof run->call;
  run->call.is_cancelled = is_main ? handles_signals : NULL;
  run->call.context = run;
  run->thread = PyEval_SaveThread();
  return &run->call;
}

void native_end_run(native_run *run) { PyEval_RestoreThread(run->thread); }
