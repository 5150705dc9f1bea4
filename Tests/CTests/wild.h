/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that sizes must withstand: the ends of types, powers of two, and their like. */
#ifndef EQUICONV_WILD_H
#define EQUICONV_WILD_H

#include <stdint.h>

/* Tests/fuzz/programs choose from them by place: new ones go to the end. */
static const int64_t wild_numbers[] = {0,
                                       -1,
                                       -2,
                                       1,
                                       7,
                                       64,
                                       255,
                                       1000,
                                       4097,
                                       100000,
                                       INT32_MAX,
                                       INT32_MIN,
                                       INT64_C(1) << 32,
                                       INT64_C(1) << 40,
                                       INT64_C(1) << 48,
                                       INT64_C(1) << 62,
                                       INT64_MAX,
                                       INT64_MIN,
                                       INT64_MIN + 1};
enum { WILD_NUMBERS = sizeof wild_numbers / sizeof *wild_numbers };

#endif
