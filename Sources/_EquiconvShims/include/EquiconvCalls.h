// SPDX-License-Identifier: Apache-2.0
//
// What the engine hands to a microkernel. Not API.
//
// Plain C structs, so that the same type is seen on both sides of a module boundary that no SIMD value may cross.
// All offsets and strides count scalars, not bytes. Nothing here is checked: the engine answers for it.
#ifndef EQUICONV_CALLS_H
#define EQUICONV_CALLS_H

#include <stddef.h>

/// One coefficient of a stencil: where it reads, and which row of the weight panel it multiplies by.
typedef struct equiconv_read {
  ptrdiff_t source;
  ptrdiff_t weight; // the row; rows are M wide
} equiconv_read;

/// destination[m, v] = bias[m] + sum over channels c and reads r of weights[c, r, m] * source[c, r, v].
typedef struct equiconv_multiply_call {
  const void *_Nonnull source;
  const void *_Nonnull weights; // one panel: [channel][coefficient][M]
  const void *_Nonnull bias;    // M scalars
  void *_Nonnull destination;
  const equiconv_read *_Nonnull reads;
  ptrdiff_t read_count;
  ptrdiff_t channel_count;
  ptrdiff_t source_channel_stride;
  ptrdiff_t weight_channel_stride;
  ptrdiff_t destination_row_stride;              // from output m to m + 1
  const ptrdiff_t *_Nonnull source_offsets;      // where each vector reads
  const ptrdiff_t *_Nonnull destination_offsets; // where each vector is stored
  ptrdiff_t vector_count;
  ptrdiff_t accumulates; // not 0: sums go on from the destination instead of the bias
} equiconv_multiply_call;

/// sums[m, n] += sum over rows y and columns x of scalars[m, y, x] * vectors[n, y, x].
///
/// One side is broadcast, the lanes of the other run along channels: output channels of the transposed gradient, or
/// input channels of the transposed signal.
typedef struct equiconv_reduce_call {
  const void *_Nonnull vectors;
  const ptrdiff_t *_Nonnull vector_offsets;
  ptrdiff_t vector_count;
  ptrdiff_t vector_column_stride;
  ptrdiff_t vector_row_stride;
  const void *_Nonnull scalars; // columns are contiguous
  const ptrdiff_t *_Nonnull scalar_offsets;
  ptrdiff_t scalar_count;
  ptrdiff_t scalar_row_stride;
  ptrdiff_t row_count;
  ptrdiff_t column_count;
  void *_Nonnull sums;
  ptrdiff_t sum_scalar_stride; // from scalar m to m + 1
  ptrdiff_t sum_vector_stride; // from vector n to n + 1
  void *_Nonnull scratch;      // room for one register tile: 32 vectors
} equiconv_reduce_call;

/// destination[v] = sum over the orbit of source[offsets[i] + v], in an order that only depends on the values.
///
/// radices[0] consecutive reads are one block, radices[1] consecutive blocks one larger block, and so on.
typedef struct equiconv_orbit_sum_call {
  const void *_Nonnull source;
  void *_Nonnull destination; // [vector][lane], contiguous
  const ptrdiff_t *_Nonnull offsets;
  const ptrdiff_t *_Nonnull radices;
  ptrdiff_t radix_count;
  const ptrdiff_t *_Nonnull source_offsets; // where each vector reads
  ptrdiff_t vector_count;
} equiconv_orbit_sum_call;

/// destination[m, v] (+)= sum over channels c and reads r of weights[c, r, m] * source[c, r, v], all complex.
///
/// Real and imaginary parts of source and destination lie apart by the given offsets. With these negative, and the pointers
/// at the imaginary parts, the weights are conjugated: conj(w) x = s(w s(x)), where s swaps the two parts. Weights w = a + ib
/// are given as the three planes a, b - a and a + b.
typedef struct equiconv_complex_multiply_call {
  const void *_Nonnull source;
  const void *_Nonnull weights;
  void *_Nonnull destination;
  const equiconv_read *_Nonnull reads; // weight: scalars into the channel
  ptrdiff_t read_count;
  ptrdiff_t channel_count;
  ptrdiff_t source_channel_stride;
  ptrdiff_t source_imaginary;
  ptrdiff_t weight_channel_stride;
  ptrdiff_t weight_plane_stride;
  ptrdiff_t destination_row_stride;
  ptrdiff_t destination_imaginary;
  const ptrdiff_t *_Nonnull source_offsets;
  const ptrdiff_t *_Nonnull destination_offsets;
  ptrdiff_t vector_count;
  ptrdiff_t accumulates;       // not 0: sums go on from the destination
  ptrdiff_t conjugates_source; // not 0: the conjugate of the source is multiplied
} equiconv_complex_multiply_call;

/// Between real tiles of n × n, one a lane, and their spectra of n² / 2 + 2 points.
///
/// The content of a tile is at rows first_row + i and columns first_column + j, both modulo n; it is zero elsewhere.
typedef struct equiconv_fourier_call {
  ptrdiff_t length; // n: 8, 12, 16, 20, 24 or 32
  const void *_Nonnull twiddles;
  void *_Nonnull scratch;  // n² + 6 n vectors
  void *_Nonnull spectrum; // [point][re, im][lane]
  ptrdiff_t point_stride;
  void *_Nonnull const *_Nonnull lanes; // row 0, column 0 of each lane's content
  ptrdiff_t row_stride;
  ptrdiff_t first_row;
  ptrdiff_t row_count;
  ptrdiff_t first_column;
  ptrdiff_t column_count;              // rounded up to whole vectors may be read, what is beyond is not used
  const ptrdiff_t *_Nonnull lane_rows; // inverse: rows and columns that are stored
  const ptrdiff_t *_Nonnull lane_columns;
  const void *_Nonnull bias; // inverse: one scalar, added to everything
} equiconv_fourier_call;

#endif
