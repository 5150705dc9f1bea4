/* SPDX-License-Identifier: Apache-2.0 */
/* The operands, results and attributes of a call, and its errors. */
#ifndef EQUICONV_JAX_FRAME_H
#define EQUICONV_JAX_FRAME_H

#include "jax.h"

/*
 * Whether the handler is to compute; if not, it returns no error. Handlers are registered for one stage only. Answers a
 * question of XLA about versions.
 */
bool jax_is_call(const XLA_FFI_CallFrame *frame);
/* The problem as an error of XLA, which the handler returns. */
XLA_FFI_Error *jax_error(const XLA_FFI_CallFrame *frame, const jax_problem *problem);

/* The attribute of this name and type; NULL if there is none. */
const void *jax_attribute(const XLA_FFI_CallFrame *frame, const char *name, XLA_FFI_AttrType type);
/* Bits for those of the first `arguments` operands that have a leading axis of calls. */
bool jax_read_mapped(const XLA_FFI_CallFrame *frame, int64_t arguments, uint64_t *mapped, jax_problem *problem);

/* Whether there are `least` to `most` operands and one result, all of them buffers. */
bool jax_check_counts(const XLA_FFI_CallFrame *frame, int64_t least, int64_t most, jax_problem *problem);
/* An operand, and the result; NULL for what is no buffer. */
const XLA_FFI_Buffer *jax_argument(const XLA_FFI_CallFrame *frame, int64_t index);
const XLA_FFI_Buffer *jax_result(const XLA_FFI_CallFrame *frame);

/* Whether numbers have a type that the engine has, and the engine's name of it. */
bool jax_is_float(XLA_FFI_DataType type);
equiconv_dtype jax_dtype(XLA_FFI_DataType type);

#endif /* EQUICONV_JAX_FRAME_H */
