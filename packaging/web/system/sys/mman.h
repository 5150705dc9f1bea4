// SPDX-License-Identifier: Apache-2.0

/// No file is mapped, since none is opened.

#pragma once

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>

#define PROT_READ 1
#define MAP_PRIVATE 2
#define MAP_FAILED ((void *)-1)

static inline void *mmap(void *base, size_t bytes, int protection, int flags, int file, off_t offset) {
  (void)base, (void)bytes, (void)protection, (void)flags, (void)file, (void)offset;
  errno = ENOSYS;
  return MAP_FAILED;
}
static inline int munmap(void *base, size_t bytes) { return (void)base, (void)bytes, 0; }
