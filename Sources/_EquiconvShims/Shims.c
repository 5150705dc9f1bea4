// SPDX-License-Identifier: Apache-2.0

#include "EquiconvInterruption.h"

#include <stddef.h>

static _Thread_local const equiconv_interruption *current;

const equiconv_interruption *equiconv_interruption_of_thread(void) { return current; }

void equiconv_set_interruption_of_thread(const equiconv_interruption *interruption) { current = interruption; }
