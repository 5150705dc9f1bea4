// SPDX-License-Identifier: Apache-2.0
//
// Vector multiply-add for the microkernels. Not API.
//
// Swift imports an ext_vector_type as SIMDn<Scalar>. The standard library's addProduct is a loop over lanes that LLVM
// vectorizes in one loop shape and not in another; this is always one instruction. Without FMA instructions a
// fused multiply-add would be a libm call per lane, so there the product and the sum are rounded separately.
#ifndef EQUICONV_VECTORS_H
#define EQUICONV_VECTORS_H

#include <stddef.h>

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

#define EQUICONV_ZIP_LOW_2(a, b) __builtin_shufflevector(a, b, 0, 2)
#define EQUICONV_ZIP_HIGH_2(a, b) __builtin_shufflevector(a, b, 1, 3)
#define EQUICONV_ZIP_LOW_4(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define EQUICONV_ZIP_HIGH_4(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define EQUICONV_ZIP_LOW_8(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define EQUICONV_ZIP_HIGH_8(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define EQUICONV_ZIP_LOW_16(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define EQUICONV_ZIP_HIGH_16(a, b) \
  __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

#define EQUICONV_EVENS_2(a, b) EQUICONV_ZIP_LOW_2(a, b)
#define EQUICONV_ODDS_2(a, b) EQUICONV_ZIP_HIGH_2(a, b)
#define EQUICONV_EVENS_4(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define EQUICONV_ODDS_4(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7)
#define EQUICONV_EVENS_8(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define EQUICONV_ODDS_8(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#define EQUICONV_EVENS_16(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define EQUICONV_ODDS_16(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)

#define EQUICONV_OVERLOAD(name) EQUICONV_INLINE __attribute__((swift_name(name)))

// In Swift overloads of one name: multiplyAdd is a·b + c, multiplySubtract c − a·b; zipLow and zipHigh interleave the
// lower and the upper halves of two vectors, a0 b0 a1 b1 …; evens and odds undo that. lesser and greater are one
// comparison's two outcomes: of what cannot be ordered, lesser is a and greater is b.
#define EQUICONV_DEFINE_VECTOR(vector, lanes)                                                                         \
  EQUICONV_OVERLOAD("multiplyAdd(_:_:_:)") vector vector##_multiply_add(vector a, vector b, vector c) {               \
    return EQUICONV_MULTIPLY_ADD(a, b, c);                                                                            \
  }                                                                                                                   \
  EQUICONV_OVERLOAD("multiplySubtract(_:_:_:)")                                                                       \
  vector vector##_multiply_subtract(vector a, vector b, vector c) { return EQUICONV_MULTIPLY_ADD(-a, b, c); }         \
  EQUICONV_OVERLOAD("multiply(_:_:)") vector vector##_multiply(vector a, vector b) { return a * b; }                  \
  EQUICONV_OVERLOAD("add(_:_:)") vector vector##_add(vector a, vector b) { return a + b; }                            \
  EQUICONV_OVERLOAD("subtract(_:_:)") vector vector##_subtract(vector a, vector b) { return a - b; }                  \
  EQUICONV_OVERLOAD("negate(_:)") vector vector##_negate(vector a) { return -a; }                                     \
  EQUICONV_OVERLOAD("zipLow(_:_:)") vector vector##_zip_low(vector a, vector b) {                                     \
    return EQUICONV_ZIP_LOW_##lanes(a, b);                                                                            \
  }                                                                                                                   \
  EQUICONV_OVERLOAD("zipHigh(_:_:)") vector vector##_zip_high(vector a, vector b) {                                   \
    return EQUICONV_ZIP_HIGH_##lanes(a, b);                                                                           \
  }                                                                                                                   \
  EQUICONV_OVERLOAD("lesser(_:_:)") vector vector##_lesser(vector a, vector b) { return b < a ? b : a; }              \
  EQUICONV_OVERLOAD("greater(_:_:)") vector vector##_greater(vector a, vector b) { return b < a ? a : b; }            \
  EQUICONV_OVERLOAD("evens(_:_:)") vector vector##_evens(vector a, vector b) { return EQUICONV_EVENS_##lanes(a, b); } \
  EQUICONV_OVERLOAD("odds(_:_:)") vector vector##_odds(vector a, vector b) { return EQUICONV_ODDS_##lanes(a, b); }

EQUICONV_DEFINE_VECTOR(equiconv_float32x4, 4)
EQUICONV_DEFINE_VECTOR(equiconv_float32x8, 8)
EQUICONV_DEFINE_VECTOR(equiconv_float32x16, 16)
EQUICONV_DEFINE_VECTOR(equiconv_float64x2, 2)
EQUICONV_DEFINE_VECTOR(equiconv_float64x4, 4)
EQUICONV_DEFINE_VECTOR(equiconv_float64x8, 8)

// What functions of single numbers are made of. absolute and copySign(magnitude, sign) move sign bits; whereLess(a, b, x, y)
// is x where a < b and else y, also where the two cannot be ordered. largest(a, b) is NaN where one of the two is, and 0
// of 0 and −0. shiftToExponent moves the bits of numbers up, so that the lowest ones become the exponent.
// productError(a, b, p) is a·b − p for p = a·b rounded; without FMA it is made of halves, whose products are exact.
#define EQUICONV_DEFINE_ELEMENTARY(vector, lanes, bits, mantissa, low)                                          \
  typedef bits vector##_bits __attribute__((ext_vector_type(lanes)));                                           \
  EQUICONV_OVERLOAD("divide(_:_:)") vector vector##_divide(vector a, vector b) { return a / b; }                \
  EQUICONV_OVERLOAD("absolute(_:)") vector vector##_absolute(vector a) { return __builtin_elementwise_abs(a); } \
  EQUICONV_OVERLOAD("copySign(_:_:)") vector vector##_copy_sign(vector magnitude, vector sign) {                \
    return __builtin_elementwise_copysign(magnitude, sign);                                                     \
  }                                                                                                             \
  EQUICONV_OVERLOAD("whereLess(_:_:_:_:)") vector vector##_where_less(vector a, vector b, vector x, vector y) { \
    return a < b ? x : y;                                                                                       \
  }                                                                                                             \
  EQUICONV_OVERLOAD("largest(_:_:)") vector vector##_largest(vector a, vector b) {                              \
    const vector both = (vector)((vector##_bits)a & (vector##_bits)b);                                          \
    const vector greater = b < a ? a : b;                                                                       \
    const vector ordered = a == b ? both : greater;                                                             \
    return a != a ? a : ordered;                                                                                \
  }                                                                                                             \
  EQUICONV_OVERLOAD("shiftToExponent(_:)") vector vector##_shift_to_exponent(vector a) {                        \
    return (vector)((vector##_bits)a << mantissa);                                                              \
  }                                                                                                             \
  EQUICONV_OVERLOAD("productError(_:_:_:)") vector vector##_product_error(vector a, vector b, vector p) {       \
    return EQUICONV_PRODUCT_ERROR(vector, a, b, p, low);                                                        \
  }

#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
#define EQUICONV_PRODUCT_ERROR(vector, a, b, p, low) __builtin_elementwise_fma(a, b, -p)
#else
#define EQUICONV_UPPER(vector, a, low) ((vector)((vector##_bits)(a) & ~(vector##_bits)(low)))
#define EQUICONV_PRODUCT_OF_HALVES(a1, a2, b1, b2, p) ((((a1) * (b1) - (p)) + (a1) * (b2) + (a2) * (b1)) + (a2) * (b2))
#define EQUICONV_PRODUCT_ERROR(vector, a, b, p, low)                                               \
  EQUICONV_PRODUCT_OF_HALVES(EQUICONV_UPPER(vector, a, low), (a) - EQUICONV_UPPER(vector, a, low), \
                             EQUICONV_UPPER(vector, b, low), (b) - EQUICONV_UPPER(vector, b, low), p)
#endif

EQUICONV_DEFINE_ELEMENTARY(equiconv_float32x4, 4, unsigned, 23, 0xfffu)
EQUICONV_DEFINE_ELEMENTARY(equiconv_float32x8, 8, unsigned, 23, 0xfffu)
EQUICONV_DEFINE_ELEMENTARY(equiconv_float32x16, 16, unsigned, 23, 0xfffu)
EQUICONV_DEFINE_ELEMENTARY(equiconv_float64x2, 2, unsigned long long, 52, 0x7ffffffull)
EQUICONV_DEFINE_ELEMENTARY(equiconv_float64x4, 4, unsigned long long, 52, 0x7ffffffull)
EQUICONV_DEFINE_ELEMENTARY(equiconv_float64x8, 8, unsigned long long, 52, 0x7ffffffull)

// Loads or stores the first `count` lanes; what else a load gives is zero.
#define EQUICONV_DEFINE_FIRST_LANES(vector, scalar)                               \
  EQUICONV_OVERLOAD("loadFirst(_:_:)")                                            \
  vector vector##_load_first(const scalar *_Nonnull source, ptrdiff_t count) {    \
    vector a = 0;                                                                 \
    for (ptrdiff_t i = 0; i < count; i++) a[i] = source[i];                       \
    return a;                                                                     \
  }                                                                               \
  EQUICONV_OVERLOAD("storeFirst(_:_:_:)")                                         \
  void vector##_store_first(vector a, scalar *_Nonnull target, ptrdiff_t count) { \
    for (ptrdiff_t i = 0; i < count; i++) target[i] = a[i];                       \
  }

EQUICONV_DEFINE_FIRST_LANES(equiconv_float32x4, float)
EQUICONV_DEFINE_FIRST_LANES(equiconv_float64x2, double)
EQUICONV_DEFINE_FIRST_LANES(equiconv_float32x8, float)
EQUICONV_DEFINE_FIRST_LANES(equiconv_float64x4, double)
#if defined(__AVX512F__)
EQUICONV_OVERLOAD("loadFirst(_:_:)")
equiconv_float32x16 equiconv_float32x16_load_first(const float *_Nonnull source, ptrdiff_t count) {
  return __builtin_ia32_loadups512_mask(source, (equiconv_float32x16)(0), (unsigned short)((1u << count) - 1));
}
EQUICONV_OVERLOAD("loadFirst(_:_:)")
equiconv_float64x8 equiconv_float64x8_load_first(const double *_Nonnull source, ptrdiff_t count) {
  return __builtin_ia32_loadupd512_mask(source, (equiconv_float64x8)(0), (unsigned char)((1u << count) - 1));
}
EQUICONV_OVERLOAD("storeFirst(_:_:_:)")
void equiconv_float32x16_store_first(equiconv_float32x16 a, float *_Nonnull target, ptrdiff_t count) {
  __builtin_ia32_storeups512_mask((float *)target, a, (unsigned short)((1u << count) - 1));
}
EQUICONV_OVERLOAD("storeFirst(_:_:_:)")
void equiconv_float64x8_store_first(equiconv_float64x8 a, double *_Nonnull target, ptrdiff_t count) {
  __builtin_ia32_storeupd512_mask((double *)target, a, (unsigned char)((1u << count) - 1));
}
#else
EQUICONV_DEFINE_FIRST_LANES(equiconv_float32x16, float)
EQUICONV_DEFINE_FIRST_LANES(equiconv_float64x8, double)
#endif

// A line that will soon be written.
EQUICONV_INLINE void equiconv_prefetch_write(const void *_Nonnull address) { __builtin_prefetch(address, 1, 3); }
// A line that will soon be read.
EQUICONV_INLINE void equiconv_prefetch_read(const void *_Nonnull address) { __builtin_prefetch(address, 0, 3); }

#endif
