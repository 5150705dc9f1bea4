/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong calls: each has one right status, a message that names argument and value, and changes nothing. */
#ifndef EQUICONV_WRONG_H
#define EQUICONV_WRONG_H

#include "test.h"

/** Everything a wrong call could write to, filled with sentinels before it. */
typedef struct wrong_outputs {
  equiconv_group *group;
  equiconv_plan *plan;
  equiconv_basis *basis;
  equiconv_group_basis *group_basis;
  equiconv_subgroup *subgroup;
  equiconv_weight *prepared;
  equiconv_network *network;
  equiconv_dtype dtype;
  equiconv_tensor tensor;
  equiconv_shape sizes;
  size_t length;
  char text[64];
  equiconv_explanation explanation; /* with the right struct_size, not prepared */
  int64_t shape[EQUICONV_MAX_RANK], remainder;
  int32_t rank, indices[64];
  double numbers[64];
  /* An input and outputs of a small layer, in one block so that overlaps can be made. */
  float input[256], weight[256], bias[64], output[256], grad_input[256], grad_weight[256], grad_bias[64];
} wrong_outputs;

extern wrong_outputs out;

/** Fills `out` with its sentinels. */
void wrong_reset(void);
/** Counts a call that must have failed with `expected` and a message containing `text`, with `out` unchanged. */
void wrong_check(int32_t status, int32_t expected, const char *text, const char *call, const char *file, int line);

#define WRONG(expected, text, call) wrong_check((int32_t)(call), (expected), (text), #call, __FILE__, __LINE__)

void wrong_group_calls(void);
void wrong_descriptors(void);
void wrong_bases(void);
void wrong_arrays(void);
void wrong_queries(void);
void wrong_choices(void);
void wrong_actions_and_pools(void);
void wrong_networks(void);

#endif
