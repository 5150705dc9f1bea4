/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays for results. Memory of large ones that are gone is kept for the next: fresh pages, which the system has to clear
 * one by one, cost as much as a small kernel's whole convolution.
 *
 * NumPy asks an array's own handler for its memory and gives it back to it (NEP 49), so results are ordinary arrays that own
 * their numbers.
 */
#include "native.h"

#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

enum {
  KEPT_BLOCKS = 32,
  HEADER = 64,             /* before the numbers, which begin at a cache line */
  SMALLEST_KEPT = 1 << 20, /* C libraries keep smaller ones themselves */
  HUGE_PAGE = 2 << 20,
  SMALLEST_HUGE = 4 << 20,
  SPARE_SHARE = 8 /* an eighth of a block may stay unused */
};
static const size_t KEPT_BYTES = (size_t)256 << 20;

/* The header of a block, and its place among those that are kept, the least recent first. */
typedef struct {
  size_t capacity;
} block;

static struct {
  block *blocks[KEPT_BLOCKS];
  int count;
  size_t bytes;
#ifdef Py_GIL_DISABLED
  PyMutex lock;
#endif
} kept;

#ifdef Py_GIL_DISABLED
#define LOCK() PyMutex_Lock(&kept.lock)
#define UNLOCK() PyMutex_Unlock(&kept.lock)
#else /* NumPy allocates and frees with the GIL held */
#define LOCK() ((void)0)
#define UNLOCK() ((void)0)
#endif

static block *take_out(int index) {
  block *taken = kept.blocks[index];
  kept.count--;
  kept.bytes -= taken->capacity;
  memmove(kept.blocks + index, kept.blocks + index + 1, (size_t)(kept.count - index) * sizeof *kept.blocks);
  return taken;
}

/* A kept block for so many bytes, the most recent that is not much larger; NULL if there is none. */
static block *find(size_t size) {
  block *found = NULL;
  LOCK();
  for (int i = kept.count - 1; i >= 0 && found == NULL; i--) {
    const size_t capacity = kept.blocks[i]->capacity;
    if (capacity >= size && capacity - size <= size / SPARE_SHARE) {
      found = take_out(i);
    }
  }
  UNLOCK();
  return found;
}

/* Frees the least recent blocks until so many bytes and one block more may be kept. */
static void make_room(size_t size) {
  LOCK();
  while (kept.count > 0 && (kept.count == KEPT_BLOCKS || kept.bytes > KEPT_BYTES - size)) {
    free(take_out(0));
  }
  UNLOCK();
}

static block *new_block(size_t size) {
  const bool is_huge = size >= SMALLEST_HUGE;
  void *memory;
  if (size > SIZE_MAX - HEADER || posix_memalign(&memory, is_huge ? HUGE_PAGE : HEADER, HEADER + size) != 0) {
    return NULL;
  }
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (is_huge) {
    (void)madvise(memory, HEADER + size, MADV_HUGEPAGE); /* no harm if the system will not */
  }
#endif
  block *made = memory;
  made->capacity = size;
  return made;
}

static void *allocate(void *Py_UNUSED(context), size_t size) {
  block *found = size >= SMALLEST_KEPT ? find(size) : NULL;
  if (found == NULL) {
    found = new_block(size);
  }
  if (found == NULL) {
    make_room(KEPT_BYTES); /* frees all, which may be what is missing */
    found = new_block(size);
  }
  return found == NULL ? NULL : (char *)found + HEADER;
}

static block *block_of(void *numbers) { return (block *)(void *)((char *)numbers - HEADER); }

static void release(void *Py_UNUSED(context), void *numbers, size_t Py_UNUSED(size)) {
  if (numbers == NULL) {
    return;
  }
  block *const freed = block_of(numbers);
  if (freed->capacity < SMALLEST_KEPT || freed->capacity > KEPT_BYTES) {
    free(freed);
    return;
  }
  make_room(freed->capacity);
  LOCK();
  const bool fits = kept.count < KEPT_BLOCKS;
  if (fits) {
    kept.blocks[kept.count++] = freed;
    kept.bytes += freed->capacity;
  }
  UNLOCK();
  if (!fits) {
    free(freed);
  }
}

static void *allocate_zeros(void *context, size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) {
    return NULL;
  }
  void *const numbers = allocate(context, count * size);
  return numbers == NULL ? NULL : memset(numbers, 0, count * size);
}

static void *reallocate(void *context, void *numbers, size_t size) {
  void *const moved = allocate(context, size);
  if (moved != NULL && numbers != NULL) {
    const size_t capacity = block_of(numbers)->capacity;
    memcpy(moved, numbers, capacity < size ? capacity : size);
    release(context, numbers, capacity);
  }
  return moved;
}

static PyDataMem_Handler handler = {
    "equiconv_results",
    1,
    {NULL, allocate, allocate_zeros, reallocate, release},
};

PyObject *native_new_result_handler(void) { return PyCapsule_New(&handler, "mem_handler", NULL); }

PyObject *native_new_result(PyObject *result_handler, int rank, const npy_intp *sizes, int type) {
  size_t bytes = type == NPY_FLOAT32 ? sizeof(float) : sizeof(double);
  for (int axis = 0; axis < rank; axis++) {
    const size_t size = (size_t)sizes[axis];
    if (size != 0 && bytes > SIZE_MAX / size) {
      return PyErr_NoMemory();
    }
    bytes *= size;
  }
  if (bytes < SMALLEST_KEPT) {
    return PyArray_SimpleNew(rank, sizes, type);
  }
  PyObject *const before = PyDataMem_SetHandler(result_handler);
  if (before == NULL) {
    return NULL;
  }
  PyObject *array = PyArray_SimpleNew(rank, sizes, type);
  PyObject *error_type, *error, *trace;
  PyErr_Fetch(&error_type, &error, &trace);
  PyObject *const own = PyDataMem_SetHandler(before);
  Py_DECREF(before);
  if (own == NULL) {
    Py_CLEAR(array);
    Py_XDECREF(error_type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    return NULL;
  }
  Py_DECREF(own);
  PyErr_Restore(error_type, error, trace);
  return array;
}
