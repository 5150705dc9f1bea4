/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of pools over a group, and of a network in the exact mode with every function of single numbers. */
#include <stdio.h>
#include <string.h>

#include "digest.h"
#include "network_example.h"
#include "test.h"

static void print_pools(void) {
  static const char *const modes[] = {"mean", "max"};
  enum { OUTER = 6, ORDER = 24, INNER = 77 };
  for (int32_t dtype = 0; dtype < 2; dtype++) {
    const size_t size = dtype_size(dtype);
    void *signal = guarded_alloc(OUTER * ORDER * INNER * size), *pooled = guarded_alloc(OUTER * INNER * size);
    test_random random = {2002};
    random_fill(&random, dtype, signal, OUTER * ORDER * INNER);
    for (int32_t mode = 0; mode < 2; mode++) {
      char name[64];
      snprintf(name, sizeof name, "group pool %s %s", modes[mode], dtype == EQUICONV_FLOAT32 ? "float32" : "float64");
      CHECK_SUCCESS(equiconv_group_pool(dtype, mode, OUTER, ORDER, INNER, signal, pooled));
      print_digest(name, pooled, OUTER * INNER * size);
    }
    guarded_free(signal);
    guarded_free(pooled);
  }
}

/*
 * The example's lifting layer, functions of what it gives and means of it, each an output. There is no linear map: its
 * sums go over the lanes of vectors, so that they depend on the processor.
 */
static const char head[] =
    "{\"format\": \"equiconv-network/1\", \"name\": \"functions\", \"dtype\": \"float32\","
    " \"groups\": {\"C4\": {\"text\": \"equiconv-group/1 cyclic(4)\","
    " \"matrices\": [[1, 0, 0, 1], [0, -1, 1, 0], [-1, 0, 0, -1], [0, 1, -1, 0]]}},"
    " \"input\": {\"name\": \"image\", \"dimension\": 2, \"space\": \"plane\", \"channels\": 1,"
    " \"extents\": [null, null]},"
    " \"operations\": ["
    "{\"kind\": \"convolution\", \"name\": \"lift\", \"inputs\": [\"image\"], \"output\": \"lifted\","
    " \"layer\": \"equiconv-layer/1 group=cyclic(4) input=plane output=group stride=[1,1] padding=[same,same]"
    " dilation=[1,1] padding_mode=zeros algorithm=auto interpolation=bilinear basis=none group_basis=full"
    " quadrature=no channel_groups=1\", \"weight\": \"lift.weight\", \"bias\": \"lift.bias\"},"
    "{\"kind\": \"group_pool\", \"name\": \"pool\", \"inputs\": [\"lifted\"], \"output\": \"pooled\", \"mode\": "
    "\"mean\"},"
    "{\"kind\": \"spatial_mean\", \"name\": \"mean\", \"inputs\": [\"pooled\"], \"output\": \"means\"}";

static const char *const functions[] = {
    "\"pointwise\", \"function\": \"relu\"",
    "\"pointwise\", \"function\": \"leaky_relu\", \"slope\": 0.1",
    "\"pointwise\", \"function\": \"elu\", \"alpha\": 1.5",
    "\"pointwise\", \"function\": \"gelu\"",
    "\"pointwise\", \"function\": \"gelu_tanh\"",
    "\"pointwise\", \"function\": \"silu\"",
    "\"pointwise\", \"function\": \"sigmoid\"",
    "\"pointwise\", \"function\": \"tanh\"",
    "\"softmax\"",
};
static const char *const names[] = {"relu", "leaky_relu", "elu",  "gelu",    "gelu_tanh",
                                    "silu", "sigmoid",    "tanh", "softmax", "means"};
enum { FUNCTIONS = sizeof functions / sizeof *functions, OUTPUTS = FUNCTIONS + 1 };

static void write_document(char *text, size_t capacity) {
  size_t length = (size_t)snprintf(text, capacity, "%s", head);
  for (int i = 0; i < FUNCTIONS; i++) {
    length += (size_t)snprintf(text + length, capacity - length,
                               ", {\"name\": \"%s\", \"inputs\": [\"lifted\"], \"output\": \"%s\", \"kind\": %s}",
                               names[i], names[i], functions[i]);
  }
  length += (size_t)snprintf(text + length, capacity - length, "], \"outputs\": [");
  for (int i = 0; i < OUTPUTS; i++) {
    length += (size_t)snprintf(text + length, capacity - length, "%s{\"name\": \"%s\", \"value\": \"%s\"}",
                               i == 0 ? "" : ", ", names[i], names[i]);
  }
  snprintf(text + length, capacity - length, "]}");
}

static equiconv_network *make_network(void) {
  static char document[1 << 13];
  write_document(document, sizeof document);
  example_weights weights;
  example_weights_make(&weights);
  equiconv_network_options options = EQUICONV_NETWORK_OPTIONS_INIT;
  options.mode = EQUICONV_NETWORK_EXACT;
  equiconv_network *network = NULL;
  CHECK_SUCCESS(
      equiconv_network_create(document, strlen(document), weights.tensors, EXAMPLE_TENSORS, &options, &network));
  return network;
}

static void print_network(void) {
  enum { BATCH = 2, ROWS = 19, COLUMNS = 22, MOST = BATCH * EXAMPLE_CHANNELS * 4 * ROWS * COLUMNS };
  static const equiconv_shape input = {4, {BATCH, 1, ROWS, COLUMNS}};
  static float image[BATCH * ROWS * COLUMNS], results[OUTPUTS][MOST];
  test_random random = {2003};
  random_fill(&random, EQUICONV_FLOAT32, image, BATCH * ROWS * COLUMNS);
  void *outputs[OUTPUTS];
  for (int i = 0; i < OUTPUTS; i++) outputs[i] = results[i];
  equiconv_network *network = make_network();
  CHECK_SUCCESS(equiconv_network_run(network, EQUICONV_FLOAT32, &input, image, outputs, OUTPUTS));
  for (int i = 0; i < OUTPUTS; i++) {
    equiconv_shape shape;
    CHECK_SUCCESS(equiconv_network_get_output_shape(network, i, &input, &shape));
    size_t bytes = sizeof(float);
    for (int axis = 0; axis < shape.rank; axis++) bytes *= (size_t)shape.sizes[axis];
    char name[64];
    snprintf(name, sizeof name, "network float32, exact mode: %s", names[i]);
    print_digest(name, results[i], bytes);
  }
  equiconv_network_close(network);
}

void print_network_digests(void) {
  print_pools();
  print_network();
}
