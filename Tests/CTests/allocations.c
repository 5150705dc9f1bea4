/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "allocations.h"

#include <errno.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Of the thread under test only: the others do what they do besides. */
static _Thread_local long countdown;
static _Thread_local bool fails_onwards, has_failed;
static _Thread_local void (*hook)(void);
static _Atomic int64_t live;

void fail_allocation(long n, bool onwards) {
  has_failed = false;
  fails_onwards = onwards;
  countdown = n;
}

bool stop_failing(void) {
  countdown = 0;
  return has_failed;
}

void before_allocations(void (*function)(void)) { hook = function; }

int64_t live_bytes(void) { return live; }

#if defined(__GLIBC__)

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

bool allocations_are_seen(void) { return true; }

/** Whether an allocation of so many bytes is to fail. */
static bool fails(size_t size) {
  if (size < LARGE_ALLOCATION) return false;
  if (hook != NULL) {
    void (*const function)(void) = hook;
    hook = NULL; /* what it allocates itself is not its business */
    function();
    hook = function;
  }
  if (countdown == 0 || --countdown > 0) return false;
  countdown = fails_onwards ? 1 : 0;
  has_failed = true;
  errno = ENOMEM;
  return true;
}

static void *counted(void *block) {
  if (block != NULL) live += (int64_t)malloc_usable_size(block);
  return block;
}

static void discount(void *block) {
  if (block != NULL) live -= (int64_t)malloc_usable_size(block);
}

void *malloc(size_t size) { return fails(size) ? NULL : counted(__libc_malloc(size)); }

void *calloc(size_t count, size_t size) {
  if (size > 0 && count > SIZE_MAX / size) return NULL;
  return fails(count * size) ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *block, size_t size) {
  const int64_t before = block == NULL ? 0 : (int64_t)malloc_usable_size(block);
  if ((int64_t)size > before && fails(size)) return NULL; /* to shrink a block never fails */
  void *moved = __libc_realloc(block, size);
  if (moved != NULL) live -= before;
  return counted(moved);
}

void *memalign(size_t alignment, size_t size) { return fails(size) ? NULL : counted(__libc_memalign(alignment, size)); }

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
  void *made = memalign(alignment, size);
  if (made == NULL) return ENOMEM;
  *block = made;
  return 0;
}

void free(void *block) {
  discount(block);
  __libc_free(block);
}

#else

bool allocations_are_seen(void) { return false; }

#endif
