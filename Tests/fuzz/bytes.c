/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers read from the bytes of a program. */
#include <math.h>

#include "../CTests/wild.h"
#include "fuzz.h"

static const uint8_t *next;
static size_t left;

void bytes_begin(const uint8_t *data, size_t size) {
  next = data;
  left = size;
}

bool bytes_left(void) { return left > 0; }

uint64_t bytes_take(size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count && left > 0; i++, left--) value |= (uint64_t)*next++ << (8 * i);
  return value;
}

int64_t between(int64_t low, int64_t high) {
  const uint64_t choices = (uint64_t)high - (uint64_t)low + 1;
  return low + (int64_t)(bytes_take(choices <= 256 ? 1 : 4) % choices);
}

bool seldom(int64_t times) { return between(0, times - 1) == times - 1; }

int64_t wild(void) {
  const int64_t known = WILD_NUMBERS, choice = between(0, known + 2);
  if (choice < known) return wild_numbers[choice];
  return choice == known ? between(-10, 10) : (int64_t)bytes_take(8);
}

int64_t size_between(int64_t low, int64_t high) { return seldom(48) ? wild() : between(low, high); }

int32_t kind_between(int32_t low, int32_t high) { return (int32_t)(seldom(64) ? wild() : between(low, high)); }

double real(void) {
  static const double values[] = {0.0, -0.0, 1e-310, 1e300, -1e300, 1e-40, 1e37, 1048576.5};
  const int64_t choice = seldom(24) ? between(0, 10) : -1;
  if (choice < 0) return (double)between(-128, 128) / 64;
  return choice < 8 ? values[choice] : choice == 8 ? (double)NAN : choice == 9 ? (double)INFINITY : -(double)INFINITY;
}
