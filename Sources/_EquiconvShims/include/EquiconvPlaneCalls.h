// SPDX-License-Identifier: Apache-2.0
//
// What the engine hands to the microkernels that move numbers between planes. Not API.
//
// As in EquiconvCalls.h, all offsets and strides count scalars, and nothing is checked.
#ifndef EQUICONV_PLANE_CALLS_H
#define EQUICONV_PLANE_CALLS_H

#include <stddef.h>

/// Rows between zeros: target[y, x] = source[y, step * (x - before)] for before <= x < before + count, and 0 for the
/// `before` places in front of these and the `after` behind them. A place is `depth` neighboring numbers.
typedef struct equiconv_pad_call {
  const void *_Nonnull source;
  void *_Nonnull target;
  ptrdiff_t row_count;
  ptrdiff_t source_row_stride;
  ptrdiff_t target_row_stride;
  ptrdiff_t step;  // in places
  ptrdiff_t depth; // at most the lanes of a vector
  ptrdiff_t before;
  ptrdiff_t count;
  ptrdiff_t after;
} equiconv_pad_call;

/// target[x, y] = source[y, x]; rows of both are contiguous.
typedef struct equiconv_transpose_call {
  const void *_Nonnull source;
  void *_Nonnull target;
  ptrdiff_t row_count; // of the source
  ptrdiff_t column_count;
  ptrdiff_t source_row_stride;
  ptrdiff_t target_row_stride;
} equiconv_transpose_call;

#endif
