/* SPDX-License-Identifier: Apache-2.0 */
/** equiconv/runtime.h: threads, the limit of workspace, the processor. A part of equiconv.h: include that. */
#ifndef EQUICONV_RUNTIME_H
#define EQUICONV_RUNTIME_H

#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Threads and hardware -------------------------------------------------------------------------------- */

/**
 * Sets the number of threads that large calls use, the calling one included: 1...1024. Results of direct do not change.
 * The algorithm that auto uses, and the tile of the others, may.
 */
EQUICONV_API equiconv_status equiconv_set_num_threads(int32_t count);
/** The number of threads used by large calls. */
EQUICONV_API int32_t equiconv_get_num_threads(void);
/**
 * Sets how many bytes of workspace fourier and winograd may use for each thread: at least 2^20; the initial limit is
 * 2^26 (64 MiB). To stay within it, calls work on fewer tiles and channels at a time. They never fail: if the smallest
 * possible part needs more, it exceeds the limit. Results may change in their last bits. Direct needs no more than a
 * padded copy of the input. Calls that are running are not affected. Error: INVALID_SIZE.
 */
EQUICONV_API equiconv_status equiconv_set_workspace_limit(int64_t bytes);
/** The bytes of workspace for each thread. */
EQUICONV_API int64_t equiconv_workspace_limit(void);
/** The instruction set in use: "baseline", "avx2", "avx512" or "neon". */
EQUICONV_API const char *equiconv_instruction_set(void);

#ifdef __cplusplus
}
#endif

#endif /* EQUICONV_RUNTIME_H */
