/* SPDX-License-Identifier: Apache-2.0 */
/* The calls to which memory is refused: what of the interface works on arrays that grow with the caller's numbers. */
#ifndef EQUICONV_REFUSED_CALLS_H
#define EQUICONV_REFUSED_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "equiconv.h"

typedef struct refused_call {
  const char *name;
  void (*run)(void);
} refused_call;

/** Ends with a call whose name is NULL. */
extern const refused_call refused_calls[];

/** What all calls read, made once. Returns whether there was memory for it. */
bool make_calls_ready(void);

typedef struct outcome {
  /** The first status that was not EQUICONV_SUCCESS, if any. */
  equiconv_status status;
  /** Of all numbers that the call gave. */
  uint64_t digest;
} outcome;

/** Runs a call from its groups and plans to its end. Handles that are not made are checked to be untouched. */
outcome run_call(const refused_call *call);

#endif
