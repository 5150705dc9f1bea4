/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays in pages of their own, with pages without access behind and before them. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

enum { PATTERN = 0xA5 };

size_t dtype_bytes(int32_t dtype) { return dtype == EQUICONV_FLOAT64 ? sizeof(double) : sizeof(float); }

array array_make(size_t bytes, size_t alignment) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
  array a = {.bytes = bytes, .length = whole + 2 * page};
  a.pages = mmap(NULL, a.length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (a.pages == MAP_FAILED || mprotect(a.pages + page, whole, PROT_READ | PROT_WRITE) != 0) abort();
  memset(a.pages + page, PATTERN, whole);
  const size_t before = seldom(4) ? 0 : (whole - bytes) / alignment * alignment;
  a.numbers = a.pages + page + before;
  return a;
}

void array_protect(array *a) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  if (mprotect(a->pages + page, a->length - 2 * page, PROT_READ) != 0) abort();
}

static bool is_pattern(const uint8_t *from, const uint8_t *to) {
  for (; from < to; from++) {
    if (*from != PATTERN) return false;
  }
  return true;
}

bool array_is_untouched(const array *a) { return is_pattern(a->numbers, (const uint8_t *)a->numbers + a->bytes); }

void array_end(array *a) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const uint8_t *first = a->numbers;
  LAW(is_pattern(a->pages + page, first));
  LAW(is_pattern(first + a->bytes, a->pages + a->length - page));
  munmap(a->pages, a->length);
  a->numbers = NULL;
}

static double special_number(uint64_t bits) {
  static const double values[] = {0, 1e-42, 1e38, -3e38, 1e-310, FLT_MIN, 1, -1};
  switch (bits % 32) {
  case 0: return (double)NAN;
  case 1: return (double)INFINITY;
  case 2: return -(double)INFINITY;
  default: return values[bits % 8];
  }
}

array array_of_numbers(int32_t dtype, int64_t count, bool special) {
  array a = array_make((size_t)count * dtype_bytes(dtype), dtype_bytes(dtype));
  uint64_t state = bytes_take(2);
  for (int64_t i = 0; i < count; i++) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    const double value = special ? special_number(state >> 40) : (double)(state >> 40) / (double)(1 << 23) - 1;
    if (dtype == EQUICONV_FLOAT64) {
      ((double *)a.numbers)[i] = value;
    } else {
      ((float *)a.numbers)[i] = (float)value;
    }
  }
  array_protect(&a);
  return a;
}

double number_at(const array *a, int32_t dtype, int64_t index) {
  return dtype == EQUICONV_FLOAT64 ? ((const double *)a->numbers)[index] : (double)((const float *)a->numbers)[index];
}
