// SPDX-License-Identifier: Apache-2.0
//
// On which processors the process may run: what the thread that loaded the library might use, and the places of an
// OpenMP runtime that had bound it. Not API.
#ifndef EQUICONV_AFFINITY_H
#define EQUICONV_AFFINITY_H

#include "EquiconvInterruption.h"

/// How many there are; 0 where the system does not say.
EQUICONV_HIDDEN int equiconv_processor_count(void);

/// A set of processors, as the system keeps it for a thread.
typedef struct equiconv_processors {
  unsigned long words[128];
  long bytes; // of the words that the system knows; 0 where it does not say
} equiconv_processors;

/// Lets the calling thread run on all of them, and so the threads that it makes.
/// - Returns: what it might run on before, for `equiconv_run_on`.
EQUICONV_HIDDEN equiconv_processors equiconv_run_on_all(void);
EQUICONV_HIDDEN void equiconv_run_on(const equiconv_processors *_Nonnull set);

#endif
