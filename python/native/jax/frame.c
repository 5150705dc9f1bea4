/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call frames of XLA, read with care: a frame may hold anything, and what it holds is checked before it is used.
 */
#include "frame.h"

#include <stddef.h>
#include <string.h>

/* Only what version 0.1 of the interface has is used here, and later versions have not changed. */
#define OLDEST_MINOR 1

XLA_FFI_Error *jax_error(const XLA_FFI_CallFrame *frame, const jax_problem *problem) {
  XLA_FFI_Error_Create_Args arguments = {XLA_FFI_Error_Create_Args_STRUCT_SIZE, NULL, problem->text, problem->code};
  return frame->api->XLA_FFI_Error_Create(&arguments);
}

/*
 * Whether the frame asks for the version of the interface; then answered. XLA refuses versions that are newer than its
 * own, or too old, when a handler is registered. So the answer is XLA's own where this source knows it.
 */
static bool answer_metadata(const XLA_FFI_CallFrame *frame) {
  const XLA_FFI_Extension_Base *extension = frame->extension_start;
  while (extension != NULL && extension->type != XLA_FFI_Extension_Metadata) {
    extension = extension->next;
  }
  if (extension == NULL) {
    return false;
  }
  XLA_FFI_Metadata *metadata = ((const XLA_FFI_Metadata_Extension *)(const void *)extension)->metadata;
  int minor = OLDEST_MINOR;
  if (frame->api != NULL && frame->api->api_version.major_version == XLA_FFI_API_MAJOR) {
    const int theirs = frame->api->api_version.minor_version;
    minor = theirs < XLA_FFI_API_MINOR ? theirs : XLA_FFI_API_MINOR;
  }
  metadata->api_version.major_version = XLA_FFI_API_MAJOR;
  metadata->api_version.minor_version = minor;
  metadata->traits = 0;
  return true;
}

const void *jax_attribute(const XLA_FFI_CallFrame *frame, const char *name, XLA_FFI_AttrType type) {
  for (int64_t i = 0; i < frame->attrs.size; i++) {
    const XLA_FFI_ByteSpan *found = frame->attrs.names[i];
    if (found->len == strlen(name) && memcmp(found->ptr, name, found->len) == 0) {
      return frame->attrs.types[i] == type ? frame->attrs.attrs[i] : NULL;
    }
  }
  return NULL;
}

/* Which of the first `arguments` operands have a leading axis of calls. */
bool jax_read_mapped(const XLA_FFI_CallFrame *frame, int64_t arguments, uint64_t *mapped, jax_problem *problem) {
  const XLA_FFI_Scalar *scalar = jax_attribute(frame, "mapped", XLA_FFI_AttrType_SCALAR);
  if (scalar == NULL || scalar->dtype != XLA_FFI_DataType_S64) {
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT, "equiconv: attribute mapped is not an int64");
  }
  memcpy(mapped, scalar->value, sizeof *mapped);
  if (*mapped >> arguments != 0) {
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    "equiconv: attribute mapped is %lld, expected bits of %lld operands", (long long)*mapped,
                    (long long)arguments);
  }
  return true;
}

const XLA_FFI_Buffer *jax_argument(const XLA_FFI_CallFrame *frame, int64_t index) {
  return frame->args.types[index] == XLA_FFI_ArgType_BUFFER ? frame->args.args[index] : NULL;
}

const XLA_FFI_Buffer *jax_result(const XLA_FFI_CallFrame *frame) {
  return frame->rets.types[0] == XLA_FFI_RetType_BUFFER ? frame->rets.rets[0] : NULL;
}

bool jax_check_counts(const XLA_FFI_CallFrame *frame, int64_t least, int64_t most, jax_problem *problem) {
  if (frame->args.size < least || frame->args.size > most || frame->rets.size != 1) {
    return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT,
                    "equiconv: the call has %lld operands and %lld results, expected %lld to %lld and 1",
                    (long long)frame->args.size, (long long)frame->rets.size, (long long)least, (long long)most);
  }
  for (int64_t i = 0; i < frame->args.size; i++) {
    if (jax_argument(frame, i) == NULL) {
      return jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT, "equiconv: operand %lld is no buffer",
                      (long long)i);
    }
  }
  return jax_result(frame) != NULL ||
         jax_fail(problem, XLA_FFI_Error_Code_INVALID_ARGUMENT, "equiconv: the result is no buffer");
}

/* Whether the handler is to compute; if not, it returns no error. Handlers are registered for one stage only. */
bool jax_is_call(const XLA_FFI_CallFrame *frame) {
  return !answer_metadata(frame) && frame->stage == XLA_FFI_ExecutionStage_EXECUTE;
}

bool jax_is_float(XLA_FFI_DataType type) { return type == XLA_FFI_DataType_F32 || type == XLA_FFI_DataType_F64; }

equiconv_dtype jax_dtype(XLA_FFI_DataType type) {
  return type == XLA_FFI_DataType_F64 ? EQUICONV_FLOAT64 : EQUICONV_FLOAT32;
}
