/* SPDX-License-Identifier: Apache-2.0 */
/* The allocations of this program and of the libraries in it, counted and refused. */
#ifndef EQUICONV_ALLOCATIONS_H
#define EQUICONV_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** From here on an allocation is a large one, which the library answers for. */
enum { LARGE_ALLOCATION = 64 << 10 };

/** Whether the C library lets a program take the place of its malloc. */
bool allocations_are_seen(void);
/** From now on the n-th large allocation of this thread fails, n counting from 1, and with `onwards` all after it. */
void fail_allocation(long n, bool onwards);
/** No allocation fails any more. Returns whether one did. */
bool stop_failing(void);
/** Calls `hook` before each large allocation of this thread; NULL for none. */
void before_allocations(void (*hook)(void));
/** Bytes that all threads have been given and have not given back. */
int64_t live_bytes(void);

#endif
