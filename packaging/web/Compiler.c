// SPDX-License-Identifier: Apache-2.0

// What compilers call where WebAssembly has no instruction: integers of 128 bits, and the check of stack frames.

#include <stdint.h>

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 unsigned_wide;

typedef union {
  unsigned_wide whole;
  struct {
    uint64_t low, high;
  } half;
} parts;

static unsigned_wide join(uint64_t low, uint64_t high) { return ((parts){.half = {low, high}}).whole; }

/// The product of two numbers of 64 bits, out of products of 32 bits.
static parts multiply(uint64_t a, uint64_t b) {
  const uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
  const uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32), other = a0 * b1 + (uint32_t)middle;
  return (parts){.half = {other << 32 | (uint32_t)low, a1 * b1 + (middle >> 32) + (other >> 32)}};
}

wide __multi3(wide a, wide b);
wide __multi3(wide a, wide b) {
  const parts x = {.whole = (unsigned_wide)a}, y = {.whole = (unsigned_wide)b};
  parts product = multiply(x.half.low, y.half.low);
  product.half.high += x.half.low * y.half.high + x.half.high * y.half.low;
  return (wide)product.whole;
}

wide __ashlti3(wide a, int by);
wide __ashlti3(wide a, int by) {
  const parts x = {.whole = (unsigned_wide)a};
  if (by == 0) return a;
  if (by >= 64) return (wide)join(0, x.half.low << (by - 64));
  return (wide)join(x.half.low << by, x.half.high << by | x.half.low >> (64 - by));
}

wide __lshrti3(wide a, int by);
wide __lshrti3(wide a, int by) {
  const parts x = {.whole = (unsigned_wide)a};
  if (by == 0) return a;
  if (by >= 64) return (wide)join(x.half.high >> (by - 64), 0);
  return (wide)join(x.half.low >> by | x.half.high << (64 - by), x.half.high >> by);
}

uintptr_t __stack_chk_guard = 0x7a3c51e9u;
_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void) { __builtin_trap(); }
