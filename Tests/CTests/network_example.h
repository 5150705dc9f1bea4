/* SPDX-License-Identifier: Apache-2.0 */
/* A small network for turns by 90 degrees: lifting, ReLU, maximum over H, mean over space, three classes. */
#ifndef EQUICONV_NETWORK_EXAMPLE_H
#define EQUICONV_NETWORK_EXAMPLE_H

#include <stddef.h>
#include <stdint.h>

#include "equiconv.h"

enum { EXAMPLE_CHANNELS = 4, EXAMPLE_CLASSES = 3, EXAMPLE_TENSORS = 4, EXAMPLE_OUTPUTS = 2 };

/** Its document: input "image" (B, 1, rows, columns), outputs "scores" (B, 3) and "planes" (B, 4, rows, columns). */
extern const char example_document[];

/** Its parameters, in the order of their names; random numbers of one seed. */
typedef struct example_weights {
  float lift[EXAMPLE_CHANNELS * 9], lift_bias[EXAMPLE_CHANNELS];
  float last[EXAMPLE_CLASSES * EXAMPLE_CHANNELS], last_bias[EXAMPLE_CLASSES];
  equiconv_tensor tensors[EXAMPLE_TENSORS];
} example_weights;

/** Fills it in place: its tensors point into it. */
void example_weights_make(example_weights *weights);
/** The network, or NULL with a status that says why. */
equiconv_status example_create(equiconv_network_mode mode, equiconv_network **network);
/** All bytes of a file, which the caller frees; NULL if it cannot be read. */
unsigned char *read_bytes(const char *path, size_t *length);
/** A name for a file of this process, in the folder for such files. */
const char *temporary_path(const char *name);

#endif
