// SPDX-License-Identifier: Apache-2.0
//
// Which instruction-set variant the processor and the operating system can run. Not API.
#ifndef EQUICONV_PROCESSOR_H
#define EQUICONV_PROCESSOR_H

#if defined(__x86_64__)
#include <cpuid.h>

// Registers that the operating system saves, in XCR0: SSE and AVX; and besides these the masks and both parts of the
// registers of AVX-512.
enum { EQUICONV_SAVED_AVX = 0x06, EQUICONV_SAVED_AVX512 = 0xe6 };

/// The register state the operating system saves (XCR0); 0 where it does not say.
static inline unsigned equiconv_saved_state(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return 0;
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

/// 0: baseline, 1: x86-64-v3 (AVX2, FMA), 2: x86-64-v4 (AVX-512 F, BW, CD, DQ, VL).
static inline int equiconv_processor_level(void) {
  unsigned a, b, c, d, a7, b7, c7, d7;
  const unsigned state = equiconv_saved_state();
  if (!__get_cpuid(1, &a, &b, &c, &d) || !__get_cpuid_count(7, 0, &a7, &b7, &c7, &d7)) return 0;
  const unsigned v3 = bit_FMA | bit_AVX | bit_F16C | bit_MOVBE;
  if ((state & EQUICONV_SAVED_AVX) != EQUICONV_SAVED_AVX || (c & v3) != v3) return 0;
  const unsigned v3_7 = bit_AVX2 | bit_BMI | bit_BMI2;
  if ((b7 & v3_7) != v3_7) return 0;
  const unsigned v4_7 = bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL;
  return (state & EQUICONV_SAVED_AVX512) == EQUICONV_SAVED_AVX512 && (b7 & v4_7) == v4_7 ? 2 : 1;
}

/// A hint that the thread waits in a loop.
static inline void equiconv_relax(void) { __builtin_ia32_pause(); }
#elif defined(__aarch64__)
/// 1: NEON, which all of them have. 0 is the source of the baseline.
static inline int equiconv_processor_level(void) { return 1; }
/// A hint that the thread waits in a loop; `yield` does nothing on most of them.
static inline void equiconv_relax(void) { __asm__ volatile("isb" : : : "memory"); }

#else
static inline int equiconv_processor_level(void) { return 0; }
static inline void equiconv_relax(void) {}
#endif

#endif
