// SPDX-License-Identifier: Apache-2.0
//
// Vector multiply-add for the microkernels. Not API.
//
// Swift imports an ext_vector_type as SIMDn<Scalar>. The standard library's addProduct is a loop over lanes that LLVM
// vectorises in one loop shape and not in another; this is always one instruction. Without FMA instructions a
// fused multiply-add would be a libm call per lane, so there the product and the sum are rounded separately.
#ifndef EQUICONV_VECTORS_H
#define EQUICONV_VECTORS_H

#define EQUICONV_INLINE static inline __attribute__((always_inline, nodebug, unused))

typedef float equiconv_float32x4 __attribute__((ext_vector_type(4)));
typedef float equiconv_float32x8 __attribute__((ext_vector_type(8)));
typedef float equiconv_float32x16 __attribute__((ext_vector_type(16)));
typedef double equiconv_float64x2 __attribute__((ext_vector_type(2)));
typedef double equiconv_float64x4 __attribute__((ext_vector_type(4)));
typedef double equiconv_float64x8 __attribute__((ext_vector_type(8)));

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
#define EQUICONV_MULTIPLY_ADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define EQUICONV_MULTIPLY_ADD(a, b, c) ((c) + (a) * (b))
#endif

#define EQUICONV_DEFINE_MULTIPLY_ADD(vector)                                                       \
  EQUICONV_INLINE vector vector##_multiply_add(vector a, vector b, vector c) {                     \
    return EQUICONV_MULTIPLY_ADD(a, b, c);                                                         \
  }

EQUICONV_DEFINE_MULTIPLY_ADD(equiconv_float32x4)
EQUICONV_DEFINE_MULTIPLY_ADD(equiconv_float32x8)
EQUICONV_DEFINE_MULTIPLY_ADD(equiconv_float32x16)
EQUICONV_DEFINE_MULTIPLY_ADD(equiconv_float64x2)
EQUICONV_DEFINE_MULTIPLY_ADD(equiconv_float64x4)
EQUICONV_DEFINE_MULTIPLY_ADD(equiconv_float64x8)

#endif
