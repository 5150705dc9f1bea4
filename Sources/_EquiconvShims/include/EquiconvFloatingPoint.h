// SPDX-License-Identifier: Apache-2.0
//
// The floating-point environment of a thread: rounding, traps, subnormals, and the status flags. Not API.
#ifndef EQUICONV_FLOATING_POINT_H
#define EQUICONV_FLOATING_POINT_H

#include <stdbool.h>
#include <stdint.h>

/// Control and status registers, as the processor has them.
typedef struct equiconv_floating_point {
  uint64_t control;
  uint64_t status;
} equiconv_floating_point;

/// Both round to nearest and trap nothing.
typedef enum equiconv_arithmetic {
  EQUICONV_ARITHMETIC_EXACT,    // subnormal numbers are numbers
  EQUICONV_ARITHMETIC_FLUSHING, // subnormal operands and results are zeros
} equiconv_arithmetic;

#if defined(__x86_64__)

// Fields of MXCSR, which rounds to nearest where its rounding field is 0.
enum {
  EQUICONV_MXCSR_STATUS = 0x003f,
  EQUICONV_MXCSR_DENORMALS_ARE_ZEROS = 0x0040,
  EQUICONV_MXCSR_ALL_MASKED = 0x1f80,
  EQUICONV_MXCSR_FLUSH_TO_ZERO = 0x8000,
};

static inline equiconv_floating_point equiconv_floating_point_of_thread(void) {
  unsigned mxcsr;
  __asm__ volatile("stmxcsr %0" : "=m"(mxcsr) : : "memory");
  return (equiconv_floating_point){mxcsr, 0};
}

static inline void equiconv_set_floating_point(equiconv_floating_point environment) {
  const unsigned mxcsr = (unsigned)environment.control;
  __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr) : "memory");
}

static inline equiconv_floating_point equiconv_floating_point_for(equiconv_arithmetic arithmetic) {
  const unsigned flushing = EQUICONV_MXCSR_FLUSH_TO_ZERO | EQUICONV_MXCSR_DENORMALS_ARE_ZEROS;
  const unsigned mode = arithmetic == EQUICONV_ARITHMETIC_FLUSHING ? flushing : 0;
  return (equiconv_floating_point){EQUICONV_MXCSR_ALL_MASKED | mode, 0};
}

/// Whether two environments differ in status flags at most.
static inline bool equiconv_computes_alike(equiconv_floating_point a, equiconv_floating_point b) {
  return ((a.control ^ b.control) & ~(uint64_t)EQUICONV_MXCSR_STATUS) == 0;
}

#elif defined(__aarch64__)

// FZ of FPCR flushes operands and results. Nothing traps where no other bit is set.
enum { EQUICONV_FPCR_FLUSH_TO_ZERO = 1 << 24 };

static inline bool equiconv_computes_alike(equiconv_floating_point a, equiconv_floating_point b) {
  return a.control == b.control;
}

static inline equiconv_floating_point equiconv_floating_point_of_thread(void) {
  equiconv_floating_point environment;
  __asm__ volatile("mrs %0, fpcr\n\tmrs %1, fpsr" : "=r"(environment.control), "=r"(environment.status) : : "memory");
  return environment;
}

static inline void equiconv_set_floating_point(equiconv_floating_point environment) {
  __asm__ volatile("msr fpcr, %0\n\tmsr fpsr, %1" : : "r"(environment.control), "r"(environment.status) : "memory");
}

static inline equiconv_floating_point equiconv_floating_point_for(equiconv_arithmetic arithmetic) {
  return (equiconv_floating_point){arithmetic == EQUICONV_ARITHMETIC_FLUSHING ? EQUICONV_FPCR_FLUSH_TO_ZERO : 0, 0};
}

#else

// Of other processors nothing is known: they compute as the caller does.
static inline equiconv_floating_point equiconv_floating_point_of_thread(void) {
  return (equiconv_floating_point){0, 0};
}
static inline void equiconv_set_floating_point(equiconv_floating_point environment) { (void)environment; }
static inline bool equiconv_computes_alike(equiconv_floating_point a, equiconv_floating_point b) {
  return a.control == b.control;
}
static inline equiconv_floating_point equiconv_floating_point_for(equiconv_arithmetic arithmetic) {
  (void)arithmetic;
  return (equiconv_floating_point){0, 0};
}

#endif

#endif
