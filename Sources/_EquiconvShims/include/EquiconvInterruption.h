// SPDX-License-Identifier: Apache-2.0
//
// Whether the call that a thread makes shall end early. The C interface sets it, the engine polls it. Not API.
#ifndef EQUICONV_INTERRUPTION_H
#define EQUICONV_INTERRUPTION_H

#include <stdint.h>

typedef struct {
  /// Returns other than 0 if the call shall end. Called on the thread that made the call, and on no other.
  int32_t (*poll)(void *context);
  void *context;
} equiconv_interruption;

#define EQUICONV_HIDDEN __attribute__((visibility("hidden")))

/// What calls of this thread poll; NULL for nothing.
EQUICONV_HIDDEN const equiconv_interruption *equiconv_interruption_of_thread(void);

/// Sets it, for the calls of this thread that follow. The caller keeps the struct alive until it sets another or NULL.
EQUICONV_HIDDEN void equiconv_set_interruption_of_thread(const equiconv_interruption *interruption);

#endif
