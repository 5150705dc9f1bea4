/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources of equiconv._jax share: the handlers that compiled JAX programs call. No Python in here. */
#ifndef EQUICONV_JAX_H
#define EQUICONV_JAX_H

#include <stdbool.h>
#include <stddef.h>

#include "equiconv.h"
#include "xla/ffi/api/c_api.h"

/* ---- Problems (problem.c) ---- */

/* What went wrong, for an error of XLA. */
typedef struct {
  XLA_FFI_Error_Code code;
  char text[512];
} jax_problem;

/* Sets the problem; returns false. */
bool jax_fail(jax_problem *problem, XLA_FFI_Error_Code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same for a call of the engine on this thread that failed. */
bool jax_fail_with(jax_problem *problem, equiconv_status status);

/* ---- Layers (layer.c) ---- */

/* The shape of an array, without an axis of calls. */
typedef struct {
  int64_t sizes[EQUICONV_MAX_RANK]; /* 0 behind the last axis */
  int64_t rank;
} jax_shape;

/* What the arrays of a call say of its layer. The batch of the input is 1, whatever it is in the call. */
typedef struct {
  int64_t dtype; /* an equiconv_dtype; all members are of one size, so that equal arrays have equal bytes */
  jax_shape input, weight;
} jax_arrays;

/* A layer for arrays of one size, which calls run. Immutable but for the count of its users. */
typedef struct jax_layer {
  char *text;
  size_t length;
  jax_arrays arrays;
  uint64_t hash;
  equiconv_plan *plan;
  jax_shape output; /* with a batch of 1 */
  int64_t users;    /* guarded by the lock of the table */
  uint64_t used;    /* when it was last asked for, likewise */
} jax_layer;

/*
 * The layer of this text (docs/LayerFormat.md) for such arrays, from the table or made; to be given back with
 * jax_layer_release. NULL with a problem. The text is checked as bytes from a stranger would be.
 */
jax_layer *jax_layer_acquire(const char *text, size_t length, const jax_arrays *arrays, jax_problem *problem);
void jax_layer_release(jax_layer *layer);
/* The number of layers in the table. */
int64_t jax_layer_count(void);
/* The most it holds. */
int64_t jax_layer_limit(void);

/* ---- Handlers (passes.c, sums.c) ---- */

XLA_FFI_Error *jax_forward(XLA_FFI_CallFrame *frame);
XLA_FFI_Error *jax_input_gradient(XLA_FFI_CallFrame *frame);
XLA_FFI_Error *jax_weight_gradient(XLA_FFI_CallFrame *frame);
XLA_FFI_Error *jax_bias_gradient(XLA_FFI_CallFrame *frame);
XLA_FFI_Error *jax_pool_mean(XLA_FFI_CallFrame *frame);
XLA_FFI_Error *jax_pool_mean_adjoint(XLA_FFI_CallFrame *frame);

#endif /* EQUICONV_JAX_H */
