/* SPDX-License-Identifier: Apache-2.0 */
/* What the sources of equiconv._jax share: the handlers that compiled JAX programs call. No Python in here. */
#ifndef EQUICONV_JAX_H
#define EQUICONV_JAX_H

#include <stdbool.h>

#include "equiconv.h"
#include "xla/ffi/api/c_api.h"

/* ---- Layers (_jax_layer.c) ---- */

/* The form of the words that describe a layer; python/equiconv/jax/_program.py writes them. */
#define JAX_LAYER_FORM 1

/* A layer that calls run. Immutable but for the count of its users. */
typedef struct jax_layer {
  int64_t *words;
  int64_t word_count;
  uint64_t hash;
  equiconv_plan *plan;
  equiconv_dtype dtype;
  /* Shapes with 1 in place of the batch, and that of the bias. */
  int64_t input[EQUICONV_MAX_RANK], output[EQUICONV_MAX_RANK], weight[EQUICONV_MAX_RANK], bias[1];
  int32_t input_rank, output_rank, weight_rank;
  int64_t users; /* guarded by the lock of the table */
  uint64_t used; /* when it was last asked for, likewise */
} jax_layer;

/* What went wrong, for an error of XLA. */
typedef struct {
  XLA_FFI_Error_Code code;
  char text[512];
} jax_problem;

/* Sets the problem; returns false. */
bool jax_fail(jax_problem *problem, XLA_FFI_Error_Code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, with what a failed call on this thread came to. */
bool jax_fail_with(jax_problem *problem, equiconv_status status);

/* The layer of these words, from the table or made; to be given back with jax_layer_release. NULL with a problem. */
jax_layer *jax_layer_acquire(const int64_t *words, int64_t count, jax_problem *problem);
void jax_layer_release(jax_layer *layer);
/* How many layers the table holds. */
int64_t jax_layer_count(void);
/* The most it holds. */
int64_t jax_layer_limit(void);

/* From words to a layer without a place in the table (_jax_words.c). NULL with a problem. */
jax_layer *jax_layer_create(const int64_t *words, int64_t count, jax_problem *problem);
void jax_layer_destroy(jax_layer *layer);

/* ---- Handlers (_jax_handlers.c) ---- */

XLA_FFI_Error *jax_forward(XLA_FFI_CallFrame *frame);
XLA_FFI_Error *jax_input_gradient(XLA_FFI_CallFrame *frame);
XLA_FFI_Error *jax_weight_gradient(XLA_FFI_CallFrame *frame);
XLA_FFI_Error *jax_bias_gradient(XLA_FFI_CallFrame *frame);
XLA_FFI_Error *jax_pool_mean(XLA_FFI_CallFrame *frame);
XLA_FFI_Error *jax_pool_mean_adjoint(XLA_FFI_CallFrame *frame);

#endif /* EQUICONV_JAX_H */
