// SPDX-License-Identifier: Apache-2.0

/// The C library's, and that no path leads anywhere.

#pragma once

#include_next <stdlib.h>

static inline char *realpath(const char *path, char *real) { return (void)path, (void)real, (char *)0; }
