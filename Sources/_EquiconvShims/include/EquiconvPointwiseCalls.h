// SPDX-License-Identifier: Apache-2.0
//
// What the engine hands to the microkernel of functions that act on each number by itself. Not API; see EquiconvCalls.h for
// what holds of all calls.
#ifndef EQUICONV_POINTWISE_CALLS_H
#define EQUICONV_POINTWISE_CALLS_H

#include <stddef.h>

/// f(x), with the parameters p and q of the call. NaN stays NaN.
typedef enum equiconv_pointwise_function {
  EQUICONV_POINTWISE_IDENTITY,
  EQUICONV_POINTWISE_AFFINE,     // p x + q, rounded once where the processor has such an instruction
  EQUICONV_POINTWISE_RELU,       // 0 for x < 0, else x
  EQUICONV_POINTWISE_LEAKY_RELU, // p x for x < 0, else x
  EQUICONV_POINTWISE_ELU,        // p (exp(x) - 1) for x < 0, else x
  EQUICONV_POINTWISE_GELU,       // x times the normal distribution at x
  EQUICONV_POINTWISE_GELU_TANH,  // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  EQUICONV_POINTWISE_SILU,       // x / (1 + exp(-x))
  EQUICONV_POINTWISE_SIGMOID,    // 1 / (1 + exp(-x))
  EQUICONV_POINTWISE_TANH,
  EQUICONV_POINTWISE_EXPONENTIAL, // exp(x) for x <= 0
} equiconv_pointwise_function;

/// What a number of the source and one of the other array become before the function.
typedef enum equiconv_pointwise_combination {
  EQUICONV_COMBINE_NONE, // the source alone; there need be no other array
  EQUICONV_COMBINE_ADD,
  EQUICONV_COMBINE_SUBTRACT, // source - other
  EQUICONV_COMBINE_DIVIDE,   // source / other
  EQUICONV_COMBINE_LARGEST,  // NaN where one of the two is; 0 of 0 and -0
} equiconv_pointwise_combination;

/// target[y, x] = f(source[y, x] combined with other[y, x]), row by row.
///
/// The target may be the source or the other array, row for row. A row stride may be 0: rows are then combined one after the
/// other, if the function is the identity. What a number becomes does not depend on its place.
typedef struct equiconv_pointwise_call {
  const void *_Nonnull source;
  const void *_Nullable other;
  void *_Nonnull target;
  ptrdiff_t row_count;
  ptrdiff_t column_count;
  ptrdiff_t source_row_stride;
  ptrdiff_t other_row_stride;
  ptrdiff_t target_row_stride;
  equiconv_pointwise_combination combination;
  equiconv_pointwise_function function;
  double p;
  double q;
} equiconv_pointwise_call;

#endif
