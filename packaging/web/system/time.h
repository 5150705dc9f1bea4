// SPDX-License-Identifier: Apache-2.0

/// The clock of the page.

#pragma once

#define __NEED_time_t
#define __NEED_struct_timespec
#define __NEED_clockid_t
#include <bits/alltypes.h>

/// The only clock.
static const clockid_t CLOCK_MONOTONIC = 0;

int clock_gettime(clockid_t clock, struct timespec *time);
/// Nobody is waited for.
static inline int nanosleep(const struct timespec *length, struct timespec *rest) {
  return (void)length, (void)rest, 0;
}
