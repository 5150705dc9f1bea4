/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two probes for the benchmark, compiled when it starts.
 *
 * peak_*: multiply-adds on registers alone, the most this processor does at the speed it runs at now. The accumulators
 * are enough to hide the latency of the instruction; nothing is loaded or stored.
 */
#include <stddef.h>
#include <stdint.h>
#include <time.h>

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Each of twelve accumulators: more than the latency of the instruction times its rate. */
#define TWELVE(step) step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10) step(11)
#define DECLARE(i) a##i = x + (float)i, /* all different, or the compiler keeps one of them */
#define MULTIPLY_ADD(i) a##i = a##i * x + y;
#define ADD_UP(i) sum += a##i[0];

/* Floating-point operations a second of `count` rounds of twelve vector multiply-adds. */
#define DEFINE_PEAK(name, scalar, bytes, isa)                                                      \
  typedef scalar name##_vector __attribute__((vector_size(bytes)));                                \
  __attribute__((target(isa))) double name(int64_t count) {                                        \
    name##_vector x, y;                                                                            \
    for (size_t i = 0; i < bytes / sizeof(scalar); i++) x[i] = (scalar)0.999, y[i] = (scalar)1e-3; \
    name##_vector TWELVE(DECLARE) unused = x;                                                      \
    (void)unused;                                                                                  \
    const double start = seconds();                                                                \
    for (int64_t n = 0; n < count; n++) {                                                          \
      TWELVE(MULTIPLY_ADD)                                                                         \
      __asm__ volatile("");                                                                        \
    }                                                                                              \
    const double elapsed = seconds() - start;                                                      \
    scalar sum = 0;                                                                                \
    TWELVE(ADD_UP)                                                                                 \
    volatile scalar kept = sum;                                                                    \
    (void)kept;                                                                                    \
    return 2.0 * (double)count * 12 * (bytes / sizeof(scalar)) / elapsed;                          \
  }

#if defined(__x86_64__)
DEFINE_PEAK(peak_avx512_float32, float, 64, "avx512f,fma")
DEFINE_PEAK(peak_avx512_float64, double, 64, "avx512f,fma")
DEFINE_PEAK(peak_avx2_float32, float, 32, "avx2,fma")
DEFINE_PEAK(peak_avx2_float64, double, 32, "avx2,fma")
DEFINE_PEAK(peak_baseline_float32, float, 16, "sse2")
DEFINE_PEAK(peak_baseline_float64, double, 16, "sse2")
#elif defined(__aarch64__)
/* Four units of a latency of four cycles would need sixteen accumulators: there it is three quarters of the peak. */
DEFINE_PEAK(peak_neon_float32, float, 16, "arch=armv8-a")
DEFINE_PEAK(peak_neon_float64, double, 16, "arch=armv8-a")
DEFINE_PEAK(peak_baseline_float32, float, 16, "arch=armv8-a")
DEFINE_PEAK(peak_baseline_float64, double, 16, "arch=armv8-a")
#endif

/* Seconds for one of `count` equal calls of a simple C function of the library, without Python between them. */
typedef int (*simple_call)(const void *descriptor, int64_t batch, const void *input, const void *weight,
                           const void *bias, void *output);

double time_simple_call(simple_call call, const void *descriptor, int64_t batch, const void *input, const void *weight,
                        void *output, int64_t count) {
  const double start = seconds();
  for (int64_t n = 0; n < count; n++) {
    if (call(descriptor, batch, input, weight, NULL, output) != 0) return -1;
  }
  return (seconds() - start) / (double)count;
}
