// SPDX-License-Identifier: Apache-2.0
//
// What the engine hands to the Winograd transforms. Not API; see EquiconvCalls.h for what holds of all calls.
//
// P is 4 or 2: tiles of P × P outputs, of Q × Q inputs and points, Q = P + 2. Tiles are numbered along the rows of the
// plane, row after row: that is the order of their lanes. A strip is the pixels of one line of all these tiles.
#ifndef EQUICONV_WINOGRAD_CALLS_H
#define EQUICONV_WINOGRAD_CALLS_H

#include <stddef.h>

/// Columns of one row of tiles that are read as they lie in the plane.
typedef struct equiconv_winograd_run {
  ptrdiff_t rows[6]; // where the first column lies in each of the Q rows; negative: zeros
  ptrdiff_t strip;   // where it goes in the strips
  ptrdiff_t length;
} equiconv_winograd_run;

/// points[i, j, t] = (transpose(B) d B)[i, j] of tile t, for one plane.
typedef struct equiconv_winograd_input_call {
  const void *_Nonnull plane;
  ptrdiff_t later_plane;      // from it to a plane whose columns will soon be read
  const void *_Nonnull zeros; // as many as the longest run
  const equiconv_winograd_run *_Nonnull runs;
  ptrdiff_t run_count;
  void *_Nonnull strips; // Q strips; what no run writes stays as it is
  ptrdiff_t strip_stride;
  const ptrdiff_t *_Nonnull vectors; // [vector][1 + P]: its first tile, and where each P-th of its pixels lies
  ptrdiff_t vector_count;
  void *_Nonnull points;
  ptrdiff_t point_stride;
  void *_Nonnull scratch; // Q vectors
} equiconv_winograd_input_call;

/// Where one P-th of the pixels of a vector of tiles goes.
typedef struct equiconv_winograd_store {
  ptrdiff_t place; // in the plane; negative: into the strips
  ptrdiff_t rows;  // of the P
} equiconv_winograd_store;

/// Pixels that go from the strips to the plane.
typedef struct equiconv_winograd_copy {
  ptrdiff_t strip;
  ptrdiff_t place;
  ptrdiff_t rows;
  ptrdiff_t length;
} equiconv_winograd_copy;

/// plane[pixels of tile t] = transpose(A) m A + bias, m[i, j] = points[i, j, t], for one plane.
typedef struct equiconv_winograd_output_call {
  const void *_Nonnull points;
  ptrdiff_t point_stride;
  const void *_Nonnull bias;                      // one scalar
  const equiconv_winograd_store *_Nonnull stores; // [vector][P]
  ptrdiff_t vector_count;
  void *_Nonnull strips; // P strips
  ptrdiff_t strip_stride;
  const equiconv_winograd_copy *_Nonnull copies;
  ptrdiff_t copy_count;
  void *_Nonnull plane;
  ptrdiff_t later_plane; // from it to a plane that will soon be written
  ptrdiff_t row_stride;
} equiconv_winograd_output_call;

#endif
