// SPDX-License-Identifier: Apache-2.0

// What the engine and the standard library of Embedded Swift ask of a system, in a page: no files, no environment, one
// thread, and the clock of the page. Everything else is the C library's.

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

// ---- Files -------------------------------------------------------------------------------------------------------

static int no_system(void) {
  errno = ENOSYS;
  return -1;
}

int open(const char *path, int flags, ...) { return (void)path, (void)flags, no_system(); }
int close(int file) { return (void)file, no_system(); }
int fstat(int file, struct stat *status) { return (void)file, (void)status, no_system(); }
int stat(const char *path, struct stat *status) { return (void)path, (void)status, no_system(); }
int lstat(const char *path, struct stat *status) { return (void)path, (void)status, no_system(); }
int fsync(int file) { return (void)file, no_system(); }
int unlink(const char *path) { return (void)path, no_system(); }
int rename(const char *before, const char *after) { return (void)before, (void)after, no_system(); }
ssize_t read(int file, void *bytes, size_t count) { return (void)file, (void)bytes, (void)count, no_system(); }
ssize_t pread(int file, void *bytes, size_t count, off_t offset) {
  return (void)file, (void)bytes, (void)count, (void)offset, no_system();
}
ssize_t write(int file, const void *bytes, size_t count) { return (void)file, (void)bytes, (void)count, no_system(); }

// ---- The process -------------------------------------------------------------------------------------------------

char *getenv(const char *name) { return (void)name, NULL; }
int sched_yield(void) { return 0; }
long sysconf(int name) { return (void)name, 1; }
/// The message of a trap is of no use to a page: the trap itself follows.
int putchar(int character) { return character; }
_Noreturn void abort(void) { __builtin_trap(); }

__attribute__((import_module("page"), import_name("seconds"))) double page_seconds(void);

int clock_gettime(clockid_t clock, struct timespec *time) {
  (void)clock;
  const double seconds = page_seconds();
  time->tv_sec = (time_t)seconds;
  time->tv_nsec = (long)((seconds - (double)time->tv_sec) * 1e9);
  return 0;
}

// ---- Values of the thread ----------------------------------------------------------------------------------------

enum { MOST_KEYS = 8 };
static void *values[MOST_KEYS];
static pthread_key_t keys;

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
  (void)destructor; // the thread ends with the page
  if (keys == MOST_KEYS) return EAGAIN;
  *key = keys++;
  return 0;
}
void *pthread_getspecific(pthread_key_t key) { return values[key]; }
int pthread_setspecific(pthread_key_t key, const void *value) { return values[key] = (void *)value, 0; }

// ---- The standard library of Swift -------------------------------------------------------------------------------

const char *_swift_stdlib_strtod_clocale(const char *text, double *number);
const char *_swift_stdlib_strtod_clocale(const char *text, double *number) {
  char *end;
  *number = strtod(text, &end);
  return end;
}

/// The seeds of hash tables. A page that computes the same on every visit needs no others.
void arc4random_buf(void *bytes, size_t count);
void arc4random_buf(void *bytes, size_t count) {
  uint32_t state = 0x9e3779b9u;
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    ((uint8_t *)bytes)[i] = (uint8_t)(state >> 24);
  }
}
