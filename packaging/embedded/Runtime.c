// SPDX-License-Identifier: Apache-2.0

// What the standard library of Embedded Swift expects from the platform, and glibc does not have or has only since 2.36.

#define _GNU_SOURCE

#include <errno.h>
#include <locale.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>

#define HIDDEN __attribute__((visibility("hidden")))

static locale_t c_locale;

static void make_c_locale(void) { c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }

/// The number that a text begins with, whatever the locale of the program. Returns where the number ends.
HIDDEN const char *_swift_stdlib_strtod_clocale(const char *text, double *number);
const char *_swift_stdlib_strtod_clocale(const char *text, double *number) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, make_c_locale);
  char *end;
  // Without memory for a locale, nothing is a number.
  if (!c_locale) return NULL;
  *number = strtod_l(text, &end, c_locale);
  return end;
}

/// Random bytes, for the seeds of hash tables and the names of temporary files.
HIDDEN void arc4random_buf(void *bytes, size_t count);
void arc4random_buf(void *bytes, size_t count) {
  for (size_t done = 0; done < count;) {
    const ssize_t got = getrandom((char *)bytes + done, count - done, 0);
    // Only a kernel without getrandom gets here for any reason but a signal.
    if (got < 0 && errno != EINTR) abort();
    if (got > 0) done += (size_t)got;
  }
}
