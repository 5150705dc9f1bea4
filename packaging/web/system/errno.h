// SPDX-License-Identifier: Apache-2.0

/// Codes of errors, those that Swift names as plain numbers.

#pragma once

#include_next <errno.h>

#undef EINTR
#define EINTR 27
