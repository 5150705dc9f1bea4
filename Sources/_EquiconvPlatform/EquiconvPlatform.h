// SPDX-License-Identifier: Apache-2.0

/// What Swift calls of the C library and of POSIX, the same for every platform and for Embedded Swift.

#pragma once

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// What Swift cannot import: variadic functions, and macros that are no numbers.

/// `open`, with the permissions of a file that is made.
static inline int equiconv_open(const char *path, int flags, mode_t permissions) {
  return open(path, flags, permissions);
}

/// `errno`, the code of the last system call that failed in this thread.
static inline int equiconv_error_code(void) { return errno; }

/// Whether `mmap` failed.
static inline int equiconv_is_map_failed(const void *_Nullable base) { return base == MAP_FAILED; }

/// The type of a file, of `S_IFREG` and others.
static inline int equiconv_file_type(const struct stat *_Nonnull status) { return (int)(status->st_mode & S_IFMT); }

/// Asks for large pages, where the system has them.
static inline void equiconv_use_large_pages(void *_Nonnull base, size_t bytes) {
#ifdef MADV_HUGEPAGE
  madvise(base, bytes, MADV_HUGEPAGE);
#else
  (void)base, (void)bytes;
#endif
}
