// SPDX-License-Identifier: Apache-2.0
//
// The table of entry points that a variant of the microkernels exports. Not API.
//
// A C struct of C functions: variants and engine share its layout and no code, for Swift emits none to copy it.
#ifndef EQUICONV_MICROKERNELS_H
#define EQUICONV_MICROKERNELS_H

#include "EquiconvCalls.h"
#include "EquiconvPlaneCalls.h"
#include "EquiconvPointwiseCalls.h"
#include "EquiconvTransformCalls.h"
#include "EquiconvWinogradCalls.h"
#include <stddef.h>

#define EQUICONV_NAMED(name) __attribute__((swift_name(name)))

/// The microkernels of one instruction set for one scalar type: all the engine knows of the processor.
typedef struct equiconv_microkernels {
  /// Scalars in a vector.
  ptrdiff_t lanes;
  /// The widest panel of outputs that `multiply` computes; it also computes its smaller powers of two.
  ptrdiff_t widest_panel EQUICONV_NAMED("widestPanel");
  /// Likewise for `complexMultiply`.
  ptrdiff_t widest_complex_panel EQUICONV_NAMED("widestComplexPanel");
  void (*_Nonnull multiply)(const equiconv_multiply_call *_Nonnull call, ptrdiff_t width);
  void (*_Nonnull reduce)(const equiconv_reduce_call *_Nonnull call);
  void (*_Nonnull orbit_sum)(const equiconv_orbit_sum_call *_Nonnull call) EQUICONV_NAMED("orbitSum");
  void (*_Nonnull complex_multiply)(const equiconv_complex_multiply_call *_Nonnull call, ptrdiff_t width)
      EQUICONV_NAMED("complexMultiply");
  void (*_Nonnull fourier_forward)(const equiconv_fourier_call *_Nonnull call) EQUICONV_NAMED("fourierForward");
  void (*_Nonnull fourier_inverse)(const equiconv_fourier_call *_Nonnull call) EQUICONV_NAMED("fourierInverse");
  /// The transforms of tiles of `tile` × `tile` outputs, 4 or 2.
  void (*_Nonnull winograd_input)(const equiconv_winograd_input_call *_Nonnull call, ptrdiff_t tile)
      EQUICONV_NAMED("winogradInput");
  void (*_Nonnull winograd_output)(const equiconv_winograd_output_call *_Nonnull call, ptrdiff_t tile)
      EQUICONV_NAMED("winogradOutput");
  void (*_Nonnull transform)(const equiconv_transform_call *_Nonnull call);
  void (*_Nonnull inner)(const equiconv_inner_call *_Nonnull call);
  void (*_Nonnull pad)(const equiconv_pad_call *_Nonnull call);
  void (*_Nonnull transpose)(const equiconv_transpose_call *_Nonnull call);
  void (*_Nonnull pointwise)(const equiconv_pointwise_call *_Nonnull call);
} equiconv_microkernels;

/// What a variant exports.
typedef struct equiconv_microkernel_table {
  equiconv_microkernels float32;
  equiconv_microkernels float64;
} equiconv_microkernel_table;

// One for each variant; a library has those of its architecture.
equiconv_microkernel_table _equiconv_microkernels_baseline(void);
equiconv_microkernel_table _equiconv_microkernels_avx2(void);
equiconv_microkernel_table _equiconv_microkernels_avx512(void);
equiconv_microkernel_table _equiconv_microkernels_neon(void);

#endif
