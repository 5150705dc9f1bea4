/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong in a call, in the words and codes of XLA. */
#include "jax.h"

#include <stdarg.h>
#include <stdio.h>

bool jax_fail(jax_problem *problem, XLA_FFI_Error_Code code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  problem->code = code;
  (void)vsnprintf(problem->text, sizeof problem->text, format, arguments);
  va_end(arguments);
  return false;
}

bool jax_fail_with(jax_problem *problem, equiconv_status status) {
  const bool memory = status == EQUICONV_ERROR_OUT_OF_MEMORY;
  const char *message = equiconv_last_error_message();
  return jax_fail(problem, memory ? XLA_FFI_Error_Code_RESOURCE_EXHAUSTED : XLA_FFI_Error_Code_INVALID_ARGUMENT,
                  "equiconv: %s", message[0] != 0 ? message : equiconv_status_name((int32_t)status));
}
