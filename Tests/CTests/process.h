/* SPDX-License-Identifier: Apache-2.0 */
/* What Linux says about this process. */
#ifndef EQUICONV_PROCESS_H
#define EQUICONV_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/** Bytes of memory in use by this process (resident), once freed memory is given back where that can be asked for. */
int64_t resident_bytes(void);
/** Bytes that malloc has given out and not got back; 0 where the C library does not say. */
int64_t allocated_bytes(void);
/** Bytes of address space in use. */
int64_t virtual_bytes(void);
/** The largest resident size since the last reset, in bytes. */
int64_t peak_bytes(void);
void reset_peak(void);
int thread_count(void);
/** Runs `body` in a forked child, for at most `seconds`; true if it came to its end and returned true. */
bool holds_in_child(bool (*body)(void *), void *argument, unsigned seconds);

#endif
