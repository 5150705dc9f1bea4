/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "network_example.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

const char example_document[] =
    "{\"format\": \"equiconv-network/1\", \"name\": \"example\", \"dtype\": \"float32\","
    " \"groups\": {\"C4\": {\"text\": \"equiconv-group/1 cyclic(4)\","
    " \"matrices\": [[1, 0, 0, 1], [0, -1, 1, 0], [-1, 0, 0, -1], [0, 1, -1, 0]]}},"
    " \"input\": {\"name\": \"image\", \"dimension\": 2, \"space\": \"plane\", \"channels\": 1,"
    " \"extents\": [null, null]},"
    " \"operations\": ["
    "{\"kind\": \"convolution\", \"name\": \"lift\", \"inputs\": [\"image\"], \"output\": \"v0\","
    " \"layer\": \"equiconv-layer/1 group=cyclic(4) input=plane output=group stride=[1,1] padding=[same,same]"
    " dilation=[1,1] padding_mode=zeros algorithm=auto interpolation=bilinear basis=none group_basis=full"
    " quadrature=no channel_groups=1\", \"weight\": \"lift.weight\", \"bias\": \"lift.bias\"},"
    "{\"kind\": \"pointwise\", \"name\": \"relu\", \"inputs\": [\"v0\"], \"output\": \"v1\", \"function\": \"relu\"},"
    "{\"kind\": \"group_pool\", \"name\": \"pool\", \"inputs\": [\"v1\"], \"output\": \"planes\", \"mode\": \"max\"},"
    "{\"kind\": \"spatial_mean\", \"name\": \"mean\", \"inputs\": [\"planes\"], \"output\": \"v3\"},"
    "{\"kind\": \"linear\", \"name\": \"last\", \"inputs\": [\"v3\"], \"output\": \"scores\","
    " \"weight\": \"last.weight\", \"bias\": \"last.bias\"}],"
    " \"outputs\": [{\"name\": \"scores\", \"value\": \"scores\", \"classes\": [\"cat\", \"dog\", \"\\u00fcbrig\"]},"
    " {\"name\": \"planes\", \"value\": \"planes\"}]}";

static equiconv_tensor tensor(const char *name, const float *data, int32_t rank, const int64_t *shape) {
  equiconv_tensor made = {name, "F32", rank, {0}, data, sizeof(float)};
  for (int32_t axis = 0; axis < rank; axis++) {
    made.shape[axis] = shape[axis];
    made.length *= (size_t)shape[axis];
  }
  return made;
}

void example_weights_make(example_weights *weights) {
  static const int64_t lift[4] = {EXAMPLE_CHANNELS, 1, 3, 3}, last[2] = {EXAMPLE_CLASSES, EXAMPLE_CHANNELS};
  test_random random = {1601};
  random_fill(&random, EQUICONV_FLOAT32, weights->lift, EXAMPLE_CHANNELS * 9);
  random_fill(&random, EQUICONV_FLOAT32, weights->lift_bias, EXAMPLE_CHANNELS);
  random_fill(&random, EQUICONV_FLOAT32, weights->last, EXAMPLE_CLASSES * EXAMPLE_CHANNELS);
  random_fill(&random, EQUICONV_FLOAT32, weights->last_bias, EXAMPLE_CLASSES);
  weights->tensors[0] = tensor("last.bias", weights->last_bias, 1, last);
  weights->tensors[1] = tensor("last.weight", weights->last, 2, last);
  weights->tensors[2] = tensor("lift.bias", weights->lift_bias, 1, lift);
  weights->tensors[3] = tensor("lift.weight", weights->lift, 4, lift);
}

equiconv_status example_create(equiconv_network_mode mode, equiconv_network **network) {
  example_weights weights;
  example_weights_make(&weights);
  equiconv_network_options options = EQUICONV_NETWORK_OPTIONS_INIT;
  options.mode = mode;
  return equiconv_network_create(example_document, strlen(example_document), weights.tensors, EXAMPLE_TENSORS, &options,
                                 network);
}

unsigned char *read_bytes(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  enum { MOST = 1 << 20 };
  unsigned char *bytes = malloc(MOST);
  *length = bytes == NULL ? 0 : fread(bytes, 1, MOST, file);
  fclose(file);
  return bytes;
}

const char *temporary_path(const char *name) {
  static char path[512];
  const char *folder = getenv("TMPDIR");
  snprintf(path, sizeof path, "%s/equiconv-%ld-%s", folder == NULL ? "/tmp" : folder, (long)getpid(), name);
  return path;
}
