// SPDX-License-Identifier: Apache-2.0
//
// What the engine hands to the microkernels of transforms on a finite group. Not API; see EquiconvCalls.h for what holds of
// all calls.
#ifndef EQUICONV_TRANSFORM_CALLS_H
#define EQUICONV_TRANSFORM_CALLS_H

#include <stddef.h>
#include <stdint.h>

/// What a step does with the vectors of its slots: a is `first`, b is `second`, and a single result goes to `sum`.
///
/// The last ones are of several butterflies. Their operands are the slots from `first` on, their results those from `sum` on.
/// All these operands lie like the first of them, and all results like the first.
typedef enum equiconv_transform_operation {
  EQUICONV_STEP_BUTTERFLY,        // sum = a + b, difference = a - b
  EQUICONV_STEP_ADD,              // a + b
  EQUICONV_STEP_SUBTRACT,         // a - b
  EQUICONV_STEP_COPY,             // a
  EQUICONV_STEP_NEGATE,           // -a, the sign bit flipped
  EQUICONV_STEP_SCALE,            // coefficient * a
  EQUICONV_STEP_MULTIPLY_ADD,     // a + coefficient * b, rounded once where the processor has such an instruction
  EQUICONV_STEP_ACCUMULATE,       // sum + a, one vector after the other: those of the sum may overlap
  EQUICONV_STEP_ACCUMULATE_2,     // sum + (a + b), then difference + (a - b), likewise
  EQUICONV_STEP_HADAMARD_4,       // (a+b)+(c+d), (a+b)-(c+d), (a-b)+(c-d), (a-b)-(c-d)
  EQUICONV_STEP_CYCLIC_4,         // (a+b)+(c+d), (a+b)-(c+d), a-b, c-d
  EQUICONV_STEP_CYCLIC_4_ADJOINT, // (a+b)+c, (a+b)-c, (a-b)+d, (a-b)-d
  EQUICONV_STEP_HADAMARD_8, // butterflies of the 4 pairs of neighbors; HADAMARD_4 of the sums, and of the differences
  EQUICONV_STEP_DIHEDRAL_8, // butterflies of the 4 pairs of neighbors; HADAMARD_4 of the sums, butterflies of the
                            // first two and of the last two differences
} equiconv_transform_operation;

/// One step of a transform. It does the same with all vectors of its slots, each of which may be operand and result.
typedef struct equiconv_transform_step {
  equiconv_transform_operation operation;
  int32_t first;
  int32_t second;
  int32_t sum;
  int32_t difference;
  double coefficient;
} equiconv_transform_step;

/// Vectors, unaligned: the n-th lies at base + offsets[n], or at base + n * lanes without offsets, which is faster. Those of
/// a slot that a step reads and writes do not overlap, unless it accumulates. Operands of a step should share one table of
/// offsets, as results should.
typedef struct equiconv_transform_slot {
  void *_Nonnull base;
  const ptrdiff_t *_Nullable offsets;
} equiconv_transform_slot;

/// Runs the steps one after the other, each over all vectors.
typedef struct equiconv_transform_call {
  const equiconv_transform_step *_Nonnull steps;
  ptrdiff_t step_count;
  const equiconv_transform_slot *_Nonnull slots;
  ptrdiff_t vector_count;
} equiconv_transform_call;

/// sums[m * sum_stride + n] += sum over i of left[m * left_stride + i] * right[n * right_stride + i], i below
/// vector_count * lanes.
///
/// Lane by lane one chain of multiply-adds along the row; then the lanes, upper half to lower half. That order is the same
/// for all m and n, whatever their counts.
typedef struct equiconv_inner_call {
  const void *_Nonnull left;
  ptrdiff_t left_count;
  ptrdiff_t left_stride;
  const void *_Nonnull right;
  ptrdiff_t right_count;
  ptrdiff_t right_stride;
  ptrdiff_t vector_count;
  void *_Nonnull sums;
  ptrdiff_t sum_stride;
} equiconv_inner_call;

#endif
